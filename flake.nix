# Wiring only: what each name is made of stands in nix/.
{
  description = "Nix-native GitOps reconciler: trusted desired state in, guarded healing, signed evidence out";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      eachSystem = give: nixpkgs.lib.genAttrs systems (system: give nixpkgs.legacyPackages.${system});
      own = import ./nix/lib.nix { inherit nixpkgs; };
    in
    {
      lib = own;

      nixosModules = {
        default = ./nix/modules;
        reconciler = ./nix/modules/reconciler.nix;
        baseline = ./nix/modules/baseline;
        expectations = ./nix/modules/expectations.nix;
        installer = ./nix/installer.nix;
      };

      nixosConfigurations = own.mkFleet { hosts = ./hosts; };

      packages = eachSystem (pkgs: {
        default = pkgs.callPackage ./nix/package.nix { };
        reconciler = pkgs.callPackage ./nix/package.nix { };
        installer = own.mkInstaller pkgs.stdenv.hostPlatform.system;
      });

      checks = eachSystem (pkgs: import ./nix/checks.nix { inherit pkgs self; });

      devShells = eachSystem (pkgs: {
        default = import ./nix/shell.nix { inherit pkgs; };
      });

      formatter = eachSystem (pkgs: pkgs.nixfmt-tree);

      templates = {
        default = self.templates.fleet;
        fleet = {
          path = ./nix/templates/fleet;
          description = "A private fleet repository with one NixOS appliance";
        };
      };
    };
}

# Stands in for nixpkgs as a flake input where there is no network:
#   nix flake check --override-input nixpkgs path:./nix/testing
{
  description = "The parts of nixpkgs that this project's own modules need in order to be evaluated";

  outputs =
    _:
    let
      testing = import ./. { };
    in
    {
      lib = testing.lib // {
        nixosSystem =
          {
            modules,
            specialArgs ? { },
            ...
          }:
          testing.evalSystem { inherit modules specialArgs; };
      };
      legacyPackages = testing.lib.genAttrs [
        "aarch64-linux"
        "x86_64-linux"
      ] (system: import ./packages.nix { inherit (testing) lib; inherit system; });
    };
}

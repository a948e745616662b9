# The NixOS side of a fleet repository: one configuration for each hosts/<client>/<host>.nix.
#
# It goes beside what `reconciler init` made (hosts/, policies/, runbooks/). Who may change this file,
# flake.lock and the .nix files decides what runs as root on every appliance: give them a rule of their
# own in policies/trust/policy.yaml, with at least one approval.
{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    reconciler = {
      url = "git+https://git.example.org/reconciler.git";
      # One nixpkgs, and you decide when it moves (RB-PATCH-001).
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    { reconciler, ... }:
    {
      nixosConfigurations = reconciler.lib.mkFleet {
        hosts = ./hosts;
        # What every appliance of yours has besides the baseline.
        modules = [ ./nix/common.nix ];
      };
    };
}

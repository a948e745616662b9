# The baseline: one file a safeguard. Each says which controls it serves, which checks look at it
# on the running machine, and refuses (by assertion) a configuration that would leave it hollow.
#
# Rule 1. A safeguard is on, or somebody switched it off by name: there is no half.
# Rule 2. What a safeguard cannot know (a key, a repository, an address) it asks for. It never
#         falls back to something that only looks protected.
# Rule 3. What is set here satisfies the rules of policies/baselines/nixos-hipaa-v1.yaml.
{ lib, ... }:
{
  imports = [
    ./accounts.nix
    ./antivirus.nix
    ./audit.nix
    ./backup.nix
    ./disk-encryption.nix
    ./firewall.nix
    ./journal.nix
    ./kernel.nix
    ./secrets.nix
    ./sessions.nix
    ./ssh.nix
    ./time.nix
    ./updates.nix
    ./usb.nix
    ./wireguard.nix
  ];

  options.reconciler.baseline = {
    enable = lib.mkEnableOption ''
      every safeguard of the baseline. One that a client does not need is switched off by its own
      name, and belongs into an exception of the fleet repository, with its reason
    '';

    safeguards = lib.mkOption {
      internal = true;
      default = { };
      description = "What each safeguard serves; for documentation and tests.";
      type = lib.types.attrsOf (
        lib.types.submodule {
          options = {
            enabled = lib.mkOption {
              type = lib.types.bool;
              description = "Whether it is on in this configuration.";
            };
            title = lib.mkOption {
              type = lib.types.str;
              description = "What it does, in one line.";
            };
            controls = lib.mkOption {
              type = lib.types.listOf (lib.types.strMatching "[a-z0-9.-]+:.+");
              description = "Controls that it serves, as policies/frameworks names them.";
            };
            checks = lib.mkOption {
              type = lib.types.listOf (lib.types.strMatching "[A-Z]+-[A-Z]+-[0-9]{3}");
              description = "Checks that look at it on the running machine.";
            };
          };
        }
      );
    };
  };
}

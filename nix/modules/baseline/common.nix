# What every safeguard stands on: the one switch of all, and the list of what each serves. Each file
# of a safeguard imports it, so that a machine can have one safeguard without the others.
{ lib, ... }:
{
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

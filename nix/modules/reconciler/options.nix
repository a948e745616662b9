# Who this appliance is, and how often it looks.
{
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkEnableOption mkOption types;
  own = import ./types.nix { inherit lib; };
in
{
  options.services.reconciler = {
    enable = mkEnableOption "the reconciler, which keeps this machine in the state that a signed Git repository declares, and proves it";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ../../package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./nix/package.nix { }";
      description = "The program. It brings the libraries of every optional part that has an option here.";
    };

    client = mkOption {
      type = own.name;
      example = "elm-street";
      description = "Id of the clinic: the folder below `hosts/` in the fleet repository.";
    };

    host = mkOption {
      type = own.name;
      example = "front-desk";
      description = "Id of this machine: the name of its file below `hosts/<client>/`.";
    };

    state = mkOption {
      type = own.absolute;
      default = "/var/lib/reconciler/state";
      description = ''
        Directory of the lock, of the mirror of the fleet repository, and of runs that wait to be
        sealed. It must outlive a restart.
      '';
    };

    intervalS = mkOption {
      type = own.duration 5 86400;
      default = 300;
      example = 60;
      description = "Seconds between two runs.";
    };

    jitterS = mkOption {
      type = own.duration 0 3600;
      default = 30;
      description = "Up to so many seconds are added to each interval, so that a fleet does not pull in step.";
    };

    probeDeadlineS = mkOption {
      type = own.duration 1 600;
      default = 20;
      description = "Seconds that one question to this machine may take.";
    };
  };
}

# How this machine takes over the system that a release names for it.
{ config, lib, ... }:

let
  inherit (lib) mkOption types;
  # Of the baseline, where it is there: one place that says from where and by whom.
  declared = config.reconciler.baseline.updates.caches or { };
  own = import ./types.nix { inherit lib; };

  cacheUrl = types.strMatching "(https?|file|s3|ssh-ng)://[!-~]+";

  evaluate = types.submodule {
    options = {
      memoryMebibytes = mkOption {
        type = own.duration 256 65536;
        default = 2048;
        description = "Address space that the evaluator may have.";
      };
      timeoutS = mkOption {
        type = own.duration 10 14400;
        default = 1800;
        description = "Seconds that evaluation and build may take together.";
      };
    };
  };

  system = types.submodule {
    options = {
      caches = mkOption {
        type = types.listOf cacheUrl;
        default = declared.urls or [ ];
        defaultText = lib.literalExpression "config.reconciler.baseline.updates.caches.urls";
        example = [ "https://cache.example.org" ];
        description = "Binary caches that systems are fetched from, asked in this order, and nowhere else.";
      };
      publicKeys = mkOption {
        type = types.listOf own.cacheKey;
        default = declared.publicKeys or [ ];
        defaultText = lib.literalExpression "config.reconciler.baseline.updates.caches.publicKeys";
        example = [ "cache.example.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" ];
        description = "Keys by one of which each fetched path must be signed.";
      };
      realiseTimeoutS = mkOption {
        type = own.duration 10 14400;
        default = 3600;
        description = "Seconds that fetching a system may take.";
      };
      maxGibibytes = mkOption {
        type = own.duration 1 1024;
        default = 16;
        description = "How much fetching a system may write.";
      };
      watchdogS = mkOption {
        type = own.duration 300 7200;
        default = 600;
        description = ''
          Seconds after a switch in which it must be confirmed. Otherwise a unit that was made before
          the switch returns to the recorded generation, over a reboot, too. At least twice
          {option}`settleS` and 180 more.
        '';
      };
      settleS = mkOption {
        type = own.duration 60 600;
        default = 120;
        description = "Seconds that a new system is looked at before it is confirmed.";
      };
      evaluate = own.mkOptional evaluate {
        description = ''
          Evaluate the verified commit on this machine instead of taking the path that a release
          names. Off if null: an appliance evaluates nothing. It needs {option}`helper.enable` off.
        '';
      };
    };
  };
in
{
  options.services.reconciler.system = own.mkOptional system {
    description = ''
      Where systems come from and how they are switched to. If null, the system is looked at and
      never changed.
    '';
  };
}

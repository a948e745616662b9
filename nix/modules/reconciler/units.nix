# What the service may use up, and what runs beside it.
{ lib, ... }:

let
  inherit (lib) mkEnableOption mkOption types;
  own = import ./types.nix { inherit lib; };

  credential = types.submodule {
    options = {
      source = mkOption {
        type = own.absolute;
        example = "/var/lib/reconciler/keys/appliance.cred";
        description = "File on the machine, outside of the store. Secrets of sops-nix or agenix are files, too.";
      };
      encrypted = mkOption {
        type = types.bool;
        default = true;
        description = ''
          Whether systemd unseals it (`LoadCredentialEncrypted=`, made by `systemd-creds` or
          `reconciler keys`), or passes it as it is (`LoadCredential=`).
        '';
      };
    };
  };
in
{
  options.services.reconciler = {
    credentials = mkOption {
      type = types.attrsOf credential;
      default = { };
      example = {
        appliance.source = "/var/lib/reconciler/keys/appliance.cred";
        deploy-key = {
          source = "/run/secrets/fleet-deploy-key";
          encrypted = false;
        };
      };
      description = "Secrets that systemd passes to the service, by the name that `credential:NAME` uses.";
    };

    extraGroups = mkOption {
      type = types.listOf types.str;
      default = [ "systemd-journal" ];
      description = "Groups of the service's user besides its own, for what rules look at.";
    };

    watchdogSec = mkOption {
      type = own.duration 30 3600;
      default = 300;
      description = "Seconds without a sign of life after which systemd ends and restarts the service.";
    };

    memoryMax = own.mkOptional (types.strMatching "[1-9][0-9]*[KMG]") {
      example = "768M";
      description = "Most memory that the service and what it starts may use. If null, 512M and what an evaluation may use.";
    };

    cpuQuota = mkOption {
      type = types.strMatching "[1-9][0-9]*%";
      default = "50%";
      description = "Most processor time; 100% is one processor.";
    };

    tasksMax = mkOption {
      type = own.duration 16 4096;
      default = 128;
      description = "Most processes and threads.";
    };

    helper = {
      enable = mkEnableOption "the helper, which carries out steps as root on behalf of the service" // {
        default = true;
        example = false;
        description = ''
          Whether steps go through the helper: a closed set of typed operations on a socket that only
          the service's user may open. Without it the service itself runs as root and carries them
          out; {option}`system.evaluate` needs that.
        '';
      };
      memoryMax = mkOption {
        type = types.strMatching "[1-9][0-9]*[KMG]";
        default = "2G";
        description = "Most memory that the helper and the programs of a step may use (fetching a system among them).";
      };
    };

    storeVerify = {
      enable = mkEnableOption "the verification of every path of the store against its hash" // {
        default = true;
        example = false;
        description = "Whether the store is verified on a schedule; LNX-SYS-003 reads what it found.";
      };
      schedule = mkOption {
        type = types.str;
        default = "Sun 13:00";
        example = "Sat 22:00";
        description = "When (systemd.time); it reads the whole store, so choose a quiet hour.";
      };
      randomizedDelay = mkOption {
        type = types.str;
        default = "2h";
        description = "Most that the start is put off, so that a fleet does not begin together.";
      };
    };
  };
}

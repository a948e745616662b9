# services.* beside the SSH server.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  flag =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };
  listOfText =
    default:
    mkOption {
      type = types.listOf types.str;
      inherit default;
    };
  text =
    default:
    mkOption {
      type = types.nullOr types.str;
      inherit default;
    };
  lines = mkOption {
    type = types.lines;
    default = "";
  };
  settings = mkOption {
    type = types.attrsOf (
      types.oneOf [
        types.bool
        types.int
        types.str
        (types.listOf types.str)
      ]
    );
    default = { };
  };
  restic =
    { ... }:
    {
      options = {
        repository = text null;
        repositoryFile = mkOption {
          type = types.nullOr types.path;
          default = null;
        };
        passwordFile = text null;
        environmentFile = text null;
        paths = mkOption {
          type = types.nullOr (types.listOf types.str);
          default = [ ];
        };
        exclude = listOfText [ ];
        timerConfig = mkOption {
          type = types.nullOr (types.attrsOf types.unspecified);
          default = {
            OnCalendar = "daily";
            Persistent = true;
          };
        };
        initialize = flag false;
        pruneOpts = listOfText [ ];
        runCheck = flag false;
      };
    };
  ntp = {
    enable = flag false;
    servers = listOfText config.networking.timeServers;
  };
in
{
  options.services = {
    chrony = ntp // {
      enableNTS = flag false;
      # Asks the servers at start, without NTS.
      initstepslew.enabled = flag true;
      extraConfig = lines;
    };
    ntp = ntp;
    openntpd = ntp;
    ntpd-rs.enable = flag false;
    timesyncd = {
      enable = flag (!config.boot.isContainer);
      servers = mkOption {
        type = types.nullOr (types.listOf types.str);
        default = null;
      };
    };
    journald = {
      storage = mkOption {
        type = types.enum [
          "persistent"
          "volatile"
          "auto"
          "none"
        ];
        default = "persistent";
      };
      extraConfig = lines;
      upload = {
        enable = flag false;
        settings = mkOption {
          type = types.submodule {
            options.Upload = {
              URL = mkOption { type = types.str; };
              ServerKeyFile = text null;
              ServerCertificateFile = text null;
              TrustedCertificateFile = text null;
            };
          };
          default = { };
        };
      };
    };
    resolved.enable = flag false;
    logind.settings.Login = mkOption {
      type = types.attrsOf types.unspecified;
      default = { };
    };
    getty.autologinUser = text null;
    getty.helpLine = lines;
    usbguard = {
      enable = flag false;
      rules = mkOption {
        type = types.nullOr types.lines;
        default = null;
      };
      implicitPolicyTarget = mkOption {
        type = types.enum [
          "allow"
          "block"
          "reject"
        ];
        default = "block";
      };
      presentDevicePolicy = mkOption {
        type = types.enum [
          "allow"
          "block"
          "reject"
          "keep"
          "apply-policy"
        ];
        default = "apply-policy";
      };
      IPCAllowedUsers = listOfText [ "root" ];
    };
    clamav = {
      daemon = {
        enable = flag false;
        inherit settings;
      };
      updater = {
        enable = flag false;
        frequency = mkOption {
          type = types.int;
          default = 12;
        };
        interval = mkOption {
          type = types.str;
          default = "hourly";
        };
      };
      scanner = {
        enable = flag false;
        interval = mkOption {
          type = types.str;
          default = "*-*-* 04:00:00";
        };
        scanDirectories = listOfText [ ];
      };
    };
    restic.backups = mkOption {
      type = types.attrsOf (types.submodule restic);
      default = { };
    };
    borgbackup.jobs = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            startAt = mkOption {
              type = types.either types.str (types.listOf types.str);
              default = "daily";
            };
            encryption.passphrase = text null;
          };
        }
      );
      default = { };
    };
    cron = {
      enable = flag false;
      systemCronJobs = listOfText [ ];
    };
  };
  config = lib.mkIf (config.services.chrony.enable || config.services.ntp.enable) {
    services.timesyncd.enable = lib.mkForce false;
  };
}

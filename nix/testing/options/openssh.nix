# services.openssh.*
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  flag =
    default:
    mkOption {
      type = types.nullOr types.bool;
      inherit default;
    };
  names =
    default:
    mkOption {
      type = types.nullOr (types.listOf types.str);
      inherit default;
    };
  listen.options = {
    addr = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
    port = mkOption {
      type = types.nullOr types.int;
      default = null;
    };
  };
  atom = types.nullOr (
    types.oneOf [
      types.bool
      types.int
      types.str
    ]
  );
in
{
  options.programs.ssh.knownHosts = mkOption {
    type = types.attrsOf (types.submodule { options.publicKey = mkOption { type = types.nullOr types.str; }; });
    default = { };
  };
  options.services.openssh = {
    enable = mkOption {
      type = types.bool;
      default = false;
    };
    startWhenNeeded = mkOption {
      type = types.bool;
      default = false;
    };
    ports = mkOption {
      type = types.listOf types.port;
      default = [ 22 ];
    };
    openFirewall = mkOption {
      type = types.bool;
      default = true;
    };
    listenAddresses = mkOption {
      type = types.listOf (types.submodule listen);
      default = [ ];
    };
    hostKeys = mkOption {
      type = types.listOf types.attrs;
      default = [
        {
          type = "ed25519";
          path = "/etc/ssh/ssh_host_ed25519_key";
        }
      ];
    };
    authorizedKeysFiles = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    authorizedKeysInHomedir = mkOption {
      type = types.bool;
      default = true;
    };
    settings = mkOption {
      default = { };
      type = types.submodule {
        freeformType = types.attrsOf (types.either atom (types.listOf types.str));
        options = {
          AuthorizedPrincipalsFile = mkOption {
            type = types.nullOr types.str;
            default = "none";
          };
          LogLevel = mkOption {
            type = types.nullOr (
              types.enum [
                "QUIET"
                "FATAL"
                "ERROR"
                "INFO"
                "VERBOSE"
                "DEBUG"
                "DEBUG1"
                "DEBUG2"
                "DEBUG3"
              ]
            );
            default = "INFO";
          };
          UsePAM = flag true;
          UseDns = flag false;
          X11Forwarding = flag false;
          PasswordAuthentication = flag true;
          PermitRootLogin = mkOption {
            default = "prohibit-password";
            type = types.nullOr (
              types.enum [
                "yes"
                "without-password"
                "prohibit-password"
                "forced-commands-only"
                "no"
              ]
            );
          };
          KbdInteractiveAuthentication = flag true;
          StrictModes = flag true;
          PrintMotd = flag false;
          KexAlgorithms = names [
            "mlkem768x25519-sha256"
            "sntrup761x25519-sha512@openssh.com"
            "curve25519-sha256"
          ];
          Macs = names [ "hmac-sha2-512-etm@openssh.com" ];
          Ciphers = names [ "chacha20-poly1305@openssh.com" ];
          AllowUsers = names null;
          AllowGroups = names null;
        };
      };
    };
  };
  config = lib.mkIf config.services.openssh.enable {
    networking.firewall.allowedTCPPorts = lib.optionals config.services.openssh.openFirewall config.services.openssh.ports;
    services.openssh.authorizedKeysFiles =
      lib.optional config.services.openssh.authorizedKeysInHomedir "%h/.ssh/authorized_keys"
      ++ [ "/etc/ssh/authorized_keys.d/%u" ];
    environment.etc."ssh/sshd_config".text = "";
    security.pam.services.sshd.unixAuth = lib.mkDefault (
      config.services.openssh.settings.PasswordAuthentication == true
    );
  };
}

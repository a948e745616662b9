# SSH: certificates of a CA instead of keys that nobody takes back, no passwords, not for root, and
# open on named interfaces only.
# Controls: 45 CFR 164.312(a)(2)(i), (iii), 164.312(d), 164.312(e)(1), (2), 164.312(b).
{ config, lib, ... }:
let
  cfg = config.reconciler.baseline.ssh;
  title = "SSH lets in certificates of a CA, never passwords, never root";
  caFile = "ssh/reconciler_user_ca";
  publicKey = lib.types.strMatching "(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?";
  # Without that safeguard there is no such interface.
  wireguard = config.reconciler.baseline.wireguard or { enable = false; };

  # A key that is not in hardware is one factor, and it has no end.
  keysOf =
    user:
    builtins.filter (line: line != "" && !(lib.hasPrefix "#" line)) (
      user.openssh.authorizedKeys.keys
      ++ lib.concatMap (
        file: lib.splitString "\n" (builtins.readFile file)
      ) user.openssh.authorizedKeys.keyFiles
    );
  soft =
    user: builtins.filter (key: builtins.match "(.*[ ,])?sk-(ssh|ecdsa)-.*" key == null) (keysOf user);
  withSoftKeys = builtins.attrNames (lib.filterAttrs (_: u: soft u != [ ]) config.users.users);
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.ssh = {
    enable = import ./switch.nix { inherit config lib; } title;
    ca = lib.mkOption {
      type = lib.types.listOf publicKey;
      default = [ ];
      description = "Public keys of the CA whose certificates administrators show.";
    };
    hostCertificate = lib.mkOption {
      type = lib.types.nullOr (lib.types.strMatching "/.*");
      default = null;
      example = "/etc/ssh/ssh_host_ed25519_key-cert.pub";
      description = "Certificate of this host, so that nobody has to trust it on first use.";
    };
    port = lib.mkOption {
      type = lib.types.port;
      default = 22;
      description = "Port of the server.";
    };
    interfaces = lib.mkOption {
      type = lib.types.listOf lib.types.nonEmptyStr;
      default = lib.optional wireguard.enable wireguard.interface;
      defaultText = lib.literalExpression "the interface of reconciler.baseline.wireguard";
      description = "Interfaces on which the firewall opens the port; none: reachable locally only.";
    };
    allowKeys = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether plain keys of users count, too. Keys in hardware (sk-) always do.";
    };
    deadAfterSeconds = lib.mkOption {
      type = lib.types.ints.between 30 600;
      default = 300;
      description = "Seconds after which a session whose peer is gone ends.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.ssh = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.312(a)(2)(i)"
          "hipaa:164.312(a)(2)(iii)"
          "hipaa:164.312(b)"
          "hipaa:164.312(d)"
          "hipaa:164.312(e)(1)"
          "hipaa:164.312(e)(2)(ii)"
          "nist-800-53r5:AC-17"
          "nist-800-53r5:IA-2(1)"
          "nist-800-53r5:SC-8(1)"
          "nist-800-53r5:SC-13"
        ];
        checks = [
          "LNX-SSH-001"
          "LNX-SSH-002"
          "LNX-SSH-003"
          "LNX-SSH-004"
          "LNX-SSH-005"
          "LNX-AUTH-001"
          "LNX-AUTH-004"
        ];
      };
    }
    (lib.mkIf cfg.enable {
      environment.etc.${caFile}.text = lib.concatLines cfg.ca;
      services.openssh = {
        enable = true;
        ports = [ cfg.port ];
        openFirewall = false;
        authorizedKeysInHomedir = false;
        settings = {
          PermitRootLogin = "no";
          PasswordAuthentication = false;
          KbdInteractiveAuthentication = false;
          PermitEmptyPasswords = false;
          TrustedUserCAKeys = "/etc/${caFile}";
          LogLevel = "VERBOSE";
          # Finds a peer that is gone. A count of 0 turns that off since OpenSSH 8.2.
          ClientAliveInterval = cfg.deadAfterSeconds;
          ClientAliveCountMax = 1;
          X11Forwarding = false;
          AllowAgentForwarding = false;
          Ciphers = [
            "chacha20-poly1305@openssh.com"
            "aes256-gcm@openssh.com"
            "aes128-gcm@openssh.com"
            "aes256-ctr"
          ];
          Macs = [
            "hmac-sha2-512-etm@openssh.com"
            "hmac-sha2-256-etm@openssh.com"
          ];
          KexAlgorithms = [
            "mlkem768x25519-sha256"
            "sntrup761x25519-sha512@openssh.com"
            "curve25519-sha256"
            "curve25519-sha256@libssh.org"
          ];
        }
        // lib.optionalAttrs (cfg.hostCertificate != null) { HostCertificate = cfg.hostCertificate; };
      };
      networking.firewall.interfaces = lib.genAttrs cfg.interfaces (_: {
        allowedTCPPorts = [ cfg.port ];
      });
      assertions = [
        {
          assertion = cfg.ca != [ ] || cfg.allowKeys;
          message = "reconciler.baseline.ssh: no CA is declared, so nobody can come in. Set reconciler.baseline.ssh.ca to its public key.";
        }
        {
          assertion = cfg.allowKeys || withSoftKeys == [ ];
          message = "reconciler.baseline.ssh: plain SSH keys are declared for ${builtins.concatStringsSep ", " withSoftKeys}. Give these people certificates or keys in hardware (sk-), or set reconciler.baseline.ssh.allowKeys.";
        }
      ];
    })
  ];
}

# Disk encryption: everything that stays is on LUKS, and a machine that nobody sits at is unlocked
# over SSH in its initrd.
# Controls: 45 CFR 164.312(a)(2)(iv), 164.310(d)(1).
{ config, lib, ... }:
let
  cfg = config.reconciler.baseline.diskEncryption;
  title = "Everything stored is encrypted";
  storage = import ../../expectations/storage.nix { inherit config lib; };
  bare = builtins.filter (m: !m.encrypted && !(builtins.elem m.path cfg.exempt)) storage.persistent;
  bareSwap = builtins.filter (s: !s.encrypted) storage.swap;

  # A key opens nothing but the prompt for the passphrase: no shell in the initrd.
  forPromptOnly = key: ''restrict,pty,command="systemctl default" ${key}'';
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.diskEncryption = {
    enable = import ./switch.nix { inherit config lib; } title;
    exempt = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "/.*");
      default = [
        "/boot"
        "/boot/efi"
        "/efi"
      ];
      description = "Mount points that firmware has to read, and that therefore hold no data.";
    };
    alsoEncrypted = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "/.*");
      default = [ ];
      example = [ "/" ];
      description = ''
        Mount points whose device does not say that it lies on LUKS, and does: LVM on LUKS, or a
        file system that is named by its UUID; swap by its device (`/dev/vg0/swap`). LNX-CRYPT-001
        looks at the machine itself.
      '';
    };
    unlock = {
      enable = lib.mkOption {
        type = lib.types.bool;
        default = true;
        description = "Whether the machine is unlocked over SSH when it starts.";
      };
      port = lib.mkOption {
        type = lib.types.port;
        default = 2222;
        description = "Port of the SSH server in the initrd: another one than later, since its host key is another one.";
      };
      authorizedKeys = lib.mkOption {
        type = lib.types.listOf (lib.types.strMatching "(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?");
        default = [ ];
        description = "Keys of those who know the passphrase.";
      };
      hostKey = lib.mkOption {
        type = lib.types.strMatching "/.*";
        default = "/etc/secrets/initrd/ssh_host_ed25519_key";
        description = "Host key of the initrd, made on the machine. It lies on /boot in the clear: never that of the running system.";
      };
      modules = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default = [ ];
        example = [ "r8169" ];
        description = "Kernel modules of the network card, which the initrd needs.";
      };
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.diskEncryption = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.312(a)(2)(iv)"
          "hipaa:164.310(d)(1)"
          "nist-800-53r5:SC-28"
          "nist-800-53r5:SC-28(1)"
        ];
        checks = [ "LNX-CRYPT-001" ];
      };
    }
    (lib.mkIf cfg.enable {
      assertions = [
        {
          assertion = config.boot.initrd.luks.devices != { };
          message = "reconciler.baseline.diskEncryption: no LUKS device is declared (boot.initrd.luks.devices.<name>.device). A disk cannot be encrypted in place: install anew.";
        }
        {
          assertion = bare == [ ];
          message = "reconciler.baseline.diskEncryption: not on LUKS: ${
            builtins.concatStringsSep ", " (map (m: m.path) bare)
          }. Mount /dev/mapper/<name> of a LUKS device, or list the path in reconciler.baseline.diskEncryption.alsoEncrypted if it lies on one all the same.";
        }
        {
          assertion = bareSwap == [ ];
          message = "reconciler.baseline.diskEncryption: swap is not encrypted: ${
            builtins.concatStringsSep ", " (map (s: s.device) bareSwap)
          }. Set swapDevices.*.randomEncryption.enable, put it on LUKS, or list the device in reconciler.baseline.diskEncryption.alsoEncrypted if it lies on one.";
        }
        {
          assertion = cfg.unlock.enable -> cfg.unlock.authorizedKeys != [ ];
          message = "reconciler.baseline.diskEncryption: nobody can unlock this machine from afar. Set reconciler.baseline.diskEncryption.unlock.authorizedKeys, or unlock.enable = false where somebody sits at it.";
        }
        {
          assertion = !(lib.hasPrefix builtins.storeDir cfg.unlock.hostKey);
          message = "reconciler.baseline.diskEncryption: the host key of the initrd is in the Nix store, where every user reads it (unlock.hostKey).";
        }
      ];
    })
    (lib.mkIf (cfg.enable && cfg.unlock.enable) {
      boot.initrd = {
        systemd.enable = true;
        availableKernelModules = cfg.unlock.modules;
        network = {
          enable = true;
          ssh = {
            enable = true;
            inherit (cfg.unlock) port;
            hostKeys = [ cfg.unlock.hostKey ];
            authorizedKeys = map forPromptOnly cfg.unlock.authorizedKeys;
          };
        };
      };
    })
  ];
}

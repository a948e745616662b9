# Kernel: hides its addresses, randomises memory, loads no module that nobody uses, keeps no dump.
# Controls: 45 CFR 164.308(a)(1)(ii)(B), 164.312(a)(1), 164.310(d)(1).
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.reconciler.baseline.kernel;
  title = "The kernel is hardened, and keeps no memory of crashed programs";
  # A dump of anything that touched ePHI holds ePHI. The handler stays, so that the crash is seen.
  coredump = {
    Storage = "none";
    ProcessSizeMax = "0";
  };
  hasSettings = options.systemd.coredump ? settings;
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.kernel = {
    enable = import ./switch.nix { inherit config lib; } title;
    blockedModules = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "[A-Za-z0-9_-]+");
      default = [
        "cramfs"
        "dccp"
        "firewire-core"
        "freevxfs"
        "hfs"
        "hfsplus"
        "jffs2"
        "rds"
        "sctp"
        "tipc"
      ];
      description = "Modules that are not loaded by themselves: rare protocols and file systems.";
    };
    lockModules = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether no module is loaded after start. List in boot.kernelModules what is plugged in later.";
    };
    appArmor = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether AppArmor confines programs that have a profile; takes a restart.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.kernel = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.308(a)(1)(ii)(B)"
          "hipaa:164.312(a)(1)"
          "hipaa:164.310(d)(1)"
          "nist-800-53r5:SI-16"
          "nist-800-53r5:SC-5"
          "nist-800-53r5:SC-28"
        ];
        checks = [
          "LNX-HARD-001"
          "LNX-HARD-003"
          "LNX-SYSCTL-001"
        ];
      };
    }
    (lib.mkIf cfg.enable {
      boot.kernel.sysctl = {
        "fs.protected_fifos" = 2;
        "fs.protected_hardlinks" = 1;
        "fs.protected_regular" = 2;
        "fs.protected_symlinks" = 1;
        "fs.suid_dumpable" = 0;
        "kernel.dmesg_restrict" = 1;
        "kernel.kptr_restrict" = 2;
        "kernel.randomize_va_space" = 2;
        "kernel.sysrq" = 0;
        "kernel.unprivileged_bpf_disabled" = 1;
        "kernel.yama.ptrace_scope" = 1;
        "net.core.bpf_jit_harden" = 2;
        "net.ipv4.conf.all.accept_redirects" = 0;
        "net.ipv4.conf.all.send_redirects" = 0;
        "net.ipv4.conf.default.accept_redirects" = 0;
        "net.ipv4.conf.default.send_redirects" = 0;
        "net.ipv4.tcp_syncookies" = 1;
        "net.ipv6.conf.all.accept_redirects" = 0;
        "net.ipv6.conf.default.accept_redirects" = 0;
      };
      boot.kernelParams = [
        "init_on_alloc=1"
        "page_alloc.shuffle=1"
        "slab_nomerge"
      ];
      boot.blacklistedKernelModules = cfg.blockedModules;
      security.protectKernelImage = true;
      security.lockKernelModules = cfg.lockModules;
      security.apparmor.enable = cfg.appArmor;
      systemd.coredump =
        if hasSettings then
          { settings.Coredump = coredump; }
        else
          { extraConfig = lib.concatLines (lib.mapAttrsToList (n: v: "${n}=${v}") coredump); };
    })
  ];
}

# Every path of the store against its hash, on a schedule; the record is what LNX-SYS-003 judges.
{ config, lib, ... }:

let
  cfg = config.services.reconciler;
  hardening = import ./hardening.nix;
in
{
  config = lib.mkIf (cfg.enable && cfg.storeVerify.enable) {
    systemd.timers.reconciler-store-verify = {
      description = "Verify the Nix store";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = cfg.storeVerify.schedule;
        RandomizedDelaySec = cfg.storeVerify.randomizedDelay;
        Persistent = true;
      };
    };

    systemd.services.reconciler-store-verify = {
      description = "Verify every path of the running system against its hash";
      # The store is read-only for this unit, so Nix reads it through its daemon.
      wants = [ "nix-daemon.socket" ];
      after = [ "nix-daemon.socket" ];
      serviceConfig = hardening // {
        Type = "oneshot";
        ExecStart = "${cfg.package}/bin/reconciler store verify --seconds 10800";
        # A finding is for LNX-SYS-003 to judge, and what is left goes on the next time: no failed unit.
        SuccessExitStatus = [
          1
          3
        ];
        TimeoutStartSec = "4h";
        # Root without one capability: the record is the one thing that it can write, and the daemon cannot.
        CapabilityBoundingSet = "";
        ReadWritePaths = "/var/lib/reconciler";
        UMask = "0022";
        ProtectSystem = "strict";
        ProtectHome = true;
        PrivateTmp = true;
        PrivateDevices = true;
        PrivateNetwork = true;
        RestrictAddressFamilies = [ "AF_UNIX" ];
        SystemCallFilter = [
          "@system-service"
          "~@privileged"
        ];
        Nice = 19;
        IOSchedulingClass = "idle";
        CPUSchedulingPolicy = "batch";
        MemoryMax = "1G";
        TasksMax = 64;
      };
    };
  };
}

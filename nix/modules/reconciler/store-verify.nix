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
      description = "Verify every path of the Nix store against its hash";
      serviceConfig = hardening // {
        Type = "oneshot";
        ExecStart = "${cfg.package}/bin/reconciler store verify --config /etc/reconciler/reconciler.yaml";
        User = "reconciler";
        Group = "reconciler";
        StateDirectory = "reconciler";
        StateDirectoryMode = "0700";
        CapabilityBoundingSet = "";
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
        CPUSchedulingPolicy = "idle";
        MemoryMax = "256M";
        TasksMax = 16;
      };
    };
  };
}

# The daemon: looks, judges, signs; it changes nothing itself.
#
# Rule 1: It runs as a user of its own. Its capabilities are those without which a rule could not be
#         looked at; steps go through the helper, which takes a closed set of operations.
# Rule 2: It must see the machine as it is. So /tmp, /home and devices are not hidden from it (what is
#         hidden would count as absent, and an undeclared file there as none), only not writable.
# Rule 3: An activation runs on its behalf, so an activation must not restart it: see renew.nix.
{ config, lib, ... }:

let
  cfg = config.services.reconciler;
  hardening = import ./hardening.nix;

  # Ambient, so that programs it asks (sshd -T, nft) may look as well.
  capabilities = [
    # Files that only root reads: shadow, keys of accounts, audit rules.
    "CAP_DAC_READ_SEARCH"
    # Whose socket is whose: /proc/PID/fd.
    "CAP_SYS_PTRACE"
    # The packet filter answers nobody without it.
    "CAP_NET_ADMIN"
    # The kernel's audit state, likewise.
    "CAP_AUDIT_CONTROL"
  ];
in
{
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];

    users.users.reconciler = {
      isSystemUser = true;
      group = "reconciler";
      extraGroups = cfg.extraGroups;
      home = "/var/lib/reconciler";
      description = "Reconciler";
    };
    users.groups.reconciler = { };

    # Before the first start, too: enrolment writes here.
    systemd.tmpfiles.rules = [
      "d /var/lib/reconciler 0700 reconciler reconciler -"
    ];

    systemd.services.reconciler = {
      description = "Reconciler: desired state in, signed evidence out";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [
        "network-online.target"
        "time-sync.target"
      ];
      restartIfChanged = false;
      stopIfChanged = false;
      # It must come back whatever happened; how often it failed is in its journal.
      unitConfig.StartLimitIntervalSec = 0;
      serviceConfig = hardening // {
        Type = "notify";
        ExecStart = "${cfg.package}/bin/reconciler run --config /etc/reconciler/reconciler.yaml";
        Restart = "always";
        RestartSec = 30;
        WatchdogSec = cfg.watchdogSec;
        # A stop waits for the action in hand and its record; what takes longer is cut and found again.
        TimeoutStopSec = 900;
        User = "reconciler";
        Group = "reconciler";
        StateDirectory = "reconciler";
        StateDirectoryMode = "0700";
        AmbientCapabilities = capabilities;
        CapabilityBoundingSet = capabilities;
        ProtectSystem = "strict";
        ProtectHome = "read-only";
        PrivateTmp = false;
        PrivateDevices = false;
        DevicePolicy = "closed";
        ProtectProc = "default";
        # Whether the clock is in step is asked with adjtimex(2), which ProtectClock would refuse. There is
        # no CAP_SYS_TIME, so nothing can be set with it.
        ProtectClock = false;
        RestrictAddressFamilies = [
          "AF_UNIX"
          "AF_INET"
          "AF_INET6"
          "AF_NETLINK"
        ];
        SystemCallFilter = [
          "@system-service"
          "~@privileged"
          "adjtimex"
          "clock_adjtime"
        ];
        MemoryMax = cfg.memoryMax;
        CPUQuota = cfg.cpuQuota;
        TasksMax = cfg.tasksMax;
        CPUWeight = 50;
        IOWeight = 50;
      };
    };
  };
}

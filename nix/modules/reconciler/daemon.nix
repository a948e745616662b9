# The daemon: looks, judges, signs.
#
# Rule 1: It runs as a user of its own and changes nothing itself. Its capabilities are those without
#         which a rule could not be looked at; steps go through the helper, which takes a closed set of
#         operations. Of /var/lib/reconciler it owns state and evidence; keys, pinned signers, and where
#         root works on its behalf, are root's. Without the helper it is root and carries steps out.
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

  # An evaluation has a limit of its own, which must fit below that of the service.
  evaluates = cfg.system != null && cfg.system.evaluate != null;
  memoryMax = "${toString (512 + (if evaluates then cfg.system.evaluate.memoryMebibytes else 0))}M";

  # Where tickets are dropped for something else to take up.
  drops = map (channel: channel.directory) (
    lib.filter (channel: channel.kind == "file") (lib.attrValues cfg.notify)
  );

  always = {
    Type = "notify";
    ExecStart = "${cfg.package}/bin/reconciler run --config /etc/reconciler/reconciler.yaml";
    Restart = "always";
    RestartSec = 30;
    WatchdogSec = cfg.watchdogSec;
    # A stop waits for the action in hand and its record; what takes longer is cut and found again.
    TimeoutStopSec = 900;
    StateDirectory = [
      "reconciler/state"
      "reconciler/evidence"
    ];
    StateDirectoryMode = "0700";
    MemoryMax = if cfg.memoryMax == null then memoryMax else cfg.memoryMax;
    CPUQuota = cfg.cpuQuota;
    TasksMax = cfg.tasksMax;
    CPUWeight = 50;
    IOWeight = 50;
  };

  looking = hardening // {
    User = "reconciler";
    Group = "reconciler";
    ReadWritePaths = drops;
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
    SystemCallFilter = [
      "@system-service"
      "~@privileged"
      "adjtimex"
      "clock_adjtime"
    ];
  };
in
{
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];

    users.users.reconciler = {
      isSystemUser = true;
      group = "reconciler";
      extraGroups = cfg.extraGroups;
      home = "/var/lib/reconciler/state";
      description = "Reconciler";
    };
    users.groups.reconciler = { };

    # Root's: whoever owns a directory can put another in the place of those in it, and root works there.
    systemd.tmpfiles.rules = [
      "d /var/lib/reconciler 0755 root root -"
      "d /var/lib/reconciler/keys 0700 root root -"
      "d /var/lib/reconciler/trust 0755 root root -"
      "d /var/lib/reconciler/activation 0700 root root -"
      "d /var/lib/reconciler/scratch 0700 root root -"
      "d /var/lib/reconciler/restore-tests 0755 root root -"
      "d /nix/var/nix/gcroots/reconciler 0755 root root -"
    ]
    ++ map (directory: "d ${directory} 0750 reconciler reconciler -") drops;

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
      serviceConfig = always // (if cfg.helper.enable then looking else import ./acting.nix);
    };
  };
}

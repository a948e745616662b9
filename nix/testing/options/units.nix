# Units that the release declares for what is switched on: names, what wants them, how they end.
{ config, lib, ... }:
let
  inherit (config) services;
  # Where a program is does not matter here; that a unit names one does.
  ExecStart = "/bin/true";
  daemon = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { inherit ExecStart; };
  };
  once = wantedBy: {
    inherit wantedBy;
    serviceConfig = {
      inherit ExecStart;
      Type = "oneshot";
      RemainAfterExit = true;
    };
  };
  # A service that a timer starts.
  timed = {
    services.serviceConfig = {
      inherit ExecStart;
      Type = "oneshot";
    };
    timers.wantedBy = [ "timers.target" ];
  };
  jobs = lib.mapAttrs' (n: _: lib.nameValuePair "restic-backups-${n}" timed.services) services.restic.backups;
  jobTimers = lib.mapAttrs' (n: _: lib.nameValuePair "restic-backups-${n}" timed.timers) (
    lib.filterAttrs (_: b: b.timerConfig != null) services.restic.backups
  );
  calendar = lib.mapAttrs (_: s: timed.timers // { timerConfig.OnCalendar = s.startAt; }) (
    lib.filterAttrs (_: s: s.startAt != [ ]) config.systemd.services
  );
  tunnels = lib.mapAttrs' (
    n: _: lib.nameValuePair "wireguard-${n}" (once [ "multi-user.target" ])
  ) config.networking.wireguard.interfaces;
  nft = config.networking.nftables.enable;
in
{
  systemd.services = lib.mkMerge [
    {
      nix-daemon = { };
      suid-sgid-wrappers = timed.services // {
        wantedBy = [ "sysinit.target" ];
      };
      systemd-modules-load.wantedBy = [ "multi-user.target" ];
      systemd-sysctl.wantedBy = [ "multi-user.target" ];
      systemd-tmpfiles-resetup = once [ "sysinit-reactivation.target" ];
      "getty@" = { };
    }
    jobs
    tunnels
    (lib.mkIf services.openssh.enable (
      if services.openssh.startWhenNeeded then { "sshd@" = { }; } else { sshd = daemon; }
    ))
    (lib.mkIf services.chrony.enable {
      chronyd = daemon // {
        unitConfig.ConditionCapability = "CAP_SYS_TIME";
      };
    })
    (lib.mkIf services.timesyncd.enable { systemd-timesyncd.wantedBy = [ "sysinit.target" ]; })
    (lib.mkIf services.usbguard.enable { usbguard = daemon // { wantedBy = [ "basic.target" ]; }; })
    (lib.mkIf services.journald.upload.enable {
      systemd-journal-upload.wantedBy = [ "multi-user.target" ];
    })
    (lib.mkIf services.clamav.daemon.enable { clamav-daemon = daemon; })
    (lib.mkIf services.clamav.updater.enable { clamav-freshclam = timed.services; })
    (lib.mkIf services.clamav.scanner.enable { clamdscan = timed.services; })
    (lib.mkIf services.cron.enable { cron = daemon; })
    (lib.mkIf config.nix.gc.automatic { nix-gc = timed.services; })
    (lib.mkIf config.security.apparmor.enable {
      apparmor = once [ "sysinit.target" ] // {
        unitConfig.ConditionSecurity = "apparmor";
      };
    })
    (lib.mkIf config.security.auditd.enable {
      auditd = daemon // {
        wantedBy = [ "sysinit.target" ];
        unitConfig = {
          ConditionVirtualization = "!container";
          ConditionKernelCommandLine = [
            "!audit=0"
            "!audit=off"
          ];
        };
      };
    })
    (lib.mkIf (config.networking.firewall.enable && !nft) {
      firewall = once [ "sysinit.target" ] // {
        unitConfig.ConditionCapability = "CAP_NET_ADMIN";
      };
    })
    (lib.mkIf nft { nftables = once [ "sysinit.target" ]; })
  ];
  systemd.timers = lib.mkMerge [
    calendar
    jobTimers
    (lib.mkIf services.clamav.updater.enable { clamav-freshclam = timed.timers; })
    (lib.mkIf services.clamav.scanner.enable { clamdscan = timed.timers; })
    (lib.mkIf config.nix.gc.automatic { nix-gc = timed.timers; })
  ];
  systemd.sockets = lib.mkMerge [
    { nix-daemon.wantedBy = [ "sockets.target" ]; }
    (lib.mkIf (services.openssh.enable && services.openssh.startWhenNeeded) {
      sshd = {
        wantedBy = [ "sockets.target" ];
        socketConfig.ListenStream = map toString services.openssh.ports;
      };
    })
  ];
}

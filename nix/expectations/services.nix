# The clock, certificates, backups and cron.
{ config, lib }:
let
  inherit (import ./sorted.nix lib) strings byName entries;
  inherit (config) services;
  on = name: services ? ${name} && services.${name}.enable;

  # Modules of other daemons switch timesyncd off, so the order is that of who would win.
  clock =
    if services.chrony.enable then
      {
        service = "chronyd.service";
        sources = strings services.chrony.servers;
        nts = services.chrony.enableNTS;
      }
    else if on "ntp" then
      named "ntpd.service" services.ntp.servers
    else if on "openntpd" then
      named "openntpd.service" services.openntpd.servers
    else if on "ntpd-rs" then
      named "ntpd-rs.service" config.networking.timeServers
    else if services.timesyncd.enable then
      named "systemd-timesyncd.service" (
        if services.timesyncd.servers == null then
          config.networking.timeServers
        else
          services.timesyncd.servers
      )
    else
      {
        service = null;
        sources = [ ];
        nts = false;
      };
  named = service: sources: {
    inherit service;
    sources = strings sources;
    nts = false;
  };

  # The unit that renews has another name since release 25.11.
  renewal =
    name:
    let
      units = builtins.filter (u: config.systemd.services ? ${u}) [
        "acme-order-renew-${name}"
        "acme-${name}"
      ];
    in
    if units == [ ] then null else "${builtins.head units}.service";
  acme = lib.mapAttrsToList (name: cert: {
    inherit name;
    path = "${cert.directory}/fullchain.pem";
    unit = renewal name;
  }) config.security.acme.certs;
  upload = services.journald.upload;
  ofUpload = lib.optional (upload.enable && upload.settings.Upload.ServerCertificateFile != null) {
    name = "journal-upload";
    path = upload.settings.Upload.ServerCertificateFile;
    unit = "systemd-journal-upload.service";
  };

  # One that nothing starts is somebody's tool and no backup.
  restic = lib.mapAttrsToList (job: _: {
    inherit job;
    unit = "restic-backups-${job}.service";
    timer = "restic-backups-${job}.timer";
  }) (lib.filterAttrs (_: backup: backup.timerConfig != null) services.restic.backups);

  borg = lib.mapAttrsToList (job: _: {
    inherit job;
    unit = "borgbackup-job-${job}.service";
    timer = "borgbackup-job-${job}.timer";
  }) (lib.filterAttrs (_: backup: backup.startAt != [ ]) services.borgbackup.jobs);

  folded =
    line:
    builtins.concatStringsSep " " (
      builtins.filter (w: builtins.isString w && w != "") (builtins.split "[ \t]+" line)
    );
  # One text may be several lines of the table; comments and settings (MAILTO=) are no jobs.
  isJob = line: line != "" && builtins.match "#.*|[A-Za-z_][A-Za-z0-9_]* ?=.*" line == null;
  jobsOf = text: builtins.filter isJob (map folded (lib.splitString "\n" text));
in
{
  time = clock;
  certificates = byName (
    acme ++ ofUpload ++ lib.attrByPath [ "reconciler" "expectations" "certificates" ] [ ] config
  );
  backups = entries (restic ++ borg);
  cron = {
    enabled = services.cron.enable;
    jobs = strings (lib.concatMap jobsOf (lib.optionals services.cron.enable services.cron.systemCronJobs));
  };
}

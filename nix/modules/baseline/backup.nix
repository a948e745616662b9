# Backup: encrypted, on another machine, every night. The restore is proven by the reconciler
# (runbook RB-RESTORE-001), which records what it restored and how long it took.
# Controls: 45 CFR 164.308(a)(7)(ii)(A), (B), (D), 164.310(d)(2)(iv).
{ config, lib, ... }:
let
  cfg = config.reconciler.baseline.backup;
  title = "Backups go to another machine, and restores are proven";
  # A location that reaches another machine; with a password in it, everybody could read that in
  # the list of processes.
  elsewhere = "(rest|s3|sftp|b2|azure|gs|swift|rclone):.+";
  withPassword = ".*//[^/@]*:[^/@]*@.*";
  # Without that safeguard, where it would have put them by hand.
  secrets = config.reconciler.baseline.secrets.directory or "/var/lib/secrets";

  job =
    { name, ... }:
    {
      options = {
        repository = lib.mkOption {
          type = lib.types.strMatching elsewhere;
          example = "sftp:backup@192.0.2.20:/srv/restic/example-clinic";
          description = "restic repository on another machine.";
        };
        passwordFile = lib.mkOption {
          type = lib.types.strMatching "/.*";
          default = "${secrets}/restic-${name}";
          description = "File with its password; keep the password away from this machine, too.";
        };
        environmentFile = lib.mkOption {
          type = lib.types.nullOr (lib.types.strMatching "/.*");
          default = null;
          description = "File with the account at the object store.";
        };
        paths = lib.mkOption {
          type = lib.types.nonEmptyListOf (lib.types.strMatching "/.*");
          example = [ "/var/lib" ];
          description = "What is backed up.";
        };
        exclude = lib.mkOption {
          type = lib.types.listOf lib.types.str;
          default = [
            "/var/lib/clamav"
            "/var/cache"
          ];
          description = "What is left out.";
        };
        at = lib.mkOption {
          type = lib.types.nonEmptyStr;
          default = "*-*-* 01:00:00";
          description = "When, at least daily, as systemd.time(7) writes it.";
        };
        keep = {
          daily = lib.mkOption {
            type = lib.types.ints.between 7 366;
            default = 14;
            description = "Daily snapshots that are kept.";
          };
          weekly = lib.mkOption {
            type = lib.types.ints.between 0 260;
            default = 8;
            description = "Weekly snapshots that are kept.";
          };
          monthly = lib.mkOption {
            type = lib.types.ints.between 0 120;
            default = 12;
            description = "Monthly snapshots that are kept.";
          };
        };
      };
    };
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.backup = {
    enable = import ./switch.nix { inherit config lib; } title;
    jobs = lib.mkOption {
      type = lib.types.attrsOf (lib.types.submodule job);
      default = { };
      description = "Backup jobs by name; the fleet repository declares the same under backups.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.backup = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.308(a)(7)(ii)(A)"
          "hipaa:164.308(a)(7)(ii)(B)"
          "hipaa:164.308(a)(7)(ii)(D)"
          "hipaa:164.310(d)(2)(iv)"
          "nist-800-53r5:CP-4"
          "nist-800-53r5:CP-9"
        ];
        checks = [
          "LNX-BKP-001"
          "LNX-BKP-002"
        ];
      };
    }
    (lib.mkIf cfg.enable {
      services.restic.backups = builtins.mapAttrs (_: job: {
        inherit (job)
          repository
          passwordFile
          environmentFile
          paths
          exclude
          ;
        initialize = true;
        runCheck = true;
        timerConfig = {
          OnCalendar = job.at;
          # A machine that was off at the time makes its backup when it is on again.
          Persistent = true;
          RandomizedDelaySec = "15m";
        };
        pruneOpts = [
          "--keep-daily ${toString job.keep.daily}"
          "--keep-weekly ${toString job.keep.weekly}"
          "--keep-monthly ${toString job.keep.monthly}"
        ];
      }) cfg.jobs;

      assertions = [
        {
          assertion = cfg.jobs != { };
          message = "reconciler.baseline.backup: no job is declared. Set reconciler.baseline.backup.jobs.<name>, or switch the safeguard off and write the exception.";
        }
      ]
      ++ lib.mapAttrsToList (name: job: {
        assertion = builtins.match withPassword job.repository == null;
        message = "reconciler.baseline.backup: the repository of job ${name} holds a password (reconciler.baseline.backup.jobs.${name}.repository). Put it into a file and name it in environmentFile.";
      }) cfg.jobs;
    })
  ];
}

# Anti-malware: ClamAV with fresh signatures, and a scan of what people put on the machine.
# Controls: 45 CFR 164.308(a)(5)(ii)(B).
{ config, lib, ... }:
let
  cfg = config.reconciler.baseline.antivirus;
  title = "Anti-malware runs with fresh signatures";
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.antivirus = {
    enable = import ./switch.nix { inherit config lib; } title;
    updatesPerDay = lib.mkOption {
      type = lib.types.ints.between 1 24;
      default = 12;
      description = "How often freshclam asks for new signatures in a day.";
    };
    scan = {
      directories = lib.mkOption {
        type = lib.types.listOf (lib.types.strMatching "/.*");
        default = [
          "/home"
          "/var/lib"
          "/tmp"
          "/var/tmp"
        ];
        description = "Directories that are scanned; an empty list scans none.";
      };
      at = lib.mkOption {
        type = lib.types.nonEmptyStr;
        default = "*-*-* 02:30:00";
        description = "When, as systemd.time(7) writes it: outside of the hours of the clinic.";
      };
    };
    memoryMebibytes = lib.mkOption {
      type = lib.types.ints.between 1024 8192;
      default = 2048;
      description = "Memory that the daemon may take; its signatures alone need over a gibibyte.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.antivirus = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.308(a)(5)(ii)(B)"
          "nist-800-53r5:SI-3"
        ];
        checks = [ "LNX-AV-001" ];
      };
    }
    (lib.mkIf cfg.enable {
      services.clamav = {
        daemon = {
          enable = true;
          # Old and new signatures at once would not fit below the limit.
          settings.ConcurrentDatabaseReload = false;
        };
        updater = {
          enable = true;
          frequency = cfg.updatesPerDay;
          interval = "hourly";
        };
        scanner = lib.mkIf (cfg.scan.directories != [ ]) {
          enable = true;
          interval = cfg.scan.at;
          scanDirectories = cfg.scan.directories;
        };
      };
      systemd.services.clamav-daemon.serviceConfig = {
        MemoryMax = "${toString cfg.memoryMebibytes}M";
        # Without network at the first start there are no signatures yet, and it ends.
        Restart = lib.mkDefault "on-failure";
        RestartSec = lib.mkDefault 60;
      };
    })
  ];
}

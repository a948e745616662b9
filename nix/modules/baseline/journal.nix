# Journal: on disk, within bounds, and off-loaded over TLS with a certificate of its own.
# Controls: 45 CFR 164.312(b), 164.308(a)(1)(ii)(D).
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.reconciler.baseline.journal;
  title = "The journal is kept on disk, bounded and off-loaded";
  bounds = {
    SystemMaxUse = "${toString cfg.maxMebibytes}M";
    MaxRetentionSec = "${toString cfg.keepDays}day";
  };
  place = "/var/lib/journal-upload";
  # Newer releases take settings where older ones take lines.
  hasSettings = options.services.journald ? settings;
  asLines = lib.concatLines (lib.mapAttrsToList (name: value: "${name}=${value}") bounds);
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.journal = {
    enable = import ./switch.nix { inherit config lib; } title;
    maxMebibytes = lib.mkOption {
      type = lib.types.ints.between 64 1048576;
      default = 4096;
      description = "Space that the journal may take.";
    };
    # The raw log is no six-year record (the evidence of its review is); a year covers PCI 10.5.1.
    keepDays = lib.mkOption {
      type = lib.types.ints.between 30 3660;
      default = 400;
      description = "Days after which entries go, if space lets them stay so long.";
    };
    upload = {
      enable = lib.mkOption {
        type = lib.types.bool;
        default = true;
        description = "Whether the journal is sent to a collector.";
      };
      url = lib.mkOption {
        type = lib.types.nullOr (lib.types.strMatching "https://[^ ]+");
        default = null;
        example = "https://192.0.2.30:19532";
        description = "The collector: inside of the covered entity, or under a BAA.";
      };
      certificate = lib.mkOption {
        type = lib.types.strMatching "/.*";
        default = "${place}/client.pem";
        description = "Certificate that this machine shows.";
      };
      key = lib.mkOption {
        type = lib.types.strMatching "/.*";
        default = "${place}/client.key";
        description = "Its key: group systemd-journal, mode 0640, since the service reads it as a user of its own.";
      };
      authority = lib.mkOption {
        type = lib.types.strMatching "/.*";
        default = "${place}/ca.pem";
        description = "Certificates by which the collector is known.";
      };
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.journal = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.312(b)"
          "hipaa:164.308(a)(1)(ii)(D)"
          "nist-800-53r5:AU-4"
          "nist-800-53r5:AU-11"
        ];
        checks = [ "LNX-LOG-001" ];
      };
    }
    (lib.mkIf cfg.enable (
      if hasSettings then
        { services.journald.settings.Journal = bounds // { Storage = "persistent"; }; }
      else
        {
          services.journald = {
            storage = "persistent";
            extraConfig = asLines;
          };
        }
    ))
    (lib.mkIf (cfg.enable && cfg.upload.enable) {
      # Of the group that the service is in: made by hand it would be root's alone.
      systemd.tmpfiles.rules = lib.optional (
        dirOf cfg.upload.key == place
      ) "d ${place} 0750 root systemd-journal -";
      services.journald.upload = {
        enable = true;
        settings.Upload = {
          URL = if cfg.upload.url == null then "" else cfg.upload.url;
          ServerKeyFile = cfg.upload.key;
          ServerCertificateFile = cfg.upload.certificate;
          TrustedCertificateFile = cfg.upload.authority;
        };
      };
      assertions = [
        {
          assertion = cfg.upload.url != null;
          message = "reconciler.baseline.journal: no collector is named. Set reconciler.baseline.journal.upload.url, or upload.enable = false and write the exception.";
        }
      ];
    })
  ];
}

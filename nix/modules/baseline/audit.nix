# Audit: the kernel audits from the first process on, and auditd writes it down.
# Controls: 45 CFR 164.312(b), 164.308(a)(1)(ii)(D).
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.reconciler.baseline.audit;
  title = "The kernel audits from boot, by declared rules";
  # Release 25.11 and later; before, auditd had no settings.
  hasSettings = options.security.auditd ? settings;
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.audit = {
    enable = import ./switch.nix { inherit config lib; } title;
    rules = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "-[aAwDbfrei].*");
      default = [
        "-w /etc/passwd -p wa -k identity"
        "-w /etc/group -p wa -k identity"
        "-w /etc/shadow -p wa -k identity"
        "-w /etc/sudoers -p wa -k privilege"
        "-w /var/lib/reconciler -p wa -k evidence"
        "-a always,exit -F arch=b64 -S adjtimex,settimeofday,clock_settime -k time"
        "-a always,exit -F arch=b64 -S init_module,finit_module,delete_module -k modules"
      ];
      description = ''
        Audit rules, as auditctl(8) writes them; the fleet repository declares the same under
        audit_rules. Rules that record execve keep command lines, which can hold PHI.
      '';
    };
    backlogLimit = lib.mkOption {
      type = lib.types.ints.between 8192 65536;
      default = 8192;
      description = "Records that may wait.";
    };
    maxLogMebibytes = lib.mkOption {
      type = lib.types.ints.between 64 16384;
      default = 512;
      description = "Space for the audit log in all; the oldest file is overwritten.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.audit = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.312(b)"
          "hipaa:164.308(a)(1)(ii)(D)"
          "nist-800-53r5:AU-2"
          "nist-800-53r5:AU-3"
          "nist-800-53r5:AU-12"
        ];
        checks = [
          "LNX-AUD-001"
          "LNX-AUD-002"
        ];
      };
    }
    (lib.mkIf cfg.enable (
      lib.mkMerge [
        {
          security.audit = {
            enable = true;
            inherit (cfg) backlogLimit rules;
          };
          security.auditd.enable = true;
          # The daemon starts late; without these what came before it is never audited.
          boot.kernelParams = [
            "audit=1"
            "audit_backlog_limit=${toString cfg.backlogLimit}"
          ];
          assertions = [
            {
              assertion = cfg.rules != [ ];
              message = "reconciler.baseline.audit: no rule is declared (reconciler.baseline.audit.rules), so nothing would be recorded.";
            }
          ];
        }
        (lib.optionalAttrs hasSettings {
          # A full disk must not stop a clinic: warn, then overwrite. The journal is off-loaded.
          security.auditd.settings = {
            num_logs = 8;
            max_log_file = cfg.maxLogMebibytes / 8;
            max_log_file_action = "rotate";
            space_left_action = "syslog";
            admin_space_left_action = "syslog";
            disk_full_action = "rotate";
            disk_error_action = "syslog";
          };
        })
      ]
    ))
  ];
}

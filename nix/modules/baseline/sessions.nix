# Sessions: one that nobody uses ends, and nobody is logged in without asking.
# Controls: 45 CFR 164.312(a)(2)(iii), 164.310(c).
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.reconciler.baseline.sessions;
  title = "An idle session ends";
  # Release 25.11 and later take settings; before, lines.
  hasSettings = options.services.logind ? settings;
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.sessions = {
    enable = import ./switch.nix { inherit config lib; } title;
    idleSeconds = lib.mkOption {
      type = lib.types.ints.between 60 900;
      default = 900;
      description = "Seconds after which logind ends a session that is idle.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.sessions = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.312(a)(2)(iii)"
          "hipaa:164.310(c)"
          "nist-800-53r5:AC-11"
          "nist-800-53r5:AC-12"
        ];
        checks = [ "LNX-SESS-001" ];
      };
    }
    (lib.mkIf cfg.enable {
      services.logind =
        if hasSettings then
          { settings.Login.StopIdleSessionSec = cfg.idleSeconds; }
        else
          { extraConfig = "StopIdleSessionSec=${toString cfg.idleSeconds}\n"; };
    })
  ];
}

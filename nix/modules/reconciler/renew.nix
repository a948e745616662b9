# A new program or new settings reach the daemon after the action in hand, not in the midst of it.
#
# The daemon has restartIfChanged = false, because the activation that would restart it is its own.
# This unit is what changes with program and settings: an activation restarts it, it sends SIGTERM to
# the daemon alone, the daemon finishes and records what it is doing and ends, and systemd starts the
# new one (Restart=always). `systemctl restart` would do the same but for one thing: meanwhile the
# daemon would count as stopping, and an activation that asks whether it is well would be taken back.
{
  config,
  lib,
  ...
}:

let
  cfg = config.services.reconciler;
in
{
  config = lib.mkIf cfg.enable {
    systemd.services.reconciler-renew = {
      description = "Let the reconciler go on as the program and with the settings of this system";
      wantedBy = [ "multi-user.target" ];
      # At boot it comes first, when there is no daemon that the signal could end.
      before = [ "reconciler.service" ];
      restartTriggers = [
        cfg.package
        config.environment.etc."reconciler/reconciler.yaml".text
      ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        # A daemon that is not there needs no signal.
        ExecStart = "-${config.systemd.package}/bin/systemctl kill --kill-whom=main --signal=SIGTERM reconciler.service";
      };
    };
  };
}

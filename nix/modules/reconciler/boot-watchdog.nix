# A machine that came up with a system that nobody confirmed goes back by itself.
#
# Before a restart into a system that was never booted here, its link is left in the activation
# directory, and the boot loader's default stays on the proven generation. The reconciler removes the
# link when its first look after the boot passes. If nobody does, one restart brings the default back.
# The comparison with the booted system makes it one: after it another system is booted.
{ config, lib, ... }:

let
  cfg = config.services.reconciler;
  awaiting = "/var/lib/reconciler/activation/awaiting-boot";
in
{
  config = lib.mkIf (cfg.enable && cfg.system != null) {
    systemd.timers.reconciler-boot-watchdog = {
      description = "How long a new system may take to be confirmed";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnBootSec = cfg.system.watchdogS;
        AccuracySec = "1s";
        Unit = "reconciler-boot-watchdog.service";
      };
    };

    systemd.services.reconciler-boot-watchdog = {
      description = "Return to the proven system if the booted one was not confirmed";
      restartIfChanged = false;
      unitConfig.ConditionPathIsSymbolicLink = awaiting;
      serviceConfig.Type = "oneshot";
      script = ''
        if [ "$(readlink -f ${awaiting})" = "$(readlink -f /run/booted-system)" ]; then
          exec ${config.systemd.package}/bin/systemctl --no-block reboot
        fi
      '';
    };
  };
}

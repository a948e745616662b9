# services.reconciler: one appliance, as its settings file and its units.
#
# What a machine is meant to have, when something may be changed, and by whom, stands in the fleet
# repository (mode, windows, policies, runbooks, guards, escalation) and in no option here: two places
# that say one thing will one day say two.
{
  imports = [
    ./reconciler/options.nix
    ./reconciler/fleet.nix
    ./reconciler/evidence.nix
    ./reconciler/people.nix
    ./reconciler/system.nix
    ./reconciler/units.nix
    ./reconciler/settings.nix
    ./reconciler/credentials.nix
    ./reconciler/assertions.nix
    ./reconciler/daemon.nix
    ./reconciler/renew.nix
    ./reconciler/helper.nix
    ./reconciler/store-verify.nix
    ./reconciler/boot-watchdog.nix
  ];
}

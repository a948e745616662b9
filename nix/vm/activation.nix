# A system that does not come up well is left again, and the boot entry never names it.
{ self }:
{
  name = "reconciler-activation";
  nodes.machine =
    { lib, ... }:
    {
      imports = [ (import ./appliance.nix { inherit self; }) ];
      virtualisation.useBootLoader = true;
      virtualisation.useEFIBoot = true;
      boot.loader.systemd-boot.enable = true;
      boot.loader.timeout = lib.mkForce 0;

      specialisation.broken.configuration.systemd.services.breaks = {
        wantedBy = [ "multi-user.target" ];
        serviceConfig = {
          Type = "oneshot";
          ExecStart = "/run/current-system/sw/bin/false";
        };
      };
    };
  testScript = ''
    ${import ./enrol.nix}
    proven = machine.succeed("readlink -f /run/current-system").strip()
    with subtest("a broken system fails its own switch, and the watchdog's words bring the proven one back"):
        machine.fail(f"{proven}/specialisation/broken/bin/switch-to-configuration test")
        machine.succeed(f"{proven}/bin/switch-to-configuration test")
        machine.succeed(f"test $(readlink -f /run/current-system) = {proven}")
    with subtest("the daemon that conducts an activation lives through it"):
        machine.wait_for_unit("reconciler.service")
    with subtest("after a power cut the proven system boots"):
        machine.crash()
        machine.start()
        machine.wait_for_unit("multi-user.target")
        machine.succeed(f"test $(readlink -f /run/booted-system) = {proven}")
  '';
}

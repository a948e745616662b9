# What the configuration declares is what is looked at, and what it does not declare is drift.
{ self }:
{
  name = "reconciler-drift";
  nodes.machine = import ./appliance.nix { inherit self; };
  testScript = ''
    ${import ./enrol.nix}
    with subtest("the expectations document is in the system"):
        machine.succeed("test -s /run/current-system/reconciler/expectations.json")
    with subtest("an undeclared unit is found by its name"):
        machine.succeed(
            "printf '[Service]\\nExecStart=/run/current-system/sw/bin/sleep inf\\n'"
            " > /run/systemd/system/stranger.service",
            "systemctl daemon-reload",
        )
        machine.succeed("systemctl stop reconciler.service")
        machine.execute(
            "sudo -u reconciler reconciler run --once --dry-run --json"
            " --config /etc/reconciler/reconciler.yaml > /tmp/found.json"
        )
        machine.succeed("grep -q stranger.service /tmp/found.json")
  '';
}

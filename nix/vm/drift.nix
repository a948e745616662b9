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
        machine.succeed(
            "systemctl stop reconciler.service",
            "systemd-run --pipe --wait --collect -p User=reconciler"
            " -p 'AmbientCapabilities=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE CAP_NET_ADMIN CAP_AUDIT_CONTROL'"
            " reconciler run --once --dry-run --json > /tmp/found.json || test $? = 1",
            "grep -q stranger.service /tmp/found.json",
        )
  '';
}

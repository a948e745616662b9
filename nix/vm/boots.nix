# The module boots: the daemon is enrolled, says that it is ready, looks, signs, and listens to nothing.
{ self }:
{
  name = "reconciler-boots";
  nodes.machine = import ./appliance.nix { inherit self; };
  testScript = ''
    ${import ./enrol.nix}
    with subtest("a run is signed"):
        machine.wait_until_succeeds(
            "sudo -u reconciler reconciler verify /var/lib/reconciler/evidence/elm-street.git"
            " --signers /var/lib/reconciler/trust/evidence_signers"
        )
    with subtest("it is not root, and listens to no network socket"):
        pid = machine.succeed("systemctl show --value -p MainPID reconciler.service").strip()
        machine.succeed(f"test $(stat -c %U /proc/{pid}) = reconciler")
        machine.fail(f"ss -Hlntup | grep -q pid={pid},")
    with subtest("new settings reach it without a restart from outside"):
        machine.succeed("systemctl restart reconciler-renew.service")
        machine.wait_until_succeeds(
            f"test $(systemctl show --value -p MainPID reconciler.service) != {pid}"
        )
  '';
}

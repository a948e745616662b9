"""The Linux target on a real systemd machine: what it sees, against what others say."""

import pytest

from tests.support.guest import Guest
from tests.support.target_in_guest import OK, shown, value


class TestUnits:
    UNITS = (
        "ssh.service",
        "nftables.service",
        "restic-backups-nightly.timer",
        "dbus.socket",
        "multi-user.target",
        "apt-daily.timer",
        "no-such.service",
    )

    @pytest.mark.parametrize("way", ["", "through_the_system_bus()"])
    def test_states_are_those_that_systemctl_shows(self, shared_guest: Guest, way: str) -> None:
        seen = value(shared_guest, f"ask(UnitStatus({self.UNITS}))", before=way)["data"]
        assert sorted(seen) == sorted(self.UNITS)
        for unit, state in seen.items():
            wanted = [
                shown(shared_guest, unit, name)
                for name in ("LoadState", "ActiveState", "SubState", "UnitFileState")
            ]
            keys = ("load_state", "active_state", "sub_state", "unit_file_state")
            assert [state[key] for key in keys] == wanted

    def test_a_service_says_since_when_it_runs_and_what_does_not_exist_has_no_result(
        self, shared_guest: Guest
    ) -> None:
        seen = value(shared_guest, f"ask(UnitStatus({self.UNITS}))")["data"]
        since = shared_guest.run(
            "date", "-d", shown(shared_guest, "ssh.service", "ActiveEnterTimestamp"), "+%s"
        )
        assert seen["ssh.service"]["active_since"] == int(since.stdout)
        assert seen["ssh.service"]["result"] == "success"
        assert seen["no-such.service"]["load_state"] == "not-found"
        assert seen["no-such.service"]["result"] == ""

    def test_an_alias_shows_the_unit_it_stands_for(self, shared_guest: Guest) -> None:
        seen = value(shared_guest, "ask(UnitStatus(('chronyd.service', 'sshd.service')))")["data"]
        assert {unit: state["active_state"] for unit, state in seen.items()} == {
            "chronyd.service": "active",
            "sshd.service": "active",
        }

    def test_a_name_that_is_none_is_refused(self, shared_guest: Guest) -> None:
        assert value(shared_guest, "ask(UnitStatus(('getty@.service',)))")["status"] == "error"

    def test_a_name_that_only_systemd_refuses_costs_nobody_else(self, shared_guest: Guest) -> None:
        names = ("@a.service", "ssh.service", "cron.service")
        probes = ", ".join(f"UnitStatus(('{name}',))" for name in names)
        expression = f"[answer.status for answer in target.ask([{probes}], 10).values()]"
        assert value(shared_guest, expression) == ["error", "ok", "ok"]

    def test_failed_units_are_listed(self, guest: Guest) -> None:
        guest.run("systemd-run", "--unit=doomed", "--wait", "false", check=False)
        seen = value(guest, "ask(FailedUnits())")["data"]
        assert seen == {"system_state": "degraded", "failed": ["doomed.service"]}
        state = value(guest, "ask(UnitStatus(('doomed.service',)))")["data"]["doomed.service"]
        assert (state["result"], state["exec_main_status"]) == ("exit-code", 1)
        assert value(guest, "do(UnitJob('reset-failed', 'doomed.service'))") == OK
        assert value(guest, "ask(FailedUnits())")["data"]["failed"] == []

    def test_a_connection_that_systemd_dropped_is_opened_again(self, guest: Guest) -> None:
        probe = "ask(UnitStatus(('ssh.service',)))"
        before = f"""
first = {probe}
os.spawnlp(os.P_WAIT, "systemctl", "systemctl", "daemon-reexec")
"""
        assert value(guest, f"[first, {probe}]", before=before)[1]["status"] == "ok"

    def test_a_user_may_look_too(self, shared_guest: Guest) -> None:
        seen = value(shared_guest, "ask(UnitStatus(('ssh.service',)))", user="clinicadmin")
        assert seen["data"]["ssh.service"]["active_state"] == "active"


class TestBus:
    def test_a_property_of_another_service(self, shared_guest: Guest) -> None:
        probe = (
            "BusProperty('org.freedesktop.login1', '/org/freedesktop/login1',"
            " 'org.freedesktop.login1.Manager', 'StopIdleSessionUSec')"
        )
        seen = value(shared_guest, f"ask({probe})")
        assert seen == {"status": "ok", "data": 900_000_000, "reason": ""}

    def test_a_service_that_is_not_there_is_absent(self, shared_guest: Guest) -> None:
        seen = value(shared_guest, "ask(BusProperty('org.example.No', '/', 'org.example.No', 'X'))")
        assert seen["status"] == "absent"

    def test_no_bus_at_all_says_so(self, shared_guest: Guest) -> None:
        without = 'bus.Buses.__init__.__defaults__ = ("/nowhere", "/nowhere")'
        seen = value(shared_guest, "ask(FailedUnits())", before=without)
        assert seen == {"status": "unsupported", "data": None, "reason": "D-Bus: no system bus"}


class TestKernel:
    def test_sockets_are_those_that_ss_lists_with_their_units(self, shared_guest: Guest) -> None:
        seen = value(shared_guest, "ask(Sockets())")["data"]
        lines = shared_guest.run("ss", "-Hlntu").stdout.splitlines()
        ports = {(line.split()[0], int(line.split()[4].rpartition(":")[2])) for line in lines}
        assert {(row["protocol"], row["port"]) for row in seen} == ports
        owners = {(row["port"], row["unit"], row["loopback"]) for row in seen}
        assert owners == {
            (22, "ssh.service", False),
            (323, "chrony.service", True),
            (8443, "clinic-bridge.service", True),
        }

    def test_a_user_does_not_see_owners(self, shared_guest: Guest) -> None:
        seen = value(shared_guest, "ask(Sockets())", user="clinicadmin")["data"]
        assert {row["unit"] for row in seen if row["port"] == 22} == {None}

    def test_what_systemd_listens_on_for_others_belongs_to_the_socket_unit(
        self, guest: Guest
    ) -> None:
        guest.write("/etc/systemd/system/echo.socket", "[Socket]\nListenStream=0.0.0.0:7777\n")
        guest.write("/etc/systemd/system/echo.service", "[Service]\nExecStart=/bin/sleep 60\n")
        guest.run("systemctl", "daemon-reload")
        guest.run("systemctl", "start", "echo.socket")
        for _ in range(2):
            seen = value(guest, "ask(Sockets())")["data"]
            assert [row["unit"] for row in seen if row["port"] == 7777] == ["echo.socket"]
            guest.run("systemctl", "start", "echo.service")

    def test_the_firewall_is_read(self, shared_guest: Guest) -> None:
        seen = value(shared_guest, "ask(FirewallChains())")["data"]
        chains = {chain["hook"]: chain["policy"] for chain in seen["chains"]}
        assert seen["backend"] == "nftables"
        assert chains == {"input": "drop", "forward": "drop", "output": "accept"}
        assert seen["open_ports"] == ["tcp/22"]

    def test_a_flushed_firewall_is_seen(self, guest: Guest) -> None:
        guest.run("nft", "flush", "ruleset")
        seen = value(guest, "ask(FirewallChains())")["data"]
        assert seen == {"backend": "none", "chains": [], "open_ports": []}

    def test_a_user_is_told_to_become_root(self, shared_guest: Guest) -> None:
        expression = "[ask(FirewallChains()), ask(ReadFile('/etc/shadow'))]"
        wanted = {"status": "denied", "data": None, "reason": "permission denied; needs root"}
        assert value(shared_guest, expression, user="clinicadmin") == [wanted, wanted]

    def test_what_a_container_hides_is_not_answered(self, shared_guest: Guest) -> None:
        seen = value(
            shared_guest, "[ask(p)['status'] for p in (AuditStatus(), AuditRules(), ClockState())]"
        )
        assert seen == ["unsupported", "unsupported", "denied"]

    def test_mount_points_are_told_from_directories(self, guest: Guest) -> None:
        guest.run("mount", "--bind", "/srv", "/mnt")
        paths = ("/", "/run", "/mnt", "/srv", "/etc")
        seen = value(guest, f"[ask(StatFilesystem(p))['data']['mounted'] for p in {paths}]")
        assert seen == [True, True, True, False, False]


class TestCommands:
    def test_sshd_says_its_settings(self, shared_guest: Guest) -> None:
        seen = value(shared_guest, "ask(Command(('sshd', '-T')))")["data"]
        assert seen["exit"] == 0
        assert "permitrootlogin no\n" in seen["stdout"]

    def test_a_program_that_is_not_installed_is_absent(self, shared_guest: Guest) -> None:
        seen = value(shared_guest, "ask(Command(('faillock',)))")
        assert seen["status"] in {"ok", "absent"}
        allow = 'target = LinuxTarget(allow=AllowList(look=frozenset({"no-such-program"})))'
        seen = value(shared_guest, "ask(Command(('no-such-program',)))", before=allow)
        assert (seen["status"], seen["reason"]) == ("absent", "no-such-program is not installed")

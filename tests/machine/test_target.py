"""The Linux target on a real systemd machine: every probe and every operation, seen from outside."""

import json
from typing import Any

import pytest

from tests.support.guest import Guest

_PRELUDE = """
import dataclasses, json, os, sys, time
from reconciler.model.answer import Answer
from reconciler.model.operation import *
from reconciler.model.probe import *
from reconciler.targets.linux import bus
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.target import LinuxTarget

target = LinuxTarget(internal=lambda topic: Answer("ok", {"unix_s": 1_700_000_000}))

def ask(probe, deadline_s=10):
    answer = target.ask([probe], deadline_s)[probe]
    return {"status": answer.status, "data": answer.data, "reason": answer.reason}

def do(operation):
    result = target.carry_out(operation)
    return {"ok": result.ok, "reason": result.reason}

def through_the_system_bus():
    bus.Buses.__init__.__defaults__ = ("/nowhere", bus.SYSTEM)
"""
RESTIC_PASSWORD = "/etc/restic/nightly.password"
RESTIC_REPOSITORY = "/var/backups/restic-nightly"
SCRATCH = "/var/lib/reconciler/scratch/nightly"
RECORD = "/var/lib/reconciler/restore-tests/nightly.json"
RESTORE = f"""do(RestoreSample(
    job="nightly", repository="{RESTIC_REPOSITORY}", password_file="{RESTIC_PASSWORD}",
    scratch="{SCRATCH}", record="{RECORD}", sample_percent=50, timeout_s=120))"""
OK = {"ok": True, "reason": ""}


def value(guest: Guest, expression: str, *, before: str = "", user: str = "root") -> Any:
    """The value of an expression, evaluated in the guest."""
    code = f"{_PRELUDE}\n{before}\nprint(json.dumps({expression}))\n"
    return json.loads(guest.run("python3", "-", input=code, user=user).stdout)


def shown(guest: Guest, unit: str, name: str) -> str:
    return guest.run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()


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

    def test_mount_points_are_told_from_directories(self, shared_guest: Guest) -> None:
        seen = value(
            shared_guest,
            "[ask(StatFilesystem(p))['data']['mounted'] for p in ('/', '/run', '/etc')]",
        )
        assert seen == [True, True, False]


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


class TestUnitOperations:
    @pytest.mark.parametrize("way", ["", "through_the_system_bus()"])
    def test_jobs_are_done_when_they_return(self, guest: Guest, way: str) -> None:
        unit = "clinic-bridge.service"
        started = shown(guest, unit, "MainPID")
        assert value(guest, f"do(UnitJob('restart', '{unit}'))", before=way) == OK
        assert shown(guest, unit, "MainPID") not in {"0", started}
        assert value(guest, f"do(UnitJob('stop', '{unit}'))", before=way) == OK
        assert shown(guest, unit, "ActiveState") == "inactive"
        assert value(guest, f"do(UnitJob('try-restart', '{unit}'))", before=way) == OK
        assert shown(guest, unit, "ActiveState") == "inactive"
        assert value(guest, f"do(UnitJob('start', '{unit}'))", before=way) == OK
        assert shown(guest, unit, "ActiveState") == "active"
        assert value(guest, "do(UnitJob('reload', 'ssh.service'))", before=way) == OK

    def test_a_job_that_fails_says_how(self, guest: Guest) -> None:
        guest.write(
            "/etc/systemd/system/doomed.service", "[Service]\nType=oneshot\nExecStart=false\n"
        )
        guest.run("systemctl", "daemon-reload")
        done = value(guest, "do(UnitJob('start', 'doomed.service'))")
        assert done == {"ok": False, "reason": "start of doomed.service: failed"}
        missing = value(guest, "do(UnitJob('start', 'no-such.service'))")
        assert not missing["ok"]
        assert "no-such.service not found" in missing["reason"]
        assert not value(guest, "do(UnitJob('reload', 'clinic-bridge.service'))")["ok"]

    def test_a_job_that_hangs_is_given_up(self, guest: Guest) -> None:
        guest.write(
            "/etc/systemd/system/slow.service", "[Service]\nType=oneshot\nExecStart=sleep 60\n"
        )
        guest.run("systemctl", "daemon-reload")
        done = value(guest, "do(UnitJob('start', 'slow.service', timeout_s=1))")
        assert done == {"ok": False, "reason": "D-Bus: did not answer in time"}

    @pytest.mark.parametrize("way", ["", "through_the_system_bus()"])
    def test_unit_files_change(self, guest: Guest, way: str) -> None:
        unit = "clinic-bridge.service"
        for verb, state in (
            ("disable", "disabled"),
            ("enable", "enabled"),
            ("unmask", "enabled"),
        ):
            assert value(guest, f"do(UnitFile('{verb}', '{unit}'))", before=way) == OK
            assert shown(guest, unit, "UnitFileState") == state

    @pytest.mark.parametrize("runtime", [(), ("--runtime",)])
    def test_a_mask_is_set_and_taken_off(self, guest: Guest, runtime: tuple[str, ...]) -> None:
        guest.run("systemctl", "mask", *runtime, "chrony.service")
        assert value(guest, "do(UnitFile('unmask', 'chrony.service'))") == OK
        assert shown(guest, "chrony.service", "LoadState") == "loaded"
        assert value(guest, "do(UnitFile('mask', 'chrony.service'))") == OK
        assert shown(guest, "chrony.service", "LoadState") == "masked"

    def test_limits_are_set_and_lifted(self, guest: Guest) -> None:
        unit = "clinic-bridge.service"
        for name, number, text in (
            ("CPUQuotaPerSecUSec", 250_000, "250ms"),
            ("MemoryHigh", 67_108_864, "67108864"),
            ("IOWeight", 50, "50"),
        ):
            assert value(guest, f"do(UnitProperty('{unit}', '{name}', {number}))") == OK
            assert shown(guest, unit, name) == text
            assert value(guest, f"do(UnitProperty('{unit}', '{name}', None))") == OK
            assert shown(guest, unit, name) in {"infinity", "[not set]"}

    def test_new_unit_files_are_read(self, guest: Guest) -> None:
        guest.write("/etc/systemd/system/ssh.service.d/x.conf", "[Unit]\nDescription=changed\n")
        assert shown(guest, "ssh.service", "NeedDaemonReload") == "yes"
        assert value(guest, "do(DaemonReload())") == OK
        assert shown(guest, "ssh.service", "Description") == "changed"

    def test_a_user_may_not(self, shared_guest: Guest) -> None:
        done = value(shared_guest, "do(UnitJob('stop', 'ssh.service'))", user="clinicadmin")
        assert done == {"ok": False, "reason": "permission denied; needs root"}


class TestOtherOperations:
    def test_files_sysctls_and_programs(self, guest: Guest) -> None:
        write = "do(WriteFile('/etc/motd', b'hello\\n', mode=0o640, gid=4))"
        assert value(guest, write) == OK
        assert guest.run("stat", "-c", "%a %u %g %s", "/etc/motd").stdout == "640 0 4 6\n"
        assert value(guest, "do(SetAccess('/etc/motd', 0o600, 0, 0))") == OK
        assert guest.run("stat", "-c", "%a %u %g", "/etc/motd").stdout == "600 0 0\n"
        guest.run("sysctl", "-w", "net.ipv4.tcp_syncookies=0")
        assert value(guest, "do(WriteSysctl('net.ipv4.tcp_syncookies', '1'))") == OK
        assert guest.read("/proc/sys/net/ipv4/tcp_syncookies") == "1\n"
        guest.run("nft", "flush", "ruleset")
        assert value(guest, "do(Run(('nft', '-f', '/etc/nftables.conf')))") == OK
        assert "policy drop" in guest.run("nft", "list", "ruleset").stdout

    def test_waiting_sees_a_unit_come_up(self, guest: Guest) -> None:
        guest.run("systemctl", "stop", "clinic-bridge.service")
        guest.run("systemd-run", "--on-active=1", "systemctl", "start", "clinic-bridge.service")
        wait = "WaitUntil(UnitStatus(('clinic-bridge.service',)), 'clinic-bridge.service.active_state', ('active',), {})"
        late = value(guest, f"do({wait.format(0)})")
        assert late["reason"].startswith("waited 0 s")
        assert value(guest, f"do({wait.format(20)})") == OK


class TestRestore:
    def test_a_good_backup_leaves_a_record_and_no_scratch(self, guest: Guest) -> None:
        assert value(guest, RESTORE) == OK
        record = json.loads(guest.read(RECORD))
        assert record["job"] == "nightly"
        assert record["finished_at"] == 1_700_000_000
        assert record["files"] >= 4
        assert all(isinstance(record[key], int) for key in ("files", "bytes", "seconds"))
        assert guest.run("test", "-e", SCRATCH, check=False).returncode == 1

    def test_what_an_interrupted_test_left_is_removed(self, guest: Guest) -> None:
        guest.write(f"{SCRATCH}/left/behind", "a patient's file")
        assert value(guest, RESTORE) == OK
        assert guest.run("test", "-e", SCRATCH, check=False).returncode == 1

    def test_a_damaged_backup_leaves_no_record_and_no_scratch(self, guest: Guest) -> None:
        damage = f"for f in $(find {RESTIC_REPOSITORY}/data -type f -size +8k); do printf xxxx | dd of=$f bs=1 seek=4000 conv=notrunc; done"
        guest.run("sh", "-c", damage)
        done = value(guest, RESTORE.replace("sample_percent=50", "sample_percent=100"))
        assert not done["ok"]
        assert done["reason"].startswith("restic restore exited with 1")
        assert guest.run("test", "-e", RECORD, check=False).returncode == 1
        assert guest.run("test", "-e", SCRATCH, check=False).returncode == 1

    def test_a_wrong_password_leaves_no_record(self, guest: Guest) -> None:
        guest.write(RESTIC_PASSWORD, "wrong\n", mode=0o600)
        done = value(guest, RESTORE)
        assert done["reason"].startswith("restic snapshots exited with 1")
        assert guest.run("test", "-e", RECORD, check=False).returncode == 1

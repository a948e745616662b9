"""The Linux target on a real systemd machine: what it does, seen by others."""

import json

import pytest

from tests.support.guest import Guest
from tests.support.target_in_guest import OK, shown, value

RESTIC_PASSWORD = "/etc/restic/nightly.password"
RESTIC_REPOSITORY = "/var/backups/restic-nightly"
SCRATCH = "/var/lib/reconciler/scratch/nightly"
RECORD = "/var/lib/reconciler/restore-tests/nightly.json"
RESTORE = f"""do(RestoreSample(
    job="nightly", repository="{RESTIC_REPOSITORY}", password_file="{RESTIC_PASSWORD}",
    scratch="{SCRATCH}", record="{RECORD}", sample_percent=50, timeout_s=120))"""


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
        assert not value(guest, "do(UnitJob('reload', 'chrony.service'))")["ok"]

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
        unit = "clinic-bridge.service"
        wait = f"WaitUntil(UnitStatus(('{unit}',)), '{unit}.active_state', ('active',), {{}})"
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
        packs = f"find {RESTIC_REPOSITORY}/data -type f -size +8k"
        spoil = "dd of=$f bs=1 seek=4000 conv=notrunc"
        damage = f"for f in $({packs}); do printf xxxx | {spoil}; done"
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

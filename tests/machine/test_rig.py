"""The rig proves itself: the guest is real, healthy, harmless to the host, and gone afterwards."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.cgroup import hierarchies
from tests.support.commands import CommandFailed
from tests.support.guest import Guest
from tests.support.image import PROJECT, Image
from tests.support.leftovers import NSPAWN_SHARED, RIG_ROOT, sweep

pytestmark = pytest.mark.machine

CAP_SYS_TIME = 25
RESTIC = {
    "HOME": "/root",
    "RESTIC_REPOSITORY": "/var/backups/restic-nightly",
    "RESTIC_PASSWORD_FILE": "/etc/restic/nightly.password",
}
PORTAL = "/etc/ssl/clinic/portal.crt"
CA = "/etc/ssl/clinic/ca.crt"


def traces(name: str) -> list[str]:
    """Names on the host that contain `name`: mounts, namespaces, groups, directories."""
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if name in line]
    directories = (Path("/run/netns"), RIG_ROOT, NSPAWN_SHARED, *hierarchies())
    return mounts + [str(p) for d in directories if d.is_dir() for p in d.glob(f"*{name}*")]


def served_fingerprint(guest: Guest) -> str:
    handshake = ("s_client", "-connect", "127.0.0.1:8443", "-CAfile", CA, "-verify_return_error")
    chain = guest.run("openssl", *handshake).stdout
    return guest.run("openssl", "x509", "-noout", "-fingerprint", input=chain).stdout


class TestHealthy:
    def test_systemd_is_running_and_no_unit_failed(self, shared_guest: Guest) -> None:
        assert shared_guest.run("systemctl", "is-system-running").stdout == "running\n"
        assert shared_guest.run("systemctl", "--failed", "--output=json").stdout.strip() == "[]"

    @pytest.mark.parametrize(
        "unit",
        [
            "ssh.service",
            "chrony.service",
            "nftables.service",
            "clinic-bridge.service",
            "restic-backups-nightly.timer",
        ],
    )
    def test_unit_is_active_and_enabled(self, shared_guest: Guest, unit: str) -> None:
        assert shared_guest.run("systemctl", "is-active", unit).stdout == "active\n"
        assert shared_guest.run("systemctl", "is-enabled", unit).stdout == "enabled\n"

    def test_firewall_drops_what_it_does_not_know(self, shared_guest: Guest) -> None:
        ruleset = json.loads(shared_guest.run("nft", "-j", "list", "ruleset").stdout)["nftables"]
        chains = [item["chain"] for item in ruleset if "chain" in item]
        policies = {chain["hook"]: chain["policy"] for chain in chains}
        assert policies == {"input": "drop", "forward": "drop", "output": "accept"}

    def test_clock_follows_three_time_servers(self, shared_guest: Guest) -> None:
        tracking = shared_guest.run("chronyc", "-c", "tracking").stdout.strip().split(",")
        assert abs(float(tracking[4])) < 0.1
        assert tracking[13] == "Normal"
        sources = shared_guest.run("chronyc", "-c", "sources").stdout.splitlines()
        reachable = [line for line in sources if line.split(",")[5] != "0"]
        assert len(reachable) == 3

    def test_ssh_daemon_is_hardened(self, shared_guest: Guest) -> None:
        settings = shared_guest.run("sshd", "-T").stdout.splitlines()
        assert "permitrootlogin no" in settings
        assert "passwordauthentication no" in settings
        assert "kbdinteractiveauthentication no" in settings
        assert "authorizedkeysfile /etc/ssh/authorized_keys.d/%u" in settings

    def test_administrator_logs_in_with_the_declared_key(self, shared_guest: Guest) -> None:
        assert shared_guest.ssh("id", "-un") == "clinicadmin\n"

    def test_root_has_no_password(self, shared_guest: Guest) -> None:
        entry = shared_guest.run("getent", "shadow", "root").stdout
        assert entry.split(":")[1].startswith(("!", "*"))

    def test_certificate_is_private_valid_and_served(self, shared_guest: Guest) -> None:
        three_weeks = str(21 * 24 * 3600)
        shared_guest.run("openssl", "verify", "-CAfile", CA, PORTAL)
        shared_guest.run("openssl", "x509", "-in", PORTAL, "-noout", "-checkend", three_weeks)
        on_disk = shared_guest.run("openssl", "x509", "-in", PORTAL, "-noout", "-fingerprint")
        assert served_fingerprint(shared_guest) == on_disk.stdout
        key = shared_guest.run("stat", "-c", "%a %U", "/etc/ssl/clinic/portal.key")
        assert key.stdout == "600 root\n"

    def test_backup_is_fresh_and_whole(self, shared_guest: Guest) -> None:
        found = shared_guest.run("restic", "snapshots", "--json", "--no-lock", env=RESTIC)
        # Two, when the guest was started just before its own nightly backup.
        *_, snapshot = json.loads(found.stdout)
        assert snapshot["paths"] == ["/srv/clinic"]
        assert snapshot["hostname"] == "frontdesk"
        shared_guest.run("restic", "check", "--no-lock", "--read-data", env=RESTIC)

    def test_journal_is_on_disk_and_intact(self, shared_guest: Guest) -> None:
        machine = shared_guest.read("/etc/machine-id").strip()
        files = shared_guest.run("ls", f"/var/log/journal/{machine}").stdout.split()
        assert "system.journal" in files
        shared_guest.run("journalctl", "--verify", "--quiet")

    def test_network_settings_are_applied_in_the_guest(self, shared_guest: Guest) -> None:
        wanted = shared_guest.read("/etc/sysctl.d/60-clinic.conf").split("\n")
        for setting in filter(None, wanted):
            name, value = setting.split(" = ")
            assert shared_guest.run("sysctl", "-n", name).stdout.strip() == value, name


class TestRealServices:
    def test_firewall_keeps_an_undeclared_listener_from_the_network(self, guest: Guest) -> None:
        guest.run("systemd-run", "--unit=stray", "python3", "-m", "http.server", "9999")
        connect = ("bash", "-c", f"exec 3<>/dev/tcp/{guest.address}/9999")
        guest.until("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9999")
        with pytest.raises(CommandFailed, match="exit 124"):
            guest.lan.call("timeout", "1", *connect)
        guest.run("nft", "flush", "ruleset")
        guest.lan.call("timeout", "5", *connect)

    def test_renewed_certificate_is_served_after_a_reload(self, guest: Guest) -> None:
        before = served_fingerprint(guest)
        guest.run("systemctl", "start", "acme-portal.service")
        assert served_fingerprint(guest) == before
        guest.run("systemctl", "reload", "clinic-bridge.service")
        assert served_fingerprint(guest) != before

    def test_nightly_backup_adds_a_snapshot(self, guest: Guest) -> None:
        before = self.snapshots(guest)
        guest.run("systemctl", "start", "restic-backups-nightly.service")
        assert before < self.snapshots(guest)

    def snapshots(self, guest: Guest) -> set[str]:
        found = guest.run("restic", "snapshots", "--json", "--no-lock", env=RESTIC)
        return {snapshot["id"] for snapshot in json.loads(found.stdout)}

    def test_wrong_time_servers_are_seen(self, guest: Guest) -> None:
        guest.lan.set_time_servers(offset=300)
        guest.run("systemctl", "restart", "chrony.service")
        guest.run("chronyc", "waitsync", "200", "0", "0", "0.1", timeout=30)
        offset = guest.run("chronyc", "-c", "tracking").stdout.split(",")[4]
        assert 299 < abs(float(offset)) < 301

    def test_service_that_dies_is_a_failed_unit(self, guest: Guest) -> None:
        guest.run("systemctl", "kill", "--signal=KILL", "clinic-bridge.service")
        guest.until("systemctl", "is-failed", "clinic-bridge.service")
        state = guest.run("systemctl", "is-system-running", check=False)
        assert state.stdout == "degraded\n"


class TestHarmless:
    def test_guest_may_not_set_the_clock(self, shared_guest: Guest) -> None:
        status = shared_guest.run("cat", "/proc/self/status").stdout
        bounding = int(status.split("CapBnd:")[1].split()[0], 16)
        assert not bounding >> CAP_SYS_TIME & 1
        # The true time, so that even a broken rig would not hurt the host.
        refused = shared_guest.run("date", "-s", f"@{int(time.time())}", check=False)
        assert refused.returncode != 0
        assert "cannot set date" in refused.stderr

    def test_guest_has_its_own_network(self, shared_guest: Guest) -> None:
        addresses = json.loads(shared_guest.run("ip", "-j", "addr").stdout)
        assert {link["ifname"] for link in addresses} == {"lo", "eth0"}

    def test_project_is_read_only_in_the_guest(self, shared_guest: Guest) -> None:
        refused = shared_guest.run("touch", "/opt/reconciler/src/x", check=False)
        assert "Read-only file system" in refused.stderr

    def test_two_guests_share_a_network_and_nothing_else(
        self, shared_guest: Guest, rootfs: Image
    ) -> None:
        with Guest.boot(rootfs, "other", lan=shared_guest.lan, address="192.0.2.21") as other:
            assert other.ssh("id", "-un") == "clinicadmin\n"
            other.run("systemctl", "stop", "ssh.service")
            with pytest.raises(CommandFailed, match="Connection refused"):
                other.ssh("true")
            assert shared_guest.run("systemctl", "is-active", "ssh").stdout == "active\n"
            assert shared_guest.ssh("true") == ""

    def test_killed_guest_leaves_no_trace(self, rootfs: Image) -> None:
        with Guest.boot(rootfs, "shortlived") as doomed:
            (lan,) = {doomed.lan.netns}
            assert traces("shortlived") != []
        assert traces("shortlived") == []
        assert not Path("/run/netns", lan).exists()

    def test_guest_of_a_killed_test_process_is_swept(self, rootfs: Image) -> None:
        script = (
            "import os, signal, sys; from pathlib import Path\n"
            "from tests.support.guest import Guest; from tests.support.image import Image\n"
            "paths = [Path(p) for p in sys.argv[1:]]\n"
            "Guest.boot(Image(tuple(paths[2:]), paths[0], paths[1]), 'orphan')\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        image = (rootfs.site_packages, rootfs.admin_key, *rootfs.layers)
        argv = [sys.executable, "-c", script, *map(str, image)]
        killed = subprocess.run(argv, cwd=PROJECT, check=False, timeout=60)
        assert killed.returncode == -9
        assert traces("orphan") != []
        sweep()
        assert traces("orphan") == []


class TestCommands:
    def test_reconciler_and_what_it_needs_can_be_imported(self, shared_guest: Guest) -> None:
        wanted = "click, cryptography.x509, pydantic, pygit2, yaml, reconciler"
        script = f"import {wanted}; print(pygit2.__file__, reconciler.__file__)"
        found = shared_guest.run("python3", "-I", "-c", script).stdout.split()
        assert found[0].startswith("/opt/reconciler/site-packages/")
        assert found[1] == "/opt/reconciler/src/reconciler/__init__.py"

    def test_reconciler_is_on_the_path(self, shared_guest: Guest) -> None:
        assert shared_guest.run("reconciler", "--help").stdout.startswith("Usage:")

    def test_input_output_status_and_user_go_through(self, shared_guest: Guest) -> None:
        assert shared_guest.run("cat", input="hé\n").stdout == "hé\n"
        failed = shared_guest.run("sh", "-c", "echo no >&2; exit 7", check=False)
        assert (failed.returncode, failed.stderr) == (7, "no\n")
        assert shared_guest.run("id", "-un", user="clinicadmin").stdout == "clinicadmin\n"
        with pytest.raises(CommandFailed, match="exit 1"):
            shared_guest.run("false")

    def test_command_that_hangs_is_killed_in_the_guest(self, shared_guest: Guest) -> None:
        with pytest.raises(CommandFailed, match="still running after 1 s"):
            shared_guest.run("sleep", "300", timeout=1)
        assert shared_guest.run("pgrep", "-x", "sleep", check=False).stdout == ""

    def test_files_go_in_and_out_unchanged(self, shared_guest: Guest) -> None:
        content = bytes(range(256)) * 1000
        shared_guest.write("/root/new/file", content, mode=0o600)
        assert shared_guest.read_bytes("/root/new/file") == content
        assert shared_guest.run("stat", "-c", "%a", "/root/new/file").stdout == "600\n"
        (shared_guest.share / "hello").write_text("from the host")
        assert shared_guest.read("/share/hello") == "from the host"


class TestReset:
    def test_next_guest_knows_nothing_of_the_last(self, rootfs: Image) -> None:
        with Guest.boot(rootfs) as first:
            first.run("systemctl", "disable", "--now", "chrony.service")
            first.write("/etc/broken", "yes")
        with Guest.boot(rootfs) as second:
            assert second.run("systemctl", "is-active", "chrony.service").stdout == "active\n"
            assert second.run("test", "-e", "/etc/broken", check=False).returncode == 1

    def test_disk_outlives_a_power_cut(self, guest: Guest) -> None:
        guest.write("/var/lib/kept", "still here")
        guest.cut_power()
        with pytest.raises(CommandFailed, match="switched off"):
            guest.run("true")
        guest.power_on()
        assert guest.read("/var/lib/kept") == "still here"

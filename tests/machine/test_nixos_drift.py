"""Each kind of change beside the configuration, made in a NixOS guest and found by its name.

All changes are made at once, then the machine is looked at once: every name must be there, and no
other. Activation must then take back what is Nix's, and nothing else.

The guest's Debian brings files that its configuration cannot declare (profiles, PAM, authorities),
and the rig mounts what it needs: what a pristine guest shows is taken off before anything is
compared. Kernel modules cannot be shown here, for the guest has the host's kernel; the same probe
reads other directories in `tests/unit/targets/linux/test_kernel_modules.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from reconciler.model.authorized_key import key_of
from reconciler.model.scrub import scrub_value
from tests.support.guest import ADMIN
from tests.support.nixos_base import FIREWALL, KEYS, SSHD
from tests.support.nixos_guest import NixosGuest, NixosSite
from tests.support.nixos_looking import Look, look

pytestmark = pytest.mark.nix

STRANGER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBkQ2yYhVb5w1B0kq3o0o2h8mC8mJm5p1u1x2w9Zc0aB x"
PRINT = getattr(key_of(STRANGER), "fingerprint", "")
SERVICE = "[Service]\\nExecStart=/bin/sleep inf\\n"
LISTENER = "import socket, time; s = socket.create_server(('0.0.0.0', 4444)); time.sleep(600)"
INPUT = (
    "nft -j list chains | python3 -c \"import json, sys; print(next('%(family)s %(table)s %(name)s'"
    " % c['chain'] for c in json.load(sys.stdin)['nftables']"
    " if c.get('chain', {}).get('hook') == 'input'))\""
)

Found = set[tuple[str, str, str]]
"""Check, list, name."""


@dataclass(frozen=True)
class Change:
    """A change, the check and list that have its name, and how it is undone.

    Attributes:
        undo: A script; empty where activation takes it back.
    """

    check: int
    kind: str
    name: str
    script: str
    undo: str = ""

    @property
    def found(self) -> tuple[str, str, str]:
        return f"LNX-EXP-{self.check:03}", self.kind, self.name

    def __str__(self) -> str:
        return ":".join(self.found)


def put(text: str, path: str) -> str:
    return f"mkdir -p {path.rpartition('/')[0]}; printf '{text}' > {path}"


def vanish(name: str) -> str:
    """Start a unit, and take its file away."""
    file = f"{RUN}/{name}.service"
    return f"{put(SERVICE, file)}; systemctl start {name}; rm {file}"


RUN, CONTROL = "/run/systemd/system", "/etc/systemd/system.control"
OF_ROOT = "/root/.config/systemd/user"
PAM = "/etc/pam.d"
CRONTABS = "/var/spool/cron/crontabs"
CHANGES = (
    Change(1, "undeclared", "backdoor.service", put(SERVICE, f"{RUN}/backdoor.service"),
           f"rm {RUN}/backdoor.service"),
    Change(1, "undeclared", "lasting.service", put(SERVICE, f"{CONTROL}/lasting.service"),
           f"rm {CONTROL}/lasting.service"),
    Change(1, "undeclared", "implant.service", "systemd-run -q --unit=implant sleep inf",
           "systemctl stop implant"),
    Change(1, "missing", "chrony.service", "systemctl stop chrony"),
    Change(1, "different", "clinic-bridge.service", "systemctl mask --runtime clinic-bridge",
           f"rm {RUN}/clinic-bridge.service; systemctl daemon-reload"),
    Change(2, "undeclared", "ssh.service.d/evil.conf",
           put("[Service]\\nEnvironment=A=1\\n", f"{RUN}/ssh.service.d/evil.conf"),
           f"rm -r {RUN}/ssh.service.d"),
    Change(2, "undeclared", "ssh.service.d/50-CPUWeight.conf",
           "systemctl set-property ssh.service CPUWeight=200",
           f"rm -r {CONTROL}/ssh.service.d"),
    Change(2, "undeclared", "journald.conf.d/quiet.conf",
           put("[Journal]\\n", "/run/systemd/journald.conf.d/quiet.conf"),
           "rm -r /run/systemd/journald.conf.d"),
    Change(2, "undeclared", "chrony.service.d", f"ln -s /var/tmp {RUN}/chrony.service.d",
           f"rm {RUN}/chrony.service.d"),
    Change(1, "undeclared", "user/agent.service",
           put(SERVICE, "/run/systemd/user/agent.service"), "rm -r /run/systemd/user"),
    Change(1, "undeclared", "user/beacon.service",
           put(SERVICE, f"{OF_ROOT}/beacon.service"), f"rm -r {OF_ROOT}"),
    Change(1, "undeclared", "*.mount", put("[Mount]\\nWhat=/x\\n", f"{RUN}/media-x.mount"),
           f"rm {RUN}/media-x.mount"),
    # One that systemd was told to forget the file of, and one that it remembers.
    Change(1, "undeclared", "shade.service",
           vanish("shade") + "; systemctl daemon-reload", "systemctl stop shade"),
    Change(1, "undeclared", "ghost.service",
           vanish("ghost"), "systemctl stop ghost"),
    Change(2, "undeclared", "userdb/eve.user", put("{}", "/run/userdb/eve.user"),
           "rm -r /run/userdb"),
    Change(2, "undeclared", "run/sysctl.d", "ln -sT /var/tmp /run/sysctl.d", "rm /run/sysctl.d"),
    Change(3, "different", "net.ipv4.tcp_syncookies=0", "sysctl -qw net.ipv4.tcp_syncookies=0"),
    Change(4, "undeclared", "mallory", "useradd --no-user-group --shell /bin/sh mallory"),
    Change(4, "undeclared", "group:intruders", "groupadd intruders"),
    Change(4, "undeclared", "group:sudo:nobody", "usermod -aG sudo nobody"),
    Change(4, "different", f"{ADMIN}:shell", f"usermod -s /bin/false {ADMIN}"),
    Change(5, "undeclared", f"{ADMIN}:{PRINT}", f"echo '{STRANGER}' >> /etc/{KEYS}"),
    Change(5, "undeclared", f"root:{PRINT}", put(STRANGER, "/root/.ssh/authorized_keys"),
           "rm /root/.ssh/authorized_keys"),
    Change(1, "undeclared", "listener.service",
           f'systemd-run -q --unit=listener python3 -c "{LISTENER}"'),
    Change(6, "undeclared", "tcp/4444 listener.service",
           "until ss -Hltn 'sport = 4444' | grep -q .; do sleep 0.1; done",
           "systemctl stop listener"),
    Change(7, "undeclared", "tcp/8080", f"nft insert rule $({INPUT}) tcp dport 8080 accept"),
    Change(9, "missing", "chrony.service", ":"),
    Change(10, "different", "permitrootlogin",
           f"sed -i 's/^PermitRootLogin.*/PermitRootLogin yes/' /etc/{SSHD}"),
    Change(14, "different", SSHD, ":"),
    Change(11, "undeclared", "var/tmp/rootshell", "install -m 4755 /bin/sh /var/tmp/rootshell",
           "rm /var/tmp/rootshell"),
    Change(11, "undeclared", "wrappers/rootshell",
           "install -m 4755 /bin/sh /run/wrappers/bin/rootshell"),
    Change(11, "different", "passwd:file",
           "install -m 4555 /bin/sh /tmp/p; mv /tmp/p /run/wrappers/bin/passwd"),
    Change(11, "different", "sudo:mode", "chmod 4777 /run/wrappers/bin/sudo"),
    Change(12, "undeclared", "crontab:mallory", put("* * * * * id", f"{CRONTABS}/mallory"),
           f"rm {CRONTABS}/mallory"),
    Change(12, "undeclared", "cron.d/evil", put("* * * * * root id", "/etc/cron.d/evil"),
           "rm /etc/cron.d/evil"),
    Change(12, "undeclared", "cron.d/mine",
           "ln -s $(readlink -f /etc/nix/nix.conf) /etc/cron.d/mine", "rm /etc/cron.d/mine"),
    Change(1, "undeclared", "beacon.service", ":"),
    Change(12, "undeclared", "beacon.timer",
           "systemd-run -q --unit=beacon --on-calendar=daily id", "systemctl stop beacon.timer"),
    Change(12, "missing", "restic-backups-nightly.timer",
           "systemctl stop restic-backups-nightly.timer"),
    Change(16, "missing", "backup:nightly", ":"),
    Change(16, "missing", "certificate:portal", "mv /etc/ssl/clinic/portal.crt /var/tmp",
           "mv /var/tmp/portal.crt /etc/ssl/clinic"),
    Change(14, "different", FIREWALL, f"cp /etc/{FIREWALL} /tmp/f; mv /tmp/f /etc/{FIREWALL}"),
    Change(14, "missing", "nix/nix.conf", "rm /etc/nix/nix.conf"),
    Change(14, "different", KEYS, f"chmod 0666 /etc/{KEYS}"),
    Change(14, "undeclared", "ld.so.preload", ": > /etc/ld.so.preload", "rm /etc/ld.so.preload"),
    Change(14, "undeclared", "ld-nix.so.preload", ": > /etc/ld-nix.so.preload",
           "rm /etc/ld-nix.so.preload"),
    Change(15, "undeclared", "backdoor", put("auth sufficient pam_permit.so", f"{PAM}/backdoor"),
           f"rm {PAM}/backdoor"),
    Change(8, "different", "noexec /run/lock", "mount -o remount,exec /run/lock",
           "mount -o remount,noexec /run/lock"),
    Change(8, "undeclared", "/etc/machine-info", "touch /run/other /etc/machine-info;"
           " mount --bind /run/other /etc/machine-info",
           "umount /etc/machine-info; rm /etc/machine-info /run/other"),
    # Whatever the rig has mounted from a disk; which that is differs from machine to machine.
    Change(8, "undeclared", "/mnt",
           "for at in $(awk '$3 !~ /^0:/ {print $5}' /proc/1/mountinfo); do"
           " if [ -d $at ]; then mount --bind $at /mnt; break; fi; done", "umount /mnt"),
)  # fmt: skip
OF_THE_RIG = {f"LNX-EXP-{number:03}" for number in (8, 12, 14, 15)}
"""Mounts of the rig; jobs, files and PAM services of Debian."""

FOLLOW = {"listener.service": "tcp/4444 listener.service", "beacon.service": "beacon.timer"}
"""What is undone together with another change."""


@dataclass
class Machine:
    """A guest, its trusted system, and what is there before anything was changed."""

    guest: NixosGuest
    system: str
    before: Mapping[str, Look]

    def new(self) -> Found:
        """What is listed now and was not before."""
        return _named(look(self.guest, self.system)) - _named(self.before)

    def activate(self) -> None:
        """What the runbook does: activate the same system again, restart what it names for that."""
        self.guest.switch(self.system, "test")
        units = self.before["LNX-EXP-003"].values["reapply"]
        self.guest.run("systemctl", "restart", *units)

    def sh(self, scripts: Sequence[str]) -> None:
        self.guest.run("sh", "-ec", "\n".join(scripts))


def _named(looks: Mapping[str, Look]) -> Found:
    return {
        (check, kind, name)
        for check, one in looks.items()
        if check.startswith("LNX-EXP") and one.sight == "seen"
        for kind, names in one.drift.items()
        for name in names
    }


@pytest.fixture(scope="module")
def machine(nixos: NixosSite) -> Iterator[Machine]:
    with nixos.boot("drift") as guest:
        guest.wait_for_clock()
        yield Machine(guest, nixos.base_path, look(guest, nixos.base_path))


@pytest.fixture(scope="module")
def changed(machine: Machine) -> Found:
    """What is found when every change was made."""
    machine.sh([change.script for change in CHANGES])
    return machine.new()


@pytest.fixture(scope="module")
def activated(machine: Machine, changed: Found) -> Found:
    """What is found after activation."""
    assert changed
    machine.activate()
    return machine.new()


@pytest.fixture(scope="module")
def undone(machine: Machine, activated: Found) -> Found:
    """What is found when a person took away the rest."""
    assert activated
    machine.sh([change.undo for change in CHANGES if change.undo])
    return machine.new()


def test_a_machine_that_nobody_changed_has_no_drift(machine: Machine) -> None:
    assert {check for check, _, _ in _named(machine.before)} == OF_THE_RIG


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_change_is_found_by_its_name(changed: Found, change: Change) -> None:
    assert change.found in changed
    assert scrub_value((change.name,)) == (change.name,), "evidence would not say it"


def test_nothing_else_is_found(changed: Found) -> None:
    assert changed - {change.found for change in CHANGES} == set()


def test_activation_takes_back_what_is_nix_s_and_nothing_else(activated: Found) -> None:
    people = {change.name for change in CHANGES if change.undo}
    left = {c.found for c in CHANGES if c.undo or FOLLOW.get(c.name) in people}
    assert activated == left


def test_what_people_took_away_is_gone(undone: Found) -> None:
    assert undone == set()


def test_a_hardened_service_sees_the_same(machine: Machine, undone: Found) -> None:
    strict = ("ProtectSystem=strict", "ProtectHome=read-only", "ProtectKernelTunables=yes")
    assert undone == set()
    seen = look(machine.guest, machine.system, within=(*strict, "SetCredential=key:x"))
    assert _named(seen) == _named(machine.before)


def test_who_sees_another_tmp_does_not_vouch_for_it(machine: Machine, undone: Found) -> None:
    check = "LNX-EXP-011"
    assert undone == set()
    seen = look(machine.guest, machine.system, check, within=("PrivateTmp=yes",))[check]
    assert seen.sight == "unobserved"
    assert "this process sees other files than the machine: /tmp" in seen.reason


def test_a_firewall_that_was_flushed_is_loaded_again(machine: Machine, undone: Found) -> None:
    assert undone == set()
    machine.sh(["nft flush ruleset"])
    check = "LNX-EXP-007"
    assert machine.new() == {(check, "different", "backend"), (check, "missing", "tcp/22")}
    machine.activate()
    assert machine.new() == set()


def test_a_port_that_nobody_holds_any_more_is_missed(machine: Machine, undone: Found) -> None:
    assert undone == set()
    machine.sh(["systemctl stop ssh.service"])
    stopped = {("LNX-EXP-001", "missing", "ssh.service"), ("LNX-EXP-006", "missing", "tcp/22")}
    assert machine.new() == stopped
    machine.activate()
    assert machine.new() == set()


def test_a_source_that_was_added_to_the_clock_is_named(machine: Machine, undone: Found) -> None:
    assert undone == set()
    machine.guest.until("chronyc", "tracking")
    machine.sh(["chronyc add server 192.0.2.99"])
    assert machine.new() == {("LNX-EXP-009", "undeclared", "192.0.2.99")}
    machine.activate()
    machine.guest.until("chronyc", "tracking")
    assert machine.new() == set()


def test_a_path_of_the_store_that_does_not_verify_is_named(machine: Machine, undone: Found) -> None:
    assert undone == set()
    guest = machine.guest
    file = guest.run("readlink", "-f", "/etc/nix/nix.conf").stdout.strip()
    damaged = "/".join(file.split("/")[:4])

    machine.sh(["mkdir -p /var/lib/reconciler"])

    def corrupt() -> list[str]:
        done = guest.run("reconciler", "store", "verify", check=False)
        assert done.returncode in (0, 1), done.stderr
        now = int(guest.run("date", "+%s").stdout)
        seen = look(guest, machine.system, "LNX-SYS-003", now=now)["LNX-SYS-003"]
        assert seen.sight == "seen", seen.reason
        return list(seen.values["corrupt"])

    assert corrupt() == []
    machine.sh([f"cp {file} /tmp/kept", f"chmod u+w {file}", f"echo '# more' >> {file}"])
    assert corrupt() == [damaged]
    machine.sh([f"cat /tmp/kept > {file}", f"chmod u-w {file}"])
    assert corrupt() == []

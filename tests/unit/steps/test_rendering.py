import pytest

from reconciler.errors import InputError, Unobservable
from reconciler.model.operation import (
    Operation,
    RestoreSample,
    Run,
    SetAccess,
    UnitFile,
    UnitJob,
    UnitProperty,
    WaitUntil,
    WriteFile,
    WriteSysctl,
)
from reconciler.model.probe import Command, UnitStatus
from reconciler.model.system_operation import (
    Realise,
    RebootInto,
    RepairPath,
    SetProfile,
    StageBoot,
    SwitchSystem,
)
from reconciler.model.values import Value
from reconciler.steps import catalogue
from reconciler.steps.shared.nftables import ruleset
from reconciler.steps.unit_limit import object_path
from reconciler.testing.fake_machine import FakeFile, FakeMachine, FakeUnit
from reconciler.testing.fake_system import nixos_links
from tests.support.stepping import rendered

SYSTEM = "/nix/store/00000000000000000000000000000001-nixos-system-desk-1"
UNIT = {"unit": "a.service"}
ACCESS = {"path": "/etc/secret", "mode": "0600", "uid": 0, "gid": 42}
RESTIC = {"repository": "/srv/repo", "password_file": "/etc/pw"}
STRANGE = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICscorPsvNg/E3ZYdf+6ZLcWEV9OpPTVKI+kWqInSU27\n"
ENVIRONMENT = (("RESTIC_PASSWORD_FILE", "/etc/pw"), ("RESTIC_REPOSITORY", "/srv/repo"))


def machine() -> FakeMachine:
    return FakeMachine(
        files={
            "/etc/secret": FakeFile(b"s", 0o644, 7, 7),
            "/etc/passwd": FakeFile(
                b"root:x:0:0::/root:/bin/sh\nclinicadmin:x:1000:1000::/home/c:/bin/sh\n"
                b"mallory:x:1001:1001::/home/m:/bin/sh\n"
            ),
            "/etc/shadow": FakeFile(b"clinicadmin:!:1::::::\nmallory:!:1::::::\n", 0o640),
            "/home/m/.ssh/authorized_keys": FakeFile(STRANGE, 0o600, 1001, 1001),
        },
        units={
            "a.service": FakeUnit("failed", "masked"),
            "b.service": FakeUnit("active", "enabled"),
            "b.timer": FakeUnit("inactive", "disabled"),
        },
        sysctls={"net.ipv4.ip_forward": "1", "net.ipv4.tcp_rmem": "1\t2\t3"},
        ruleset="table inet old {\n}\n",
        links=nixos_links(SYSTEM),
    )


EXAMPLES: list[tuple[str, dict[str, Value], tuple[Operation, ...]]] = [
    (
        "system.activate",
        {"system": SYSTEM},
        (Realise(SYSTEM), SetProfile(SYSTEM), SwitchSystem(SYSTEM, "boot")),
    ),
    ("system.reapply", {"running": SYSTEM}, (Realise(SYSTEM), SwitchSystem(SYSTEM, "test"))),
    (
        "system.reboot",
        {"system": SYSTEM},
        (Realise(SYSTEM), StageBoot(SYSTEM, SYSTEM, 7), RebootInto(SYSTEM)),
    ),
    ("store.repair", {"paths": (SYSTEM,)}, (RepairPath(SYSTEM),)),
    ("unit.start", UNIT, (UnitJob("start", "a.service"),)),
    ("unit.start", UNIT | {"timeout_s": 5}, (UnitJob("start", "a.service", 5),)),
    ("unit.stop", UNIT, (UnitJob("stop", "a.service"),)),
    ("unit.run", UNIT | {"timeout_s": 9}, (UnitJob("start", "a.service", 9),)),
    ("unit.restart", UNIT, (UnitJob("restart", "a.service"),)),
    ("unit.reload", UNIT, (UnitJob("reload", "a.service"),)),
    ("unit.on_undo", UNIT | {"verb": "reload"}, ()),
    ("unit.enable", UNIT, (UnitFile("enable", "a.service"),)),
    ("unit.mask", UNIT, (UnitFile("mask", "a.service"),)),
    ("unit.unmask", UNIT, (UnitFile("unmask", "a.service"),)),
    ("unit.unmask", {"unit": "b.service"}, ()),
    ("unit.reset_failed", UNIT, (UnitJob("reset-failed", "a.service"),)),
    ("unit.reset_failed", {"unit": "b.service"}, ()),
    (
        "unit.limit",
        UNIT | {"resource": "cpu_percent", "amount": 50},
        (UnitProperty("a.service", "CPUQuotaPerSecUSec", 500_000),),
    ),
    (
        "unit.limit",
        UNIT | {"resource": "memory_high_mib", "amount": 512},
        (UnitProperty("a.service", "MemoryHigh", 536_870_912),),
    ),
    (
        "timer.start",
        {"service": "b.service"},
        (UnitFile("enable", "b.timer"), UnitJob("start", "b.timer")),
    ),
    ("timer.start", {"service": "a.service"}, ()),
    (
        "wait.until",
        UNIT,
        (WaitUntil(UnitStatus(("a.service",)), "a.service.active_state", ("active",), 30),),
    ),
    (
        "file.ensure",
        {"path": "/etc/new", "content": "a\n", "lines": ("b", "c")},
        (WriteFile("/etc/new", b"a\nb\nc\n", 0o644, 0, 0, parents=True),),
    ),
    ("file.access", ACCESS, (SetAccess("/etc/secret", 0o600, 0, 42),)),
    ("file.keep", {"path": "/etc/secret"}, ()),
    (
        "accounts.close",
        {"declared": ("clinicadmin",)},
        (Run(("usermod", "--expiredate", "1", "mallory")),),
    ),
    (
        "keys.withdraw",
        {"declared": ("SHA256:O9A4MK3BNs2efZRqvBZA47/iD3POeNn8p9iXvvJdF1o",)},
        (
            WriteFile(
                "/var/lib/reconciler/backup/home-m-.ssh-authorized-keys.9cf115f061d94216",
                STRANGE,
                0o600,
                parents=True,
            ),
            WriteFile("/home/m/.ssh/authorized_keys", b"", 0o600, 1001, 1001),
        ),
    ),
    (
        "sysctl.set",
        {"settings": ("net.ipv4.ip_forward=0", "net.ipv4.tcp_rmem=1 2 3")},
        (WriteSysctl("net.ipv4.ip_forward", "0"),),
    ),
    ("command.check", {"command": "sshd-settings"}, (Run(("sshd", "-t"), 20),)),
    (
        "wait.ssh",
        {"port": 2222},
        (
            WaitUntil(
                Command(("ssh-keyscan", "-T", "3", "-p", "2222", "127.0.0.1"), 10),
                "exit",
                (0,),
                20,
            ),
        ),
    ),
    (
        "command.check",
        {"command": "nftables-file"},
        (Run(("nft", "-c", "-f", "/etc/nftables.conf"), 20),),
    ),
    (
        "command.run",
        {"command": "tmpfiles-clean", "path": "/srv/x"},
        (Run(("systemd-tmpfiles", "--clean", "--prefix=/srv/x"), 120),),
    ),
    (
        "command.run",
        {"command": "journal-flush"},
        (Run(("journalctl", "--relinquish-var"), 120), Run(("journalctl", "--flush"), 120)),
    ),
    ("command.run", {"command": "audit-rules-load"}, (Run(("augenrules", "--load"), 120),)),
    (
        "journal.vacuum",
        {"max_mib": 64},
        (Run(("journalctl", "--rotate")), Run(("journalctl", "--vacuum-size=64M"), 120)),
    ),
    (
        "restic.unlock",
        RESTIC,
        (Run(("restic", "unlock", "--no-cache"), 120, ENVIRONMENT),),
    ),
    (
        "restic.restore_test",
        RESTIC | {"job": "nightly", "sample_percent": 10, "max_minutes": 2},
        (
            RestoreSample(
                "nightly",
                "/srv/repo",
                "/etc/pw",
                "/var/lib/reconciler/scratch/nightly",
                "/var/lib/reconciler/restore-tests/nightly.json",
                10,
                120,
            ),
        ),
    ),
    (
        "firewall.ensure",
        {"open_ports": ("tcp/443", "tcp/22")},
        (WriteFile("/etc/nftables.conf", ruleset(("tcp/22", "tcp/443")).encode()),),
    ),
    ("firewall.load", {}, (Run(("nft", "-f", "/etc/nftables.conf"), 30),)),
]


@pytest.mark.parametrize(("kind", "params", "operations"), EXAMPLES)
def test_parameters_become_exactly_these_operations(
    kind: str, params: dict[str, Value], operations: tuple[Operation, ...]
) -> None:
    assert rendered(kind, params, machine())[0] == operations


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, _params, _operations in EXAMPLES} == set(catalogue.load())


REFUSED: list[tuple[str, dict[str, Value]]] = [
    ("command.check", {"command": "rm"}),
    ("command.run", {"command": "tmpfiles-clean", "path": "/x --remove"}),
    ("command.run", {"command": "tmpfiles-clean", "path": "relative"}),
    ("file.ensure", {"path": "/etc/../etc/shadow", "content": "x"}),
    ("file.ensure", {"path": "/etc/./x", "content": "x"}),
    ("file.ensure", {"path": "etc/x", "content": "x"}),
    ("file.ensure", {"path": "/etc/x\n", "content": "x"}),
    ("file.ensure", {"path": "/etc/x", "content": "x", "mode": "4755"}),
    ("file.ensure", {"path": "/etc/x", "content": "x", "mode": "0999"}),
    ("file.ensure", {"path": "/etc/x", "content": "x", "lines": ("a\nb",)}),
    ("file.access", ACCESS | {"uid": -1}),
    ("sysctl.set", {"settings": ("kernel.core_pattern=|/bin/sh",)}),
    ("sysctl.set", {"settings": ("kernel.modprobe=/tmp/x",)}),
    ("sysctl.set", {"settings": ("net/ipv4/ip_forward=1",)}),
    ("sysctl.set", {"settings": ("net..x=1",)}),
    ("sysctl.set", {"settings": ("abi.x=1",)}),
    ("sysctl.set", {"settings": ("net.ipv4.ip_forward",)}),
    ("firewall.ensure", {"open_ports": ("tcp/0",)}),
    ("firewall.ensure", {"open_ports": ("tcp/65536",)}),
    ("firewall.ensure", {"open_ports": ("tcp/22 accept; tcp dport 23",)}),
    ("journal.vacuum", {"max_mib": 0}),
    ("unit.limit", {"unit": "a.timer", "resource": "cpu_percent", "amount": 5}),
    ("unit.limit", {"unit": "a.service", "resource": "CPUWeight", "amount": 5}),
    ("restic.unlock", RESTIC | {"repository": "rest:https://me:secret@host/"}),
    ("restic.unlock", RESTIC | {"repository": "--repo=x"}),
    ("restic.restore_test", RESTIC | {"job": "../x", "sample_percent": 1, "max_minutes": 1}),
]


@pytest.mark.parametrize(("kind", "params"), REFUSED)
def test_what_a_kind_does_not_allow_never_becomes_an_operation(
    kind: str, params: dict[str, Value]
) -> None:
    parameters = catalogue.load()[kind].params
    assert any(parameters[name].problem(value) for name, value in params.items())


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("file.access", ACCESS | {"path": "/etc/missing"}),
        ("file.access", ACCESS | {"path": "/etc/link"}),
        ("file.ensure", {"path": "/etc/link", "content": "x"}),
        ("file.ensure", {"path": "/etc/dir", "content": "x"}),
        ("file.keep", {"path": "/etc/link"}),
        ("sysctl.set", {"settings": ("net.ipv4.missing=1",)}),
        ("unit.limit", {"unit": "missing.service", "resource": "cpu_percent", "amount": 5}),
    ],
)
def test_what_cannot_be_undone_is_not_begun(kind: str, params: dict[str, Value]) -> None:
    odd = machine()
    odd.files |= {"/etc/link": FakeFile(type="link"), "/etc/dir": FakeFile(type="dir")}
    with pytest.raises(Unobservable):
        rendered(kind, params, odd)


def test_a_file_that_is_right_already_is_left_alone() -> None:
    right = FakeMachine(files={"/etc/x": FakeFile(b"x", 0o640, 0, 4)})
    params = {"path": "/etc/x", "content": "x", "mode": "0640", "gid": 4}
    assert rendered("file.ensure", params, right)[0] == ()
    wrong_mode = rendered("file.ensure", params | {"mode": "0600"}, right)[0]
    assert [type(operation) for operation in wrong_mode] == [WriteFile, WriteFile]


def test_replaced_bytes_are_kept_where_only_root_reads_them_once_for_the_same_bytes() -> None:
    old = FakeMachine(files={"/etc/x.conf": FakeFile(b"old")})
    params = {"path": "/etc/x.conf", "content": "new"}
    backup = rendered("file.ensure", params, old)[0][0]
    assert isinstance(backup, WriteFile)
    assert (backup.content, backup.mode, backup.uid) == (b"old", 0o600, 0)
    assert backup.path.startswith("/var/lib/reconciler/backup/etc-x.conf.")
    assert rendered("file.ensure", params, old)[0][0] == backup
    other = FakeMachine(files={"/etc/x.conf": FakeFile(b"older")})
    assert rendered("file.ensure", params, other)[0][0] != backup


def test_a_unit_has_the_object_path_that_systemd_gives_it() -> None:
    root = "/org/freedesktop/systemd1/unit/"
    assert object_path("ssh.service") == root + "ssh_2eservice"
    assert object_path("3proxy@a-b.service") == root + "_33proxy_40a_2db_2eservice"


def test_parameters_of_the_wrong_type_are_an_error_not_a_guess() -> None:
    for kind in ("unit.start", "file.ensure", "journal.vacuum", "sysctl.set"):
        step = catalogue.load()[kind]
        with pytest.raises(InputError, match="must be"):
            step.before({"unit": 5, "path": 5, "settings": 5})
            step.do({"max_mib": "5"}, None)  # type: ignore[arg-type]


def test_the_rule_set_lets_in_the_declared_ports_and_nothing_else() -> None:
    text = ruleset(("udp/123", "tcp/443", "tcp/22", "tcp/22"))
    accepted = [line.strip() for line in text.splitlines() if " dport " in line]
    assert accepted == ["tcp dport 22 accept", "tcp dport 443 accept", "udp dport 123 accept"]
    assert text.count("policy drop") == 2
    assert "dport" not in ruleset(())

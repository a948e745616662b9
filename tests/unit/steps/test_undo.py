from copy import deepcopy
from dataclasses import replace

import pytest

from reconciler.model.values import Value
from reconciler.steps import catalogue
from reconciler.testing.fake_machine import FakeFile, FakeMachine, FakeUnit
from reconciler.testing.fake_system import nixos_links
from tests.support.stepping import carry_out, rendered, state

OLDER = "/nix/store/00000000000000000000000000000001-nixos-system-desk-1"
NEWER = "/nix/store/00000000000000000000000000000002-nixos-system-desk-2"

REVERSIBLE: list[tuple[str, dict[str, Value]]] = [
    ("unit.start", {"unit": "a.service"}),
    ("unit.stop", {"unit": "a.service"}),
    ("unit.enable", {"unit": "a.service"}),
    ("unit.mask", {"unit": "a.service"}),
    ("unit.unmask", {"unit": "a.service"}),
    ("unit.on_undo", {"unit": "a.service", "verb": "restart"}),
    ("unit.limit", {"unit": "a.service", "resource": "cpu_percent", "amount": 20}),
    ("unit.limit", {"unit": "a.service", "resource": "memory_high_mib", "amount": 20}),
    ("timer.start", {"service": "a.service"}),
    ("file.ensure", {"path": "/etc/a", "content": "new\n", "mode": "0600", "uid": 3, "gid": 3}),
    ("file.access", {"path": "/etc/b", "mode": "0600", "uid": 3, "gid": 3}),
    ("file.keep", {"path": "/etc/b"}),
    ("sysctl.set", {"settings": ("net.a.b=5", "net.a.c=6", "net.a.b=7")}),
    ("firewall.ensure", {"open_ports": ("tcp/22",)}),
    ("firewall.load", {}),
    ("keys.withdraw", {"declared": ("SHA256:O9A4MK3BNs2efZRqvBZA47/iD3POeNn8p9iXvvJdF1o",)}),
    ("accounts.close", {"declared": ("clinicadmin",)}),
    ("unit.reload", {"unit": "a.service"}),
    ("wait.until", {"unit": "a.service", "states": ("active", "inactive")}),
    ("command.check", {"command": "sshd-settings"}),
    ("wait.ssh", {"port": 22}),
    ("system.activate", {"system": NEWER}),
    ("system.activate", {"system": OLDER}),
    ("system.reboot", {"system": NEWER}),
]

PEOPLE = {
    "/etc/passwd": FakeFile(
        b"root:x:0:0::/root:/bin/sh\nclinicadmin:x:1000:1000::/home/c:/bin/sh\n"
        b"mallory:x:1001:1001::/home/m:/bin/sh\neve:x:1002:1002::/home/e:/bin/sh\n"
    ),
    "/etc/shadow": FakeFile(
        b"root:*:1::::::\nclinicadmin:!:1::::::\nmallory:!:1:::::20100:\neve:!:1:::::1:\n", 0o640
    ),
    "/home/m/.ssh/authorized_keys": FakeFile(
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICscorPsvNg/E3ZYdf+6ZLcWEV9OpPTVKI+kWqInSU27\x0b\xff"
        b"\n\nnot a key",
        0o600,
        1001,
        1001,
    ),
}

MACHINES = {
    "stopped and disabled": FakeMachine(
        files={"/etc/b": FakeFile(b"b", 0o644, 1, 2)},
        units={"a.service": FakeUnit("inactive", "disabled"), "a.timer": FakeUnit()},
        sysctls={"net.a.b": "1", "net.a.c": "2"},
        ruleset="table inet old {\n\tchain input {\n\t}\n}\n",
    ),
    "running and enabled": FakeMachine(
        files={
            "/etc/a": FakeFile(b"old\x00\xff", 0o4755, 9, 8),
            "/etc/b": FakeFile(b"", 0o600, 3, 3),
            "/etc/nftables.conf": FakeFile(b"#!/usr/sbin/nft -f\n", 0o755),
        },
        units={
            "a.service": FakeUnit(
                "active", "enabled", limits={"MemoryHigh": 7, "CPUQuotaPerSecUSec": 8}
            ),
            "a.timer": FakeUnit("active", "enabled"),
        },
        sysctls={"net.a.b": "5", "net.a.c": "6"},
    ),
}

NEEDS_RUNNING = {"unit.reload"}


def test_every_kind_that_says_it_is_reversible_is_tried_here() -> None:
    reversible = {kind.id for kind in catalogue.load().values() if kind.reversible}
    assert reversible == {kind for kind, _params in REVERSIBLE}


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize(("kind", "params"), REVERSIBLE)
def test_undo_returns_the_machine_to_what_it_was(
    kind: str, params: dict[str, Value], name: str
) -> None:
    machine = deepcopy(MACHINES[name])
    if kind in NEEDS_RUNNING:
        machine.units["a.service"].active = "active"
    machine.links = nixos_links(OLDER)
    machine.files |= {path: replace(file) for path, file in PEOPLE.items()}
    machine.files.setdefault("/etc/nftables.conf", FakeFile(b"# rules\ntable inet new {\n}\n"))
    before = state(machine)
    do, undo = rendered(kind, params, machine)
    carry_out(machine, do)
    assert kind not in {"keys.withdraw", "accounts.close"} or state(machine) != before
    carry_out(machine, undo)
    after = state(machine)
    assert after.files == before.files
    assert after.sysctls == before.sysctls
    assert after.ruleset.strip() == before.ruleset.strip()
    assert before.links.items() <= after.links.items()
    assert [u.facts() for u in after.units.values()] == [u.facts() for u in before.units.values()]
    no_limit = {"MemoryHigh": 2**64 - 1, "CPUQuotaPerSecUSec": 2**64 - 1}
    for unit, was in zip(after.units.values(), before.units.values(), strict=True):
        assert no_limit | unit.limits == no_limit | was.limits


def test_a_masked_unit_is_masked_again() -> None:
    machine = FakeMachine(units={"a.service": FakeUnit("inactive", "masked")})
    do, undo = rendered("unit.unmask", {"unit": "a.service"}, machine)
    carry_out(machine, do)
    assert machine.units["a.service"].file == "disabled"
    carry_out(machine, undo)
    assert machine.units["a.service"].file == "masked"


def test_a_file_that_another_program_replaced_is_put_back_byte_for_byte() -> None:
    machine = FakeMachine(files={"/etc/key": FakeFile(b"\x00old", 0o400, 5, 6)})
    _do, undo = rendered("file.keep", {"path": "/etc/key"}, machine)
    machine.files["/etc/key"] = FakeFile(b"new", 0o644)
    carry_out(machine, undo)
    assert machine.files["/etc/key"] == FakeFile(b"\x00old", 0o400, 5, 6)


def test_the_old_settings_are_read_after_they_are_back() -> None:
    """A runbook that is undone: the file first, then the unit, because steps go in reverse."""
    taken_over: list[bytes] = []
    machine = FakeMachine(files={"/etc/a": FakeFile(b"old")})
    machine.units["a.service"] = FakeUnit(
        "active", reads=lambda m: taken_over.append(m.files["/etc/a"].content)
    )
    steps = [
        ("unit.on_undo", {"unit": "a.service", "verb": "reload"}),
        ("file.ensure", {"path": "/etc/a", "content": "new"}),
        ("unit.reload", {"unit": "a.service"}),
    ]
    ways_back = []
    for kind, params in steps:
        do, undo = rendered(kind, params, machine)  # type: ignore[arg-type]
        carry_out(machine, do)
        ways_back.append(undo)
    for undo in reversed(ways_back):
        carry_out(machine, undo)
    assert taken_over == [b"new", b"old"]


def test_a_unit_that_was_stopped_on_purpose_is_stopped_again_and_a_crashed_one_is_left() -> None:
    for active, expected in [("inactive", ["stop"]), ("failed", []), ("active", [])]:
        machine = FakeMachine(units={"a.service": FakeUnit(active)})
        _do, undo = rendered("unit.restart", {"unit": "a.service"}, machine)
        assert [getattr(operation, "verb", None) for operation in undo] == expected

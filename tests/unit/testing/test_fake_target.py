import pytest

from reconciler.model.operation import (
    DaemonReload,
    OperationResult,
    Run,
    SetAccess,
    UnitFile,
    UnitJob,
    WaitUntil,
    WriteFile,
    WriteSysctl,
)
from reconciler.model.probe import Command, Internal, ReadFile, StatPaths, UnitStatus
from reconciler.testing.fake_machine import FakeFile, FakeMachine, FakeUnit
from reconciler.testing.fake_target import FakeTarget, Fault

STATUS = UnitStatus(("a.service",))


def target(**machine: object) -> FakeTarget:
    return FakeTarget(FakeMachine(**machine))  # type: ignore[arg-type]


def test_it_answers_what_it_is_and_says_what_it_cannot() -> None:
    fake = target(
        files={"/etc/a": FakeFile(b"a", 0o600, 1, 2), "/etc/l": FakeFile(type="link")},
        units={"a.service": FakeUnit("active")},
        sysctls={"net.x": "1"},
    )
    stat = StatPaths(("/etc/a", "/etc/none"))
    answers = fake.ask(
        [stat, ReadFile("/etc/a", binary=True), ReadFile("/etc/none"), ReadFile("/etc/l"),
         ReadFile("/proc/sys/net/x"), STATUS, Internal("now")],
        1.0,
    )  # fmt: skip
    by_kind = [(answer.status, answer.data) for answer in answers.values()]
    assert [row["path"] for row in answers[stat].data] == ["/etc/a"]
    assert by_kind[1] == ("ok", b"a")
    assert [status for status, _data in by_kind[2:4]] == ["absent", "absent"]
    assert by_kind[4] == ("ok", "1\n")
    assert answers[STATUS].data["a.service"]["active_state"] == "active"
    assert by_kind[6][0] == "unsupported"


def test_a_missing_unit_is_not_found() -> None:
    assert target().ask([STATUS], 1.0)[STATUS].data["a.service"]["load_state"] == "not-found"


def test_a_blind_probe_is_denied() -> None:
    fake = target()
    fake.blind.add(STATUS)
    assert fake.ask([STATUS], 1.0)[STATUS].status == "denied"


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        (UnitJob("start", "none.service"), "not found"),
        (UnitJob("start", "m.service"), "masked"),
        (UnitJob("start", "b.service"), "job failed"),
        (UnitJob("reload", "b.service"), "not active"),
        (UnitFile("enable", "m.service"), "masked"),
        (UnitFile("enable", "none.service"), "not found"),
        (WriteFile("/etc/l", b"x"), "is a link"),
        (SetAccess("/etc/none", 0o600, 0, 0), "no such file"),
        (Run(("rm", "-rf", "/")), "not installed"),
        (Run(("nft", "-f", "/none")), "no such file"),
        (WaitUntil(STATUS, "a.service.active_state", ("active",), 5), "after 5 s"),
        (WaitUntil(STATUS, "a.service.active_state.x", ("active",), 5), "after 5 s"),
    ],
)
def test_it_refuses_what_a_machine_would_refuse(operation: object, why: str) -> None:
    fake = target(
        files={"/etc/l": FakeFile(type="link")},
        units={"m.service": FakeUnit(file="masked"), "b.service": FakeUnit(broken=True)},
    )
    result = fake.carry_out(operation)  # type: ignore[arg-type]
    assert not result.ok
    assert why in result.reason


def test_it_obeys() -> None:
    fake = target(units={"a.service": FakeUnit("failed", result="exit-code")})
    for operation in (
        UnitJob("reset-failed", "a.service"),
        UnitJob("try-restart", "a.service"),
        DaemonReload(),
        WriteSysctl("net.x", "2"),
        WriteFile("/etc/a", b"x", 0o600, 3, 4),
        WriteFile("/etc/b", None),
    ):
        assert fake.carry_out(operation) == OperationResult(ok=True, reason="", ms=1)
    assert fake.machine.units["a.service"].active == "inactive"
    assert fake.machine.files == {"/etc/a": FakeFile(b"x", 0o600, 3, 4)}
    assert fake.carry_out(UnitJob("start", "a.service")).ok
    wait = WaitUntil(STATUS, "a.service.active_state", ("active",))
    assert fake.carry_out(wait).ok


def test_a_rule_set_is_listed_as_it_was_loaded_and_a_bad_one_is_refused() -> None:
    fake = target(files={"/r": FakeFile(b"# x\nflush ruleset\n\ntable inet a {\n}\n")})
    assert fake.carry_out(Run(("nft", "-c", "-f", "/r"))).ok
    assert fake.machine.ruleset == ""
    assert fake.carry_out(Run(("nft", "-f", "/r"))).ok
    listing = Command(("nft", "list", "ruleset"))
    assert fake.ask([listing], 1.0)[listing].data["stdout"] == "table inet a {\n}\n"
    fake.machine.files["/r"].content = b"syntax error"
    assert not fake.carry_out(Run(("nft", "-f", "/r"))).ok


def test_faults_lie_refuse_hang_and_break() -> None:
    write = WriteFile("/etc/a", b"x")
    for mode, ok, written in [
        ("lies", True, False),
        ("refuses", False, False),
        ("hangs", False, False),
        ("breaks", True, True),
    ]:
        fake = target()
        fake.faults.append(
            Fault(mode, damage=lambda machine: machine.sysctls.update({"net.x": "broken"}))  # type: ignore[arg-type]
        )
        assert fake.carry_out(write).ok is ok
        assert ("/etc/a" in fake.machine.files) is written
        assert fake.machine.sysctls == ({"net.x": "broken"} if mode == "breaks" else {})
        assert fake.carried == [write]

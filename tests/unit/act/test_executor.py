"""A small runbook against a fake machine: a settings file, a service that reads it, a rule."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.act.executor import execute
from reconciler.errors import EvidenceError, MachineError
from reconciler.model.finding import Finding
from reconciler.model.operation import (
    REFUSED,
    UNDER_WAY,
    UNREACHED,
    Operation,
    OperationResult,
    Run,
    UnitJob,
    WriteFile,
)
from reconciler.model.outcome import Outcome
from reconciler.model.runbook import Runbook
from reconciler.steps import catalogue
from reconciler.testing.fake_clock import FakeClock
from reconciler.testing.fake_machine import FakeFile, FakeMachine, FakeUnit
from reconciler.testing.fake_target import FakeTarget, Fault
from tests.support.desired_states import make_action, make_finding, make_runbook, pin
from tests.support.stepping import Receipt, state

OLD, NEW = b"secure no\n", b"secure yes\n"
STEPS = [
    {"id": "read-last", "use": "unit.on_undo", "with": {"unit": "{unit}", "verb": "reload"}},
    {
        "id": "write",
        "use": "file.ensure",
        "with": {"path": "/etc/d.conf", "content": "secure yes\n"},
    },
    {"id": "test", "use": "command.check", "with": {"command": "sshd-settings"}},
    {"id": "take-over", "use": "unit.reload", "with": {"unit": "{unit}"}},
]
ALSO = {"check": "LNX-AVL-002", "expect": {"active_state": "active"}, "reason": "it died"}


@dataclass
class Room:
    """Everything around one execution."""

    machine: FakeMachine = field(default_factory=FakeMachine)
    clock: FakeClock = field(default_factory=FakeClock)
    runbook: Runbook = field(default_factory=lambda: make_runbook(steps=STEPS))
    in_force: list[bytes] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    looks: int = 0
    passes_from_look: int = 1

    def __post_init__(self) -> None:
        self.machine.files["/etc/d.conf"] = FakeFile(OLD, 0o640, 0, 5)
        self.machine.units["d.service"] = FakeUnit(
            "active",
            "enabled",
            reads=lambda m: self.in_force.append(m.files["/etc/d.conf"].content),
        )
        self.target = FakeTarget(self.machine, clock=self.clock)

    def look(self) -> Mapping[str, Finding]:
        self.looks += 1
        good = self.in_force[-1:] == [NEW] and self.looks >= self.passes_from_look
        return {"time": make_finding(status="pass" if good else "fail")}

    def also(self) -> tuple[Finding, ...]:
        active = self.machine.units["d.service"].active == "active"
        status = "pass" if active else "fail"
        return tuple(
            make_finding("condition-1", status, check=condition.check)
            for condition in self.runbook.also_verify
        )

    def execute(self, **changes: Any) -> Outcome:
        arguments: dict[str, Any] = {
            "action": make_action(params={"unit": "d.service"}),
            "pinned": pin(self.runbook),
            "receipt": Receipt(),
            "target": self.target,
            "steps": catalogue.load(),
            "look": self.look,
            "also": self.also,
            "clock": self.clock,
            "deadline_s": 1.0,
            "hook": self.hooks.append,
        }
        return execute(**(arguments | changes))


def faulty(fault: Fault, **changes: Any) -> tuple[Room, Outcome, bool]:
    """A room with a fault, what came out, and whether the machine is as it was."""
    room = Room(**changes)
    before = deepcopy(state(room.machine))
    room.target.faults.append(fault)
    outcome = room.execute()
    after = state(room.machine)
    same = after.files == before.files
    same = same and all(after.units[n].facts() == u.facts() for n, u in before.units.items())
    return room, outcome, same


def is_write(operation: Operation) -> bool:
    return isinstance(operation, WriteFile) and operation.content == NEW


def is_reload(operation: Operation) -> bool:
    return isinstance(operation, UnitJob) and operation.verb == "reload"


def test_what_the_second_look_shows_is_healed() -> None:
    room = Room()
    outcome = room.execute()
    assert (outcome.result, outcome.reason, outcome.rollback) == ("healed", "", "none")
    assert [step.id for step in outcome.steps] == ["read-last", "write", "test", "take-over"]
    assert outcome.undone == ()
    assert outcome.after["time"].status == "pass"
    assert outcome.intent == 7
    assert room.in_force == [NEW]


def test_a_machine_that_reports_success_and_changes_nothing_is_not_healed() -> None:
    room, outcome, same = faulty(Fault("lies"))
    assert outcome.result == "rolled_back"
    assert outcome.reason == "not healed: time is fail"
    assert all(step.ok for step in outcome.steps)
    assert outcome.rollback == "verified"
    assert same
    assert room.in_force == []


def test_a_fix_that_does_not_help_is_undone_in_reverse_and_the_undoing_is_looked_at() -> None:
    room = Room(passes_from_look=99)
    outcome = room.execute()
    assert (outcome.result, outcome.rollback) == ("rolled_back", "verified")
    assert [step.id for step in outcome.undone] == ["write", "read-last"]
    assert room.machine.files["/etc/d.conf"] == FakeFile(OLD, 0o640, 0, 5)
    assert room.in_force == [NEW, OLD]
    assert outcome.after["time"].status == "fail"


def test_a_step_that_fails_ends_the_work_and_takes_back_what_was_done() -> None:
    room = Room()
    room.machine.programs["sshd"] = lambda _machine, _run: "exit status 255: bad configuration"
    outcome = room.execute()
    assert outcome.result == "rolled_back"
    assert outcome.reason == "step test was not carried out: exit status 255: bad configuration"
    assert [step.id for step in outcome.steps] == ["read-last", "write", "test"]
    assert room.machine.files["/etc/d.conf"].content == OLD


def test_a_step_that_fails_makes_healed_impossible_even_when_the_look_is_good() -> None:
    """A check may read the file although the service never took it over."""
    room = Room()
    room.target.faults.append(Fault("refuses", is_reload))
    outcome = room.execute(look=lambda: {"time": make_finding(status="pass")})
    assert outcome.result != "healed"
    assert room.machine.files["/etc/d.conf"].content == OLD


def test_a_first_operation_that_is_refused_leaves_everything_as_it_was() -> None:
    _room, outcome, same = faulty(Fault("refuses", is_write))
    assert (outcome.result, outcome.rollback) == ("rolled_back", "verified")
    assert "permission denied" in outcome.reason
    assert same


@pytest.mark.parametrize(
    "reason", [UNDER_WAY, f"{REFUSED}the message is of an unknown kind", f"{UNREACHED}no socket"]
)
def test_what_the_helper_did_not_begin_needs_no_way_back(reason: str) -> None:
    """A way back would not be begun either, and would close the host for nothing."""
    room = Room()
    before = deepcopy(state(room.machine))
    target = BeginsNothing(room.machine)
    target.reason = reason
    outcome = room.execute(target=target)
    assert (outcome.result, outcome.rollback) == ("failed", "none")
    assert reason in outcome.reason
    assert outcome.undone == ()
    assert state(room.machine).files == before.files


class BeginsNothing(FakeTarget):
    """Answers, and begins nothing."""

    reason: str

    def carry_out(self, operation: Operation) -> OperationResult:
        return OperationResult(ok=False, reason=self.reason, ms=0)


def test_a_step_that_hangs_ends_at_its_time_limit_and_is_undone() -> None:
    room, outcome, same = faulty(Fault("hangs", is_reload))
    assert "timed out after 90 s" in outcome.reason
    assert same
    assert outcome.result == "rolled_back"
    assert room.clock.monotonic() >= 90


def test_a_fix_that_breaks_something_else_is_rolled_back() -> None:
    def crash(machine: FakeMachine) -> None:
        machine.units["d.service"].active = "failed"

    runbook = make_runbook(steps=STEPS, also_verify=[ALSO])
    room, outcome, _same = faulty(Fault("breaks", is_reload, crash), runbook=runbook)
    assert outcome.reason == "not healed: LNX-AVL-002 is fail: it died"
    assert room.machine.files["/etc/d.conf"].content == OLD
    # The service is not back, and the rollback says so instead of claiming it.
    assert (outcome.result, outcome.rollback) == ("failed", "unverified")


def test_an_undo_that_lies_is_not_believed() -> None:
    def is_undo(operation: Operation) -> bool:
        return (
            isinstance(operation, WriteFile) and operation.content == OLD and not operation.parents
        )

    _room, outcome, same = faulty(Fault("lies", is_undo), passes_from_look=99)
    assert not same
    assert (outcome.result, outcome.rollback) == ("failed", "unverified")
    assert all(step.ok for step in outcome.undone)


def test_an_undo_that_fails_does_not_keep_the_others_from_being_tried() -> None:
    def is_undo(operation: Operation) -> bool:
        return (
            isinstance(operation, WriteFile) and operation.content == OLD and not operation.parents
        )

    room, outcome, _same = faulty(Fault("refuses", is_undo), passes_from_look=99)
    assert [(step.id, step.ok) for step in outcome.undone] == [
        ("write", False),
        ("read-last", True),
    ]
    assert outcome.rollback == "unverified"
    assert room.in_force[-1] == NEW


def test_a_step_without_a_way_back_makes_the_rollback_unverified() -> None:
    vacuum = {"id": "vacuum", "use": "journal.vacuum", "with": {"max_mib": 10}}
    room = Room(runbook=make_runbook(steps=[vacuum, *STEPS]), passes_from_look=99)
    outcome = room.execute()
    assert (outcome.result, outcome.rollback) == ("failed", "unverified")
    assert room.machine.files["/etc/d.conf"].content == OLD


def test_what_cannot_be_seen_before_is_not_touched() -> None:
    room = Room()
    kind = catalogue.load()["file.ensure"]
    room.target.blind |= set(kind.before({"path": "/etc/d.conf"}))
    outcome = room.execute()
    assert (outcome.result, outcome.rollback) == ("failed", "none")
    assert "permission denied" in outcome.reason
    assert room.target.carried == []
    assert outcome.after["time"].status == "fail"


def test_what_cannot_be_seen_afterwards_is_not_a_verified_rollback() -> None:
    room = Room(passes_from_look=99)
    probes = set(catalogue.load()["file.ensure"].before({"path": "/etc/d.conf"}))
    outcome = room.execute(
        hook=lambda where: room.target.blind.update(probes if where == "look" else ())
    )
    assert outcome.rollback == "unverified"


@pytest.mark.parametrize("kind", ["outcome", "run", "", "INTENT"])
def test_without_the_receipt_of_an_intent_nothing_is_asked_or_done(kind: str) -> None:
    room = Room()
    with pytest.raises(EvidenceError, match="does not announce an action"):
        room.execute(receipt=Receipt(kind=kind))
    assert (room.target.carried, room.looks, room.hooks) == ([], 0, [])


def test_a_receipt_without_a_digest_is_none() -> None:
    with pytest.raises(EvidenceError):
        Room().execute(receipt=Receipt(digest=""))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"pinned": pin(make_runbook(steps=STEPS), digest="b" * 64)}, "changed since"),
        ({"pinned": pin(make_runbook(steps=STEPS), approved=False)}, "not approved"),
        ({"pinned": pin(make_runbook("RB-OTHER-001", steps=STEPS))}, "not approved"),
        ({"action": make_action(params={"unit": 3})}, "must be str"),
    ],
)
def test_only_the_runbook_that_was_planned_runs(change: dict[str, Any], why: str) -> None:
    room = Room()
    outcome = room.execute(**change)
    assert outcome.result == "denied"
    assert why in outcome.reason
    assert room.target.carried == []


def test_a_runbook_that_cannot_be_rendered_is_not_begun() -> None:
    steps = [*STEPS, {"id": "last", "use": "unit.explode"}]
    room = Room(runbook=make_runbook(steps=steps))
    outcome = room.execute()
    assert (outcome.result, outcome.rollback) == ("failed", "none")
    assert "unit.explode" in outcome.reason
    assert room.target.carried == []


def test_the_look_is_repeated_until_it_passes_or_the_time_to_settle_is_over() -> None:
    patient = Room(passes_from_look=4)
    assert patient.execute().result == "healed"
    assert patient.looks == 4
    assert patient.clock.slept == [0.5, 1.0, 2.0]
    late = Room(passes_from_look=7)
    assert late.execute().result == "rolled_back"
    assert sum(late.clock.slept) == late.runbook.settle_s


@pytest.mark.parametrize(
    "finding",
    [
        make_finding(status="unknown"),
        make_finding(status="not_applicable"),
        make_finding(status="excepted"),
        make_finding("other", "pass"),
        make_finding(status="pass", target="clinic/server"),
    ],
)
def test_only_a_pass_of_the_rule_on_this_target_heals(finding: Finding) -> None:
    assert Room().execute(look=lambda: {"time": finding}).result == "rolled_back"
    assert Room().execute(look=dict).result == "rolled_back"


def test_every_rule_of_the_action_must_pass() -> None:
    room = Room()
    action = make_action(["time", "clock"], params={"unit": "d.service"})
    outcome = room.execute(action=action)
    assert outcome.result == "rolled_back"
    assert "clock is not looked at" in outcome.reason


def test_an_action_about_no_rule_heals_nothing() -> None:
    action = make_action([], params={"unit": "d.service"})
    assert Room().execute(action=action).result != "healed"


@pytest.mark.parametrize("conditions", [(), (make_finding(status="pass"),)])
def test_what_else_must_hold_must_have_been_looked_at(conditions: tuple[Finding, ...]) -> None:
    room = Room(runbook=make_runbook(steps=STEPS, also_verify=[ALSO]))
    outcome = room.execute(also=lambda: conditions)
    assert outcome.result == "rolled_back"
    assert "not all looked at" in outcome.reason


@pytest.mark.parametrize(
    ("error", "why"),
    [(MachineError("the bus is gone", hint="x"), "the bus is gone"), (KeyError("x"), "KeyError")],
)
def test_a_look_that_cannot_be_taken_is_no_success_and_does_not_escape(
    error: Exception, why: str
) -> None:
    def broken() -> Mapping[str, Finding]:
        raise error

    room = Room()
    outcome = room.execute(look=broken)
    assert outcome.result == "rolled_back"
    assert f"could not look: {why}" in outcome.reason
    assert outcome.after == {}
    assert room.machine.files["/etc/d.conf"].content == OLD


class Killed(BaseException):
    """Stands for kill -9 at a hook."""


def test_the_hook_is_called_between_any_two_things_and_can_end_the_work_there() -> None:
    complete = Room()
    complete.execute()
    assert complete.hooks[:4] == [
        "before-step:read-last",
        "after-step:read-last",
        "before-step:write",
        "after-operation:write:1",
    ]
    for point in range(len(complete.hooks)):
        room = Room()

        def kill(_where: str, room: Room = room, point: int = point) -> None:
            room.hooks.append(_where)
            if len(room.hooks) > point:
                raise Killed

        with pytest.raises(Killed):
            room.execute(hook=kill)
        assert room.target.carried == complete.target.carried[: len(room.target.carried)]
        assert room.machine.files["/etc/d.conf"].content in {OLD, NEW}
        if is_write_done(room):
            kept = [f for p, f in room.machine.files.items() if p.startswith("/var/lib")]
            assert [file.content for file in kept] == [OLD]


def is_write_done(room: Room) -> bool:
    return room.machine.files["/etc/d.conf"].content == NEW


def test_programs_are_run_as_argument_lists() -> None:
    room = Room()
    room.execute()
    assert [o.argv for o in room.target.carried if isinstance(o, Run)] == [("sshd", "-t")]

"""What a crash or a restart left open is brought to its end first, and closed by what is seen."""

from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.act.executor import execute
from reconciler.engine.recover import close_interrupted, resume
from reconciler.errors import MachineError, Restarting
from reconciler.evidence.entry import Reference
from reconciler.model.finding import Status
from reconciler.model.operation import (
    UNDER_WAY,
    UNREACHED,
    Operation,
    OperationResult,
    seconds_for,
)
from reconciler.model.outcome import Outcome, StepResult
from reconciler.model.quotable import NOTHING
from reconciler.model.system_operation import ConfirmBoot, FinishActivation, RebootInto
from reconciler.steps import catalogue
from reconciler.testing.fake_clock import FakeClock
from reconciler.testing.fake_machine import FakeMachine
from reconciler.testing.fake_system import nixos_links
from reconciler.testing.fake_target import FakeTarget, Fault
from tests.support.desired_states import make_action, make_finding, pin, shipped_runbook
from tests.support.stepping import Receipt

SYSTEM = "/nix/store/00000000000000000000000000000002-nixos-system-desk-2"
REFERENCE = Reference(4, "a" * 64)
OK = OperationResult(ok=True, reason="", ms=1)
NOT = OperationResult(ok=False, reason="the way back did not lead back", ms=1)


class Session:
    """As much of a session as closing needs."""

    def __init__(self, runbook: str, *faults: Fault) -> None:
        self.target = FakeTarget(faults=list(faults))
        action = {"id": "f" * 64, "runbook": runbook, "rules": ["time"]}
        action["params"] = {"system": SYSTEM}
        past = SimpleNamespace(open_intents=((REFERENCE, action),))
        self.clock = FakeClock()
        self.appliance = SimpleNamespace(past=past, steps=catalogue.load(), clock=self.clock)
        self.options = SimpleNamespace(hook=self.seen, stopping=lambda: False)
        self.run, self.own = "0" * 32, NOTHING
        self.hooks: list[str] = []
        self.appended: list[dict[str, Any]] = []
        runbooks = {runbook: pin(shipped_runbook(runbook))}
        self.eye = SimpleNamespace(target=self.target, desired=SimpleNamespace(runbooks=runbooks))

    def seen(self, where: str) -> None:
        self.hooks.append(where)

    def append(self, _kind: object, body: dict[str, Any], *, closes: Reference) -> None:
        assert closes == REFERENCE
        self.appended.append(body)

    def close(self, status: Status, resumed: dict[str, StepResult]) -> Outcome:
        found = {"time": make_finding(status=status)}
        tracking = SimpleNamespace(ended=lambda _outcome: None)
        [outcome] = close_interrupted(self, found, tracking, resumed)  # type: ignore[arg-type]
        assert self.appended[0]["result"] == outcome.result
        return outcome


def resumed(session: Session) -> dict[str, StepResult]:
    return dict(resume(session, session.eye))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("runbook", "operation"),
    [
        ("RB-DRIFT-001", FinishActivation()),
        ("RB-UPDATE-001", FinishActivation()),
        ("RB-REBOOT-001", ConfirmBoot()),
    ],
)
def test_what_knows_its_end_is_brought_there_before_the_look(
    runbook: str, operation: object
) -> None:
    session = Session(runbook)
    assert resumed(session)["f" * 64].results == (OK,)
    assert session.target.carried == [operation]
    assert [hook.partition(":")[0] for hook in session.hooks] == ["before-resume", "after-resume"]


class AtWork:
    """A helper that is at something that nobody waits for any more, for so many seconds."""

    def __init__(self, session: Session, seconds: float, reason: str = UNDER_WAY) -> None:
        self.session, self.until = session, session.clock.monotonic() + seconds
        self.reason = reason

    def carry_out(self, operation: Operation) -> OperationResult:
        if self.session.clock.monotonic() < self.until:
            return OperationResult(ok=False, reason=self.reason, ms=0)
        return self.session.target.carry_out(operation)


@pytest.mark.parametrize("reason", [UNDER_WAY, f"{UNREACHED}Connection refused"])
def test_a_helper_that_is_at_something_or_not_there_yet_is_waited_for(reason: str) -> None:
    session = Session("RB-UPDATE-001")
    session.eye.target = AtWork(session, 400, reason)
    assert resumed(session)["f" * 64].results == (OK,)
    assert session.target.carried == [FinishActivation()]


@pytest.mark.parametrize(("stops", "most_s"), [(False, 1300), (True, 1)])
def test_what_the_helper_does_not_come_to_stays_open(stops: bool, most_s: int) -> None:
    session = Session("RB-UPDATE-001")
    session.options.stopping = lambda: stops
    begun = session.clock.monotonic()
    session.eye.target = AtWork(session, 3600)
    with pytest.raises(MachineError, match="not brought to its end yet"):
        resumed(session)
    assert session.clock.monotonic() - begun <= most_s
    assert seconds_for(FinishActivation()) < 1300
    assert (session.appended, session.target.carried) == ([], [])


def test_a_helper_that_is_not_there_at_all_is_a_failure() -> None:
    session = Session("RB-UPDATE-001")
    session.eye.target = AtWork(session, 7200, f"{UNREACHED}No such file or directory")
    done = resumed(session)
    assert session.close("pass", done).rollback == "unverified"


@pytest.mark.parametrize("runbook", ["RB-DRIFT-002", "RB-TIME-001", "RB-STORE-001"])
def test_nothing_else_is_sent_again(runbook: str) -> None:
    session = Session(runbook)
    assert resumed(session) == {}
    assert session.target.carried == []
    assert session.close("pass", {}).result == "interrupted"


def test_a_runbook_that_is_gone_resumes_nothing_but_what_it_did_to_a_system() -> None:
    session = Session("RB-TIME-001")
    session.appliance.past.open_intents[0][1]["params"] = {"unit": "chronyd.service"}
    session.eye.desired.runbooks.clear()
    assert resumed(session) == {}


@pytest.mark.parametrize(
    ("kind", "result", "status", "expected", "rollback"),
    [
        ("system.reboot", OK, "pass", "healed", "none"),
        ("system.reboot", OK, "fail", "interrupted", "none"),
        ("system.reboot", OK, "unknown", "interrupted", "none"),
        ("system.reboot", NOT, "pass", "failed", "none"),
        ("system.activate", OK, "pass", "healed", "none"),
        ("system.activate", OK, "fail", "interrupted", "none"),
        ("system.activate", NOT, "pass", "failed", "unverified"),
    ],
)
def test_it_is_closed_by_the_look_and_never_by_the_step_alone(
    kind: str, result: OperationResult, status: Status, expected: str, rollback: str
) -> None:
    done = {"f" * 64: StepResult("one", kind, (result,))}
    outcome = Session("RB-REBOOT-001").close(status, done)
    assert (outcome.result, outcome.rollback) == (expected, rollback)
    assert (outcome.reason == "") == (expected == "healed")
    assert outcome.intent == 4


def test_a_restart_ends_the_run_where_it_began() -> None:
    target = FakeTarget(FakeMachine(links=nixos_links(SYSTEM)))
    looked: list[str] = []
    with pytest.raises(Restarting):
        execute(
            make_action(runbook="RB-REBOOT-001", params={"system": SYSTEM}),
            pin(shipped_runbook("RB-REBOOT-001")),
            Receipt(),
            target,
            catalogue.load(),
            look=lambda: looked.append("look") or {},
            also=tuple,
            clock=FakeClock(),
            deadline_s=1.0,
        )
    assert (looked, target.carried[-1]) == ([], RebootInto(SYSTEM))


@pytest.mark.parametrize("fails", [False, True])
def test_a_runbook_that_is_gone_leaves_no_activation_half_done(fails: bool) -> None:
    """Its order would stand in the way of every activation that comes after it."""
    fault = Fault("refuses", lambda operation: fails and operation == FinishActivation())
    session = Session("RB-UPDATE-001", fault)
    session.eye.desired.runbooks.clear()
    done = resumed(session)
    assert session.target.carried == [FinishActivation(), ConfirmBoot()]
    outcome = session.close("pass", done)
    expected = ("failed", "unverified") if fails else ("healed", "none")
    assert (outcome.result, outcome.rollback) == expected

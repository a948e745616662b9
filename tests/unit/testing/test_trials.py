"""What a rehearsal expects of a run, held against runs that do not do it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.errors import MachineError
from reconciler.testing.drifts.drift import Drift
from reconciler.testing.rehearsal.practice import Subject
from reconciler.testing.rehearsal.rehearse import FAULTS, jobs
from reconciler.testing.rehearsal.result import document, render
from reconciler.testing.rehearsal.told import Told
from reconciler.testing.rehearsal.trial import Mode, Trial, attempt

DRIFT = Drift.model_validate(
    {
        "id": "stopped",
        "title": "Stopped",
        "inject": "break",
        "found": {"unit": {"active_state": "inactive"}},
        "heals": ("RB-SERVICE-001",),
        "proof": "prove",
        "undo": "undo",
    }
)
LEFT = DRIFT.model_copy(update={"heals": ()})
ACTION = {"action": "a" * 64, "runbook": "RB-SERVICE-001"}


def finding(status: str, state: str = "inactive") -> dict[str, Any]:
    failed = ["active_state"] if status == "fail" else []
    return {"rule": "unit", "status": status, "failed": failed, "observed": {"active_state": state}}


def run(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    results: Sequence[str] = (),
    planned: bool = False,
) -> Told:
    outcomes = [ACTION | {"result": result} for result in results]
    plan = {"actions": [ACTION] if planned else []}
    body = {"before": [before], "findings": [after], "outcomes": outcomes, "plan": plan}
    return Told(0, body | {"not_done": [{"guard": "cooldown", "reason": "waits"}]})


FAIL, PASS = finding("fail"), finding("pass", "active")
HEALED, QUIET = run(FAIL, PASS, ["healed"]), run(PASS, PASS)
CUT = Told(137, {})


@dataclass
class Scripted:
    """A practice whose runs and proofs are written down.

    ``journal`` has what each run sent, in order.
    """

    runs: list[Told]
    proofs: list[bool]
    journals: list[list[str]] = field(default_factory=list)
    evidence: str = ""
    done: list[str] = field(default_factory=list)

    def approve(self, runbooks: Sequence[str]) -> None:
        self.done.append(f"approve {' '.join(runbooks)}")

    def edit_runbooks(self, change: Any) -> None:
        self.done.append(change("settle_s: 30\n"))

    def shell(self, script: str) -> str:
        self.done.append(script)
        return ""

    def proves(self, _script: str) -> bool:
        return self.proofs.pop(0)

    def run_once(self) -> Told:
        return self.runs.pop(0)

    def misbehave(self, mode: str, *, later_s: int = 0) -> Told:
        self.done.append(f"{mode} {later_s}")
        return self.runs.pop(0)

    def journal(self) -> list[str]:
        return self.journals.pop(0)

    def audited(self) -> str:
        return self.evidence


def tried(mode: Mode, practice: Scripted, drift: Drift = DRIFT) -> Trial:
    return attempt(drift, mode, practice, frozenset({"known"}))  # type: ignore[arg-type]


INTERRUPTED = run(FAIL, FAIL, ["interrupted"])
ROLLED_BACK = run(FAIL, FAIL, ["rolled_back"])
LATER = run(FAIL, PASS, ["healed"])


def test_each_mode_holds_where_everything_happens_as_it_must() -> None:
    honest = tried("honest", Scripted([HEALED, QUIET], [True, False, True]))
    assert (honest.problems, honest.healed_s) == ((), 1)
    lie = Scripted([ROLLED_BACK], [True, False, False])
    assert tried("lie", lie).problems == ()
    assert lie.done == ["settle_s: 0\n", "approve RB-SERVICE-001", "break", "lie 0"]
    for mode, fault in (("drop", "drop"), ("crash", "die")):
        cut = Scripted([CUT, INTERRUPTED, LATER], [True, False, True], [["restart"], []])
        assert tried(mode, cut).problems == ()  # type: ignore[arg-type]
        assert cut.done[-3:] == [f"{fault} 0", "none 0", "none 1500"]
    people = Scripted([run(FAIL, FAIL)], [True, False, False, True])
    assert tried("people", people, LEFT).problems == ()
    assert people.done == ["break", "undo"]


OTHER = finding("fail", "failed")
MORE = run(FAIL, PASS, ["healed"])
MORE.document["before"].append(FAIL | {"rule": "other"})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("mode", "practice", "problem"),
    [
        ("honest", Scripted([HEALED, QUIET], [False, False, True]), "before anything was injected"),
        ("honest", Scripted([HEALED, QUIET], [True, True, True]), "yes while the drift is there"),
        ("honest", Scripted([HEALED, QUIET], [True, False, False]), "the proof says no in the end"),
        ("honest", Scripted([run(FAIL, PASS, ["failed"])], [True, False, True]), "results were"),
        ("honest", Scripted([run(FAIL, FAIL, ["healed"])], [True, False, True]), "is fail in the"),
        ("honest", Scripted([run(OTHER, PASS, ["healed"])], [True, False, True]), "'failed', not"),
        ("honest", Scripted([run(PASS, PASS, ["healed"])], [True, False, True]), "not fail"),
        ("honest", Scripted([MORE], [True, False, True]), "also failing: ['other']"),
        ("honest", Scripted([CUT], [True, False, True]), "the run did not end: exit 137"),
        (
            "honest",
            Scripted([HEALED, run(PASS, PASS, planned=True)], [True, False, True]),
            "the next run planned",
        ),
        ("honest", Scripted([HEALED, CUT], [True, False, True]), "the next run planned"),
        (
            "honest",
            Scripted([HEALED, QUIET], [True, False, True], evidence="does not verify"),
            "does not verify",
        ),
        ("lie", Scripted([HEALED], [True, False, False]), "a lie ended as"),
        ("lie", Scripted([run(FAIL, FAIL)], [True, False, False]), "began []"),
        ("lie", Scripted([ROLLED_BACK], [True, False, True]), "although nothing was done"),
        (
            "drop",
            Scripted([HEALED, INTERRUPTED, LATER], [True, False, True], [["x"], []]),
            "1 operations were sent; outcomes [('RB-SERVICE-001', 'healed')]",
        ),
        (
            "drop",
            Scripted([CUT, INTERRUPTED, LATER], [True, False, True], [["x", "x"], []]),
            "2 operations were sent",
        ),
        (
            "crash",
            Scripted([CUT, QUIET, LATER], [True, False, True], [["x"], []]),
            "the next run closed []",
        ),
        (
            "crash",
            Scripted(
                [CUT, run(FAIL, PASS, ["interrupted", "healed"]), LATER],
                [True, False, True],
                [["x"], ["x"]],
            ),
            "began the same action again",
        ),
        (
            "crash",
            Scripted([CUT, INTERRUPTED, LATER], [True, False, True], [["x"], ["x"]]),
            "sent again in the next run: ['x']",
        ),
        (
            "crash",
            Scripted([CUT, INTERRUPTED, INTERRUPTED], [True, False, False], [["x"], []]),
            "not done: cooldown: waits",
        ),
        ("people", Scripted([HEALED], [True, False, False, True]), "a machine began"),
        ("people", Scripted([run(FAIL, FAIL)], [True, False, True, True]), "nobody put it right"),
        ("people", Scripted([run(FAIL, FAIL)], [True, False, False, False]), "the undo did not"),
    ],
)
def test_what_does_not_happen_as_it_must_is_said(
    mode: Mode, practice: Scripted, problem: str
) -> None:
    trial = tried(mode, practice, LEFT if mode == "people" else DRIFT)
    assert not trial.held
    assert trial.healed_s is None or mode == "honest"
    assert any(problem in said for said in trial.problems), trial.problems


def test_a_machine_that_cannot_be_asked_is_a_trial_that_did_not_hold() -> None:
    class Gone(Scripted):
        def run_once(self) -> Told:
            raise MachineError("no disk", hint="Buy one.")

    trial = tried("honest", Gone([], [True, False]))
    assert trial.problems == ("could not be tried: no disk",)


def test_the_first_drift_of_each_runbook_is_tried_with_every_fault_and_people_come_last() -> None:
    second = DRIFT.model_copy(update={"id": "again"})
    left = LEFT.model_copy(update={"id": "left"})
    work = [(job.drift.id, job.mode) for job in jobs([left, DRIFT, second], Subject())]
    faults = [("stopped", fault) for fault in FAULTS]
    assert work == [("stopped", "honest"), *faults, ("again", "honest"), ("left", "people")]


def test_the_result_says_what_did_not_hold() -> None:
    trials = [
        Trial("a", "honest", ("RB-A-001", "RB-A-001"), (), 7),
        Trial("b", "people", (), ("somebody did it",)),
    ]
    text = render(trials)
    assert "RB-A-001  a      honest  yes   7 s" in text
    assert "-         b      people  NO" in text
    assert text.endswith("b (people): somebody did it\n1 of 2 trials held")
    told = document(trials)
    assert (told["held"], [t["held"] for t in told["trials"]]) == (False, [True, False])
    assert document(trials[:1])["held"] is True

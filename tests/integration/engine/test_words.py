"""A machine that quotes a patient in everything it says: nothing of it is in the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.model.answer import Answer
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.probe import Probe
from reconciler.ports import Target
from reconciler.testing.fake_machine import FakeMachine
from tests.support.drill import HOST_FILE, Drill, Wired, break_secret, break_service

pytestmark = pytest.mark.integration

WHO = "Gonzalez"
SAID = f"open /srv/scans/{WHO}_Maria.pdf of {WHO.lower()}@example.org, born 1950-03-04: refused"
OWN = '    - {name: quux, path: /etc/zorro/quux.key, mode: "0600", uid: 0, gid: 0}\n'
OWN_PATH, OWN_RULE = "/etc/zorro/quux.key", "secret-files-private[quux]"
READ_BACK = ("Gonzalez", "gonzalez", "Maria", "1950-03-04")


@dataclass(slots=True)
class Talkative:
    """Answers as the machine below does, and gives its own reasons where that has none."""

    below: Target
    said: str

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        answers = self.below.ask(probes, deadline_s)
        return {p: self._spoilt(a) if self.said else a for p, a in answers.items()}

    def carry_out(self, operation: Operation) -> OperationResult:
        result = self.below.carry_out(operation)
        return OperationResult(ok=False, reason=self.said, ms=result.ms) if self.said else result

    def _spoilt(self, answer: Answer) -> Answer:
        return Answer("error", reason=self.said) if answer.status == "unsupported" else answer


@dataclass
class TalkativeDrill(Drill):
    said: str = SAID

    def target(self, _root: str, internal: object) -> Target:
        wired = Drill.target(self, _root, internal)  # type: ignore[arg-type]
        assert isinstance(wired, Wired)
        return Talkative(wired, self.said)


def break_both(machine: FakeMachine) -> None:
    break_service(machine)
    break_secret(machine)


def test_no_reason_of_a_machine_brings_a_patient_into_the_ledger(drill: Drill) -> None:
    talking = TalkativeDrill(drill.site, drill.clock)
    break_both(talking.machine)

    report = talking.run()

    assert any(WHO in outcome.reason for outcome in report.outcomes), "a person at it may see it"
    bodies = talking.bodies("run") + talking.bodies("outcome") + talking.bodies("intent")
    assert "outcome" in talking.kinds()
    assert [word for word in READ_BACK if word in str(bodies)] == []
    assert "[withheld: " in str(talking.bodies("outcome"))
    assert talking.verify().ok


def test_what_the_desired_state_says_itself_is_said_again_in_the_ledger(drill: Drill) -> None:
    said = f"{OWN_PATH}: {OWN_RULE} cannot be met"
    talking = TalkativeDrill(drill.site, drill.clock, said=said)
    drill.edit(HOST_FILE, lambda old: old + OWN)
    break_both(talking.machine)

    talking.run()

    steps = [step for body in talking.bodies("outcome") for step in body["steps"]]
    reasons = {result["reason"] for step in steps for result in step["results"]}
    assert reasons == {said}
    assert any(body["reason"].endswith(said) for body in talking.bodies("outcome"))


def test_a_run_that_finds_the_same_under_the_same_words_is_still_the_same(drill: Drill) -> None:
    talking = TalkativeDrill(drill.site, drill.clock)
    talking.run()
    talking.run()

    newest = talking.records()[-1].entry
    assert newest.kind.value == "run"
    assert newest.slim
    assert Path(talking.site.evidence).is_dir()

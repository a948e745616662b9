import pytest

from reconciler.report.control_state import ControlFacts, ControlState, state_of
from reconciler.report.spans import Folding
from tests.support.entries import finding, run

TESTED = ControlFacts("hipaa:164.312(b)", "Audit controls", "tested")


def state(*statuses: str, control: ControlFacts = TESTED) -> ControlState:
    folding = Folding()
    folding.add(run(1, *(finding(f"r{i}", s) for i, s in enumerate(statuses))))
    spans = folding.end()
    return state_of(control, spans, spans)


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        (("pass", "fail"), "fail"),
        (("pass", "unknown"), "other"),
        (("unknown", "fail"), "fail"),
        (("pass", "excepted"), "other"),
        (("excepted",), "other"),
        (("not_applicable",), "other"),
        ((), "other"),
    ],
)
def test_nothing_but_passes_satisfies(statuses: tuple[str, ...], reason: str) -> None:
    found = state(*statuses)
    assert (found.satisfied, found.reason) == (False, reason)
    assert "not satisfied" in found.words.lower()


def test_every_rule_passes_or_does_not_apply() -> None:
    found = state("pass", "pass", "not_applicable")
    assert (found.satisfied, found.reason) == (True, "pass")
    assert "3 rules" in found.words
    assert found.counts == {"pass": 2, "not_applicable": 1}


def test_unknown_says_so() -> None:
    assert "unknown is no pass" in state("pass", "unknown").words
    assert "1 unknown" in state("pass", "unknown").words


@pytest.mark.parametrize("evidence", ["supported", "attested", "unknown"])
def test_software_does_not_decide_what_a_person_must(evidence: str) -> None:
    control = ControlFacts(TESTED.id, "Title", evidence)  # type: ignore[arg-type]
    assert state("pass", control=control).satisfied is False


def test_other_controls_do_not_count() -> None:
    other = ControlFacts("hipaa:164.310(b)", "Other", "tested")
    assert "0 rules" in state("pass", control=other).words


def test_trouble_in_the_period_is_told_also_where_it_ended() -> None:
    folding = Folding()
    spans = folding.add(run(2, finding("r", "pass"))) + folding.add(run(1, finding("r", "fail")))
    spans += folding.end()
    standing = [span for span in spans if span.last.seq == 2]
    found = state_of(TESTED, spans, standing)
    assert found.satisfied
    assert "1 failed or could not be judged for a time" in found.words

import json

import pytest

from reconciler.errors import EvidenceError, InputError
from reconciler.evidence.record import Record
from reconciler.report.incident import MOST, Incident, document, gather, rule_states
from reconciler.report.incident_page import page
from tests.support.entries import (
    again,
    digest_of,
    finding,
    intent_body,
    outcome_body,
    record,
    run,
)

GOOD, BAD = finding("r", "pass"), finding("r", "fail")
NASTY = '"><script>alert(1)</script><img src=x onerror=y>'


def story(*, reason: str = "", observed: object = 1) -> list[Record]:
    """Oldest first: a clean run, slim ones, an incident, and what came after it."""
    bad = finding("r", "fail", observed={"n": observed})
    return [
        record(0, "genesis", {}),
        run(1, GOOD),
        again(2, 1),
        again(3, 1),
        record(4, "refusal", {"reason": "unsigned", "commit": None, "accepted": None,
                              "message": "no"}),
        record(5, "intent", intent_body(bad)),
        record(6, "outcome", outcome_body("r", "healed", "pass", reason), closes=5),
        run(7, GOOD),
        again(8, 7),
        record(9, "annotation", {"about": {"seq": 5, "sha256": digest_of(5)}, "text": NASTY,
                                 "by": "me"}),
        record(10, "annotation", {"about": {"seq": 1000, "sha256": digest_of(0)}, "text": "other",
                                  "by": "me"}),
    ]  # fmt: skip


def of(records: list[Record], seq: int = 5) -> Incident:
    return gather(reversed(records), seq)


def files(incident: Incident) -> dict[int, tuple[str, str]]:
    return {r.entry.seq: (f"f{r.entry.seq}", "0" * 64) for r in incident.all}


@pytest.mark.parametrize("seq", [5, 6], ids=["by-intent", "by-outcome"])
def test_it_reaches_from_the_run_before_to_the_run_after(seq: int) -> None:
    incident = of(story(), seq)

    assert [r.entry.seq for r in incident.entries] == [3, 4, 5, 6, 7]
    assert [r.entry.seq for r in incident.all] == [1, 3, 4, 5, 6, 7, 9]
    assert incident.before is not None
    assert incident.shown_before is not None
    assert (incident.before.entry.seq, incident.shown_before.entry.seq) == (3, 1)
    assert incident.tip.seq == 10
    (state,) = rule_states(incident)
    assert [state[when]["status"] for when in ("before", "found", "after")] == [
        "pass", "fail", "pass",
    ]  # fmt: skip


def test_a_slim_run_after_it_brings_the_run_that_it_repeats() -> None:
    records = [*story()[:6], record(6, "outcome", outcome_body("r", "failed", "fail"), closes=5)]
    incident = of([*records, again(7, 1)])
    assert incident.after is not None
    assert incident.shown_after is not None
    assert (incident.after.entry.seq, incident.shown_after.entry.seq) == (7, 1)


def test_an_open_intent_has_no_outcome_and_no_run_after() -> None:
    incident = of(story()[:6])
    assert (incident.outcome, incident.after, incident.shown_after) == (None, None, None)
    assert json.loads(document(incident, files(incident)))["result"] is None
    assert "still open" in page(incident, files(incident)).decode()


def test_without_a_run_before_nothing_is_made_up() -> None:
    incident = of([record(0, "genesis", {}), *story()[5:8]])
    assert incident.before is None
    (state,) = rule_states(incident)
    assert state["before"] is None
    assert "not judged" in page(incident, files(incident)).decode()


def test_the_same_entries_give_the_same_bytes() -> None:
    first, second = of(story()), of(story())
    assert document(first, files(first)) == document(second, files(second))
    assert page(first, files(first)) == page(second, files(second))


def test_what_machines_and_people_said_is_escaped() -> None:
    incident = of(story(reason=NASTY, observed=NASTY))
    html = page(incident, files(incident)).decode()
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    assert "http" not in html.replace('http-equiv="Content-Security-Policy"', "")


def test_too_much_around_it_is_refused_and_never_cut() -> None:
    crowd = [record(8 + i, "heartbeat", {}, slim=True) for i in range(MOST + 5)]
    with pytest.raises(EvidenceError, match="lie between"):
        of([*story()[:7], *crowd])
    before = [record(8 + i, "heartbeat", {}, slim=True) for i in range(MOST + 5)]
    with pytest.raises(EvidenceError, match="lie between"):
        of([record(0, "genesis", {}), *before, *story()[5:8]])
    far = [*story()[:8], *crowd]
    assert of(far).after is not None


@pytest.mark.parametrize(("seq", "said"), [(1, "of kind run"), (77, "no intent 77")])
def test_only_an_intent_is_an_incident(seq: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        of(story(), seq)

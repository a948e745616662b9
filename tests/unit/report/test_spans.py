import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence.record import Record
from reconciler.report.spans import Folding, Span
from tests.support.entries import again, finding, record, run, run_body

GOOD, BAD, BLIND = (finding("r", status) for status in ("pass", "fail", "unknown"))


def fold(*oldest_first: Record) -> list[tuple[str, int, int, int]]:
    folding, spans = Folding(), []
    for one in reversed(oldest_first):
        spans += folding.add(one)
    spans += folding.end()
    return sorted(map(short, spans), key=lambda span: span[1])


def short(span: Span) -> tuple[str, int, int, int]:
    return span.status, span.first.seq, span.last.seq, span.runs


def test_neighbours_that_show_the_same_are_one_span() -> None:
    assert fold(run(1, GOOD), run(2, GOOD), run(3, BAD), run(4, GOOD)) == [
        ("pass", 1, 2, 2),
        ("fail", 3, 3, 1),
        ("pass", 4, 4, 1),
    ]


def test_slim_runs_count_for_the_run_that_they_repeat() -> None:
    assert fold(run(1, GOOD), again(2, 1), again(3, 1), run(4, BAD), again(5, 4)) == [
        ("pass", 1, 3, 3),
        ("fail", 4, 5, 2),
    ]


def test_a_seal_counts_every_run_it_stands_for() -> None:
    assert fold(run(1, GOOD), again(2, 1, ticks=60)) == [("pass", 1, 2, 61)]


def test_other_entries_in_between_break_nothing() -> None:
    assert fold(run(1, GOOD), record(2, "gap", {}), again(3, 1), run(4, GOOD)) == [
        ("pass", 1, 4, 3)
    ]


def test_a_rule_that_is_not_judged_ends_its_span() -> None:
    other = finding("other", "pass")
    spans = fold(run(1, GOOD, other), run(2, other), run(3, GOOD, other))
    assert sorted(spans) == [("pass", 1, 1, 1), ("pass", 1, 3, 3), ("pass", 3, 3, 1)]


def test_an_exception_or_another_severity_is_another_span() -> None:
    assert len(fold(run(1, BAD), run(2, finding("r", "fail", severity="low")))) == 2
    assert len(fold(run(1, BAD), run(2, finding("r", "fail", controls=["hipaa:x"])))) == 2
    moved = finding("r", "fail", observed={"n": 7}, raw_digest="0" * 64)
    assert len(fold(run(1, BAD), run(2, moved))) == 1


def test_the_words_are_those_of_the_first_run_of_the_span() -> None:
    folding = Folding()
    folding.add(run(2, finding("r", "fail", observed={"n": 9}, raw_digest="2" * 64)))
    folding.add(run(1, finding("r", "fail", observed={"n": 5}, raw_digest="1" * 64)))
    (span,) = folding.end()
    assert span.detail == "n is 5, expected at most 1"
    assert span.raw_digest == "1" * 64
    assert span.last.seq == 2


def test_what_was_not_begun_has_spans_too() -> None:
    left = {
        "action": "a" * 64, "runbook": "RB-X-001", "rules": ["r"], "result": "deferred",
        "guard": "cooldown", "reason": "wait", "retry_after_s": 60,
    }  # fmt: skip
    folding = Folding()
    assert folding.add(record(2, "run", run_body(BAD, not_done=[left]))) == []
    (ended,) = folding.add(run(1, BAD))
    assert (ended.about, ended.status, ended.action) == ("not_done", "deferred", "a" * 64)
    assert ended.controls == ("hipaa:164.312(b)",)
    assert ended.detail == "cooldown: wait"


def test_a_base_outside_is_looked_at_and_not_counted() -> None:
    folding = Folding()
    folding.add(again(3, 1))
    folding.add(again(2, 1))
    folding.base(run(1, BLIND))
    (span,) = folding.end()
    assert short(span) == ("unknown", 2, 3, 2)
    assert span.detail == "could not look"


@pytest.mark.parametrize(
    "history",
    [
        (run(1, GOOD), run(2, GOOD), again(3, 1)),
        (run(1, GOOD), again(2, 1), again(3, 2)),
        (record(1, "run", {"pass": 30}),),
        (record(1, "run", run_body() | {"findings": [None]}),),
    ],
    ids=["another-run", "a-slim-one", "no-findings", "no-finding"],
)
def test_what_does_not_add_up_is_an_error(history: tuple[Record, ...]) -> None:
    with pytest.raises(EvidenceError, match="entry"):
        fold(*history)

from reconciler.evidence.record import Record
from reconciler.report.period import parse
from reconciler.report.survey import Survey, survey
from tests.support.entries import again, finding, record, run

DAY = parse("2026-03-02")
GOOD, BAD = finding("r", "pass"), finding("r", "fail")


def on(day: int, minute: int = 0) -> str:
    return f"2026-03-{day:02d}T12:{minute:02d}:00.000Z"


def of(*oldest_first: Record) -> Survey:
    return survey(reversed(oldest_first), "smile", "desk", DAY)


def test_only_the_period_is_counted() -> None:
    found = of(
        record(0, "genesis", {}, at=on(1)),
        run(1, BAD, at=on(1)),
        run(2, GOOD, at=on(2)),
        again(3, 2, at=on(2, 5), ticks=10),
        record(4, "checkpoint", {}, at=on(2, 6), slim=True),
        run(5, BAD, at=on(3)),
    )
    assert (found.runs, found.slim_runs) == (11, 10)
    assert found.counts == {"run": 2, "checkpoint": 1}
    assert [(s.status, s.first.seq, s.last.seq, s.runs) for s in found.spans] == [
        ("pass", 2, 3, 11)
    ]
    assert found.standing == found.spans
    assert found.first is not None
    assert found.last is not None
    assert found.tip is not None
    assert (found.first.seq, found.last.seq, found.tip.seq) == (2, 4, 5)
    assert found.events == ()


def test_a_period_may_begin_with_runs_that_repeat_an_older_one() -> None:
    read: list[int] = []

    def history() -> object:
        for one in (again(4, 2, at=on(2)), again(3, 2, at=on(2)), run(2, BAD, at=on(1)),
                    run(1, GOOD, at=on(1))):  # fmt: skip
            read.append(one.entry.seq)
            yield one

    found = survey(history(), "smile", "desk", DAY)  # type: ignore[arg-type]
    (span,) = found.spans
    assert (span.status, span.first.seq, span.last.seq, span.runs) == ("fail", 3, 4, 2)
    assert found.runs == 2
    assert found.desired == (("c" * 40, "d" * 64),)
    assert read == [4, 3, 2], "nothing older than needed is read"


def test_rare_entries_are_listed_with_their_words() -> None:
    body = {"from": on(1), "until": on(2), "promise_s": 300, "rebooted": True}
    found = of(
        record(1, "gap", body, at=on(2)),
        record(2, "key-change", {"action": "rotate", "proof": "x" * 500}, at=on(2)),
        record(3, "heartbeat", {"reason": "unreachable"}, at=on(2), slim=True),
    )
    assert [(e.where.seq, e.title) for e in found.events] == [(1, "gap"), (2, "key-change")]
    assert "promise_s: 300" in found.events[0].detail
    assert found.events[1].detail == "action: rotate"


def test_a_period_without_entries_is_empty_and_says_nothing() -> None:
    found = of(run(1, GOOD, at=on(1)), run(2, GOOD, at=on(3)))
    assert (found.runs, found.spans, found.first, found.last_run) == (0, (), None, None)
    assert found.standing == ()

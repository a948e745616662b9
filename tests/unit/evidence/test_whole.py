"""A history as a whole, which is the same however it was cut into stretches."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.evidence.audit import AuditReport, judge
from reconciler.evidence.fault import Code
from reconciler.evidence.history import history
from reconciler.evidence.merkle import EMPTY_ROOT, Frontier
from reconciler.evidence.record import Branch
from reconciler.evidence.statement import Kind, Reference
from reconciler.evidence.stretch import Stretch, gather
from reconciler.evidence.whole import TOLERANCE_S, Start, Whole
from tests.support.evidence_keys import test_key as key_of
from tests.support.forge import HONEST, KEY, Forge, allowed, honest, signer_line
from tests.support.random_history import SIGNERS, random_history

PROMISE_S = 300
LIMIT_MS = (2 * PROMISE_S + TOLERANCE_S) * 1000
OLD = key_of("smile/desk 2025")
EVERY_SIZE = frozenset(range(20))


def branch_of(forge: Forge) -> Branch:
    return Branch(forge.client, forge.host, SIGNERS)


def stretched(forge: Forge, cuts: Sequence[int], first: int = 0) -> list[Stretch]:
    """Stretches of the entries from a number on, newest first; one begins at each cut."""
    starts = sorted({first, *(cut for cut in cuts if first < cut < len(forge.commits))})
    ends = [*(start - 1 for start in starts[1:]), len(forge.commits) - 1]
    return [
        gather(
            history(
                forge,
                branch_of(forge),
                forge.commits[end],
                until=forge.commits[start] if start else None,
            )
        )
        for start, end in reversed(list(zip(starts, ends, strict=True)))
    ]


def judged(forge: Forge, cuts: Sequence[int] = ()) -> AuditReport:
    return judge(branch_of(forge), forge.commits[-1], stretched(forge, cuts), (), EVERY_SIZE)


def followed(forge: Forge, cuts: Sequence[int] = ()) -> Whole:
    return Whole(branch_of(forge), Start(), stretched(forge, cuts), EVERY_SIZE)


def summary(report: AuditReport) -> dict[str, Any]:
    return {
        "faults": sorted(map(str, report.faults)),
        "counted": (report.entries, report.runs, report.promised, report.counts),
        "ends": (report.newest, report.oldest, report.open_intents),
        "log": (report.log, report.roots),
        "keys": report.keys,
        "gaps": report.gaps,
        "without_run": report.without_run,
        "marks": report.marks,
    }


CUTS = st.lists(st.integers(1, 14), max_size=5)


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.integers(0, 10_000), CUTS)
def test_it_is_the_same_however_a_history_is_cut(seed: int, cuts: list[int]) -> None:
    forge = random_history(seed)
    assert summary(judged(forge, cuts)) == summary(judged(forge))


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), CUTS)
def test_a_later_audit_goes_on_from_where_an_earlier_one_ended(
    seed: int, seen: int, cuts: list[int]
) -> None:
    forge = random_history(seed)
    seen = min(seen, len(forge.commits))
    older = Forge(forge.client, forge.host, objects=forge.objects, commits=forge.commits[:seen])
    before = Whole(branch_of(forge), Start(), stretched(older, cuts), EVERY_SIZE)
    start = before.end()
    if before.faults or start is None:
        return
    newer = stretched(forge, cuts, seen) if seen < len(forge.commits) else []
    later = Whole(branch_of(forge), start, newer, EVERY_SIZE)
    at_once = followed(forge)
    assert sorted(map(str, later.faults)) == sorted(map(str, at_once.faults))
    for name in (
        "log",
        "roots",
        "gaps",
        "marks",
        "promised",
        "run",
        "promise",
        "moment",
        "between",
    ):
        assert getattr(later, name) == getattr(at_once, name), name


def test_random_histories_are_of_every_kind() -> None:
    reports = [judged(random_history(seed)) for seed in range(80)]
    assert 10 <= sum(report.ok for report in reports) <= 70
    assert sum(report.log is None for report in reports) >= 3
    assert sum(bool(report.gaps) for report in reports) >= 10


# The log


def test_the_log_is_that_of_all_entries_and_roots_are_given_where_asked() -> None:
    forge = honest(6)
    whole = Whole(branch_of(forge), Start(), stretched(forge, (2, 4)), frozenset({0, 3, 6, 9}))
    assert whole.log == forge.log(6)
    assert whole.roots == {0: EMPTY_ROOT, 3: forge.log(3).root(), 6: forge.log(6).root()}


@pytest.mark.parametrize("cuts", [(), (3,), (4,), (1, 2, 3, 4)])
def test_a_false_claim_of_the_log_is_found_at_its_entry(cuts: tuple[int, ...]) -> None:
    forge = honest(3)
    forge.append(Kind.OUTCOME, {}, closes=Reference(2, forge.digests[2]))
    oid = forge.append(log=Frontier(4, (bytes(32),)))
    forge.append()
    (fault,) = followed(forge, cuts).faults
    assert (fault.code, fault.place.commit, fault.place.seq) == (Code.LOG, oid, 4)
    assert forge.log(4).root().hex() in fault.message


def test_with_a_hole_nothing_is_said_of_log_and_keys() -> None:
    forge = honest(4)
    del forge.objects[forge.commits[1]]
    whole = followed(forge)
    assert (whole.log, whole.roots, whole.life, whole.end()) == (None, {}, None, None)


def test_nothing_at_all_has_no_end() -> None:
    whole = Whole(Branch("smile", "desk", HONEST), Start(), [], frozenset())
    assert (whole.log, whole.life, whole.keys, whole.gaps) == (Start().log, None, (), ())
    assert whole.end() is None


# Promises and gaps


def promised(promise: object = PROMISE_S) -> Forge:
    forge = Forge()
    forge.append(Kind.GENESIS)
    forge.append(body={"promise_s": promise}, recorded_at="2026-03-01T23:00:00.000Z")
    return forge


def after(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    return f"2026-03-01T23:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}Z"


def test_the_tolerance_is_exact_to_the_millisecond() -> None:
    late, in_time = promised(), promised()
    in_time.append(recorded_at=after(LIMIT_MS))
    late.append(recorded_at=after(LIMIT_MS + 1))
    assert judged(in_time).gaps == ()
    (gap,) = judged(late).gaps
    assert (gap.seq, gap.end - gap.begin, gap.promise_s) == (2, LIMIT_MS + 1, PROMISE_S)
    assert not gap.declared
    (fault,) = judged(late).faults
    assert (fault.code, fault.place.seq, fault.place.commit) == (Code.GAP, 2, None)
    assert "660 s" in fault.message


@pytest.mark.parametrize("kind", [Kind.HEARTBEAT, Kind.CHECKPOINT, Kind.ANNOTATION])
def test_any_entry_is_a_sign_of_life(kind: Kind) -> None:
    forge = promised()
    forge.append(kind, {}, recorded_at=after(LIMIT_MS // 2))
    forge.append(recorded_at=after(LIMIT_MS))
    assert followed(forge, (1, 2, 3)).gaps == ()
    assert followed(forge).promised == 2


@pytest.mark.parametrize("promise", [None, 0, -300, True, "300", [300]])
def test_what_is_no_promise_promises_nothing(promise: object) -> None:
    forge = promised(promise)
    forge.append(recorded_at=after(LIMIT_MS * 3))
    report = judged(forge)
    assert (report.gaps, report.promised, report.faults) == ((), 0, ())


def test_a_promise_holds_until_the_next_full_run_takes_it_back() -> None:
    forge = promised()
    forge.append_slim(recorded_at=after(300_000))
    forge.append(Kind.INTENT, {}, recorded_at=after(301_000))
    forge.append(recorded_at=after(302_000))
    forge.append(recorded_at="2026-03-02T23:00:00.000Z")
    assert followed(forge, (2, 3, 4)).promised == 3
    assert followed(forge).gaps == ()
    assert followed(forge).promise is None


def test_a_gap_and_a_key_change_declare_what_they_end() -> None:
    forge = promised()
    forge.append(Kind.GAP, {"from": after(0)}, recorded_at=after(LIMIT_MS * 2))
    forge.rotate(OLD)
    report = judged(forge)
    assert [(gap.seq, gap.declared) for gap in report.gaps] == [(2, True), (3, True)]
    assert report.faults == ()


def test_sealed_runs_are_moments_of_their_own() -> None:
    forge = promised()
    body = {"like": 1, "ticks": [300_000, LIMIT_MS + 1, 300_000]}
    forge.append_slim(body=body, recorded_at=after(600_000 + LIMIT_MS + 1))
    report = judged(forge)
    (gap,) = report.gaps
    assert gap.end - gap.begin == LIMIT_MS + 1
    assert (report.runs, report.promised) == (4, 3)


# What runs repeat


def test_a_run_repeats_the_newest_with_findings() -> None:
    forge = honest(2)
    forge.append_slim()
    forge.append(Kind.ANNOTATION, {})
    forge.append_slim(body={"like": 1})
    forge.append()
    forge.append_slim(body={"like": 5})
    assert followed(forge, (2, 3, 4, 5, 6)).faults == followed(forge).faults == []
    assert followed(forge).run == 5


@pytest.mark.parametrize("like", [0, 1, 3, 4, 99])
@pytest.mark.parametrize("cuts", [(), (2,), (3,), (4,)])
def test_a_run_that_repeats_another_is_a_fault(like: int, cuts: tuple[int, ...]) -> None:
    forge = honest(2)
    forge.append()
    oid = forge.append_slim(body={"like": like})
    forge.append_slim(body={"like": 2})
    (fault,) = followed(forge, cuts).faults
    assert (fault.code, fault.place.commit) == (Code.REPEATED, oid)


def test_a_run_before_any_run_repeats_nothing() -> None:
    forge = Forge()
    forge.append(Kind.GENESIS)
    forge.append_slim(body={"like": 0})
    assert [fault.code for fault in followed(forge).faults] == [Code.REPEATED]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"like": None},
        {"like": True},
        {"like": "1"},
        {"like": 1, "ticks": []},
        {"like": 1, "ticks": {}},
        {"like": 1, "ticks": None},
        {"like": 1, "ticks": [1, -1]},
        {"like": 1, "ticks": [True]},
        {"like": 1, "ago_ms": -1},
        {"like": 1, "ago_ms": None},
        {"like": 1, "ago_ms": True},
    ],
    ids=repr,
)
def test_a_run_that_does_not_say_what_and_when_is_a_fault(body: dict[str, Any]) -> None:
    forge = honest(2)
    oid = forge.append_slim(body=body)
    (fault,) = judged(forge).faults
    assert (fault.code, fault.place.commit) == (Code.BODY, oid)


# Keys


def test_keys_are_followed_over_every_seam() -> None:
    forge = Forge(key=OLD)
    forge.append(Kind.GENESIS)
    forge.append()
    forge.rotate(KEY)
    forge.append()
    for cuts in ((), (1,), (2,), (3,), (1, 2, 3)):
        whole = followed(forge, cuts)
        assert whole.faults == []
        assert whole.life is not None
        assert [(use.by, use.until) for use in whole.life.uses] == [
            ("genesis", 2),
            ("rotate", None),
        ]


@pytest.mark.parametrize("cuts", [(), (2,), (3,), (4,), (1, 2, 3, 4)])
def test_a_key_that_nobody_announced_is_found_over_every_seam(cuts: tuple[int, ...]) -> None:
    forge = Forge(key=OLD)
    forge.append(Kind.GENESIS)
    forge.append()
    forge.key = KEY
    oid = forge.append()
    forge.append()
    found = {(fault.code, fault.place.commit) for fault in judged(forge, cuts).faults}
    assert found == {(Code.KEY, oid)}


def test_a_history_without_its_beginning_has_no_keys() -> None:
    forge = honest(4)
    stretches = stretched(forge, (), 2)
    whole = Whole(Branch("smile", "desk", HONEST), Start(), stretches, frozenset())
    assert whole.life is None
    listed = allowed(signer_line("smile/desk", KEY))
    assert whole.keys == tuple(signer.public for signer in listed.signers)

"""What a verification claims: sentences with the numbers behind them, and what is not proven.

Rule 1: A claim is proven, not proven, or false; nothing that was not looked at is proven.
Rule 2: What is missing (a witness, a proof of time, a copy) is a claim of its own, so that its
        absence is read, and is never taken for success.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from reconciler.evidence.audit import AuditReport
from reconciler.evidence.claim import Claim, CopyClaim, State, TimeClaim
from reconciler.evidence.entry import Kind
from reconciler.evidence.key_life import change_of
from reconciler.evidence.testimony import Testimony

__all__ = ["Claim", "CopyClaim", "State", "TimeClaim", "claims"]


def claims(
    report: AuditReport,
    heard: Testimony | None,
    times: Sequence[TimeClaim] = (),
    copies: CopyClaim | None = None,
) -> list[Claim]:
    """Everything that is claimed of one branch.

    Args:
        report: Its audit.
        heard: What is said of it by others; None for a witness's own ledger.
        times: Its anchors.
        copies: Its copies.
    """
    if not report.ok or report.newest is None or report.oldest is None:
        return [Claim("entries", State.FALSE, report.sentence, report.ref)]
    made = [_runs(report), _order(report), _keys(report)]
    if heard is None:
        # A witness runs nothing, and promises nothing.
        return made
    made += [_policies(report), _intents(report), _gaps(report), _without_run(report)]
    made += [*_witnesses(report, heard), *_times(report, times), _not_before(report, heard)]
    return [*made, _copies(report, copies)]


def _runs(report: AuditReport) -> Claim:
    newest, oldest = report.newest, report.oldest
    assert newest is not None  # noqa: S101 - for the type checker; `claims` made sure of it
    assert oldest is not None  # noqa: S101 - as above
    span = f"from {oldest.entry.recorded_at} to {newest.entry.recorded_at}"
    kinds = ", ".join(
        f"{count:,} {kind.value}" for kind, count in sorted(report.counts.items(), key=_most_first)
    )
    text = f"{_count(report.entries, 'entry', 'entries')} {span}"
    if report.runs:
        text = f"{_count(report.runs, 'run')} in {text}"
    return _proven(report, "runs", f"{text} ({kinds}), by the appliance's clock")


def _most_first(item: tuple[Kind, int]) -> tuple[int, str]:
    return -item[1], item[0].value


def _order(report: AuditReport) -> Claim:
    last = report.entries - 1
    root = "" if report.log is None else f"; the log of all has root {report.log.root().hex()}"
    text = f"numbers 0 to {last:,} without a hole, each chained to the one before by SHA-256{root}"
    return _proven(report, "order", text)


def _keys(report: AuditReport) -> Claim:
    changes = [c for mark in report.marks if (c := change_of(mark)) is not None]
    listed = ", ".join(report.keys)
    number = _count(len(report.keys), "key")
    said = f"{_count(len(changes), 'key change')}"
    if changes:
        seqs = [m.entry.seq for m in report.marks if change_of(m) is not None]
        at = ", ".join(f"{c.action.value} at {s:,}" for c, s in zip(changes, seqs, strict=True))
        said += f" ({at})"
    return _proven(report, "keys", f"signed by {number} ({listed}), each in its place; {said}")


def _policies(report: AuditReport) -> Claim:
    if not report.policies:
        return _missing(report, "policy", "no entry names a policy commit")
    newest = report.policies[-1]
    text = f"under {_count(len(report.policies), 'policy commit')}, the newest {newest}"
    return _proven(report, "policy", text)


def _intents(report: AuditReport) -> Claim:
    begun = report.counts.get(Kind.INTENT, 0)
    waiting = report.open_intents
    if not begun:
        return _proven(report, "intents", "nothing was done: there is no intent to act")
    text = f"{_count(begun, 'intent')}, each signed before its act and closed by one outcome"
    if waiting:
        seqs = ", ".join(f"{reference.seq:,}" for reference in waiting)
        return _missing(report, "intents", f"{text}, except {len(waiting)} still open: {seqs}")
    return _proven(report, "intents", text)


def _gaps(report: AuditReport) -> Claim:
    if not report.promised:
        text = "no interval between runs is promised, so no gap can be told"
        return _missing(report, "gaps", text)
    listed = "; ".join(
        f"{_moment(gap.begin)} to {_moment(gap.end)} before entry {gap.seq:,}"
        for gap in report.gaps[-10:]
    )
    more = f" (the last 10: {listed})" if len(report.gaps) > 10 else f" ({listed})"
    text = f"{_count(len(report.gaps), 'gap')}{more if report.gaps else ''} against the promised"
    text += f" interval, over {report.promised:,} steps from one run or other entry to the next"
    text += "; all declared"
    # The step from the first entry to the first run is always without a promise.
    moments = report.runs + report.entries - report.counts.get(Kind.RUN, 0)
    free = moments - 1 - report.promised
    if free > 1:
        text += f"; {free:,} other steps were under no promise, so no gap in them can be told"
        return _missing(report, "gaps", text)
    return _proven(report, "gaps", text)


def _without_run(report: AuditReport) -> Claim:
    """Beside the gaps: there, every signed entry is a sign of life; here only a run counts."""
    if report.without_run is None or not report.runs:
        return _missing(report, "without-run", "there is no run at all")
    begin, end = report.without_run
    text = (
        f"at most {_duration(end - begin)} passed without a run, from {_moment(begin)} to "
        f"{_moment(end)}; heartbeats and other signed entries are no runs"
    )
    return _proven(report, "without-run", text)


def _witnesses(report: AuditReport, heard: Testimony) -> Iterable[Claim]:
    for objected in heard.objected:
        text = f"{objected.witness} did not vouch: {objected.reason}: {objected.message}"
        yield Claim("witness", State.FALSE, text, report.ref)
    if not heard.cosigned:
        text = (
            "no witness vouches for this log: newest entries that were cut off, or a history that "
            "the owner of the key wrote anew, would not be found"
        )
        yield _missing(report, "witness", text)
        return
    newest = heard.cosigned[-1]
    names = sorted({one.witness for one in heard.cosigned})
    at = _moment(newest.time * 1000)
    text = (
        f"{_count(len(names), 'witness', 'witnesses')} ({', '.join(names)}) vouched for this log, "
        f"last for its first {newest.size:,} entries at {at}"
    )
    yield _proven(report, "witness", text)
    if newest.size < report.entries:
        unseen = report.entries - newest.size
        text = f"the newest {_count(unseen, 'entry', 'entries')} no witness has vouched for yet"
        yield _missing(report, "unwitnessed", text)


def _times(report: AuditReport, times: Sequence[TimeClaim]) -> Iterable[Claim]:
    proven = [one for one in times if one.not_after is not None]
    if not times:
        text = "no independent proof of time: the times are those of the appliance's own clock"
        yield _missing(report, "time", text)
        return
    if not proven:
        reasons = "; ".join(
            sorted({f"{one.method} by {one.authority}: {one.detail}" for one in times})
        )
        yield _missing(report, "time", f"no independent proof of time holds: {reasons}")
        return
    newest = max(proven, key=lambda one: one.size)
    text = (
        f"{_count(len(proven), 'independent time proof')}, the last by {newest.authority} "
        f"({newest.method}): the first {newest.size:,} entries were there no later than "
        f"{_text(newest.not_after)}"
    )
    yield _proven(report, "time", text)
    for early in (one for one in proven if one.too_early):
        text = (
            f"the first {early.size:,} entries were there by {_text(early.not_after)}, says "
            f"{early.authority}; the appliance's clock, which was ahead, says they were written "
            f"until {_text(early.written_at)}"
        )
        yield Claim("clock", State.FALSE, text, report.ref)
    waiting = len(times) - len(proven)
    if waiting:
        reasons = "; ".join(sorted({o.detail for o in times if o.not_after is None})[:3])
        text = f"{_count(waiting, 'time proof')} prove nothing yet: {reasons}"
        yield _missing(report, "time-pending", text)


def _not_before(report: AuditReport, heard: Testimony) -> Claim:
    """A cosignature in the log's own ledger: what comes after it was written after it was made."""
    holds = {(one.size, one.time) for one in heard.cosigned}
    taken_in = [
        (mark.entry.seq, time)
        for mark in report.marks
        if mark.entry.kind is Kind.COSIGNATURE
        for size, time in holds
        if (mark.entry.body.get("size"), mark.entry.body.get("time")) == (size, time)
    ]
    if not taken_in:
        text = "nothing from outside is in this log that would show that an entry is not older"
        return _missing(report, "not-before", text)
    seq, time = taken_in[-1]
    text = (
        f"{_count(len(taken_in), 'entry', 'entries')} hold a witness's word, which nobody could "
        f"know before: what follows entry {seq:,} was written after {_moment(time * 1000)}"
    )
    return _proven(report, "not-before", text)


def _copies(report: AuditReport, copies: CopyClaim | None) -> Claim:
    if copies is None or copies.upto is None:
        text = "no copy in a store that nobody can delete from is recorded"
        return _missing(report, "copies", text)
    text = (
        f"{_count(copies.objects, 'copy', 'copies')} up to entry {copies.upto:,} recorded in "
        f"{copies.store}, kept until {copies.retain_until} at least"
    )
    if copies.holes:
        text += f", with {_count(copies.holes, 'hole')} between them"
        return _missing(report, "copies", text)
    if not copies.checked:
        return _missing(report, "copies", f"{text}; the store was not asked")
    return _proven(report, "copies", f"{text}; each was found there as recorded")


def _proven(report: AuditReport, subject: str, sentence: str) -> Claim:
    return Claim(subject, State.PROVEN, sentence, report.ref)


def _missing(report: AuditReport, subject: str, sentence: str) -> Claim:
    return Claim(subject, State.NOT_PROVEN, sentence, report.ref)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _duration(milliseconds: int) -> str:
    """Rounded up, so that a time is never said to be shorter than it was."""
    minutes = -(-milliseconds // 60_000)
    hours = -(-minutes // 60)
    if minutes <= 120:
        return f"{minutes} min"
    return f"{hours} h" if hours <= 48 else f"{-(-hours // 24)} days"


def _moment(milliseconds: int) -> str:
    return _text(datetime.fromtimestamp(milliseconds // 1000, UTC))


def _text(at: datetime | None) -> str:
    return "never" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

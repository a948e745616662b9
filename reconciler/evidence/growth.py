"""Whether a branch only grew since a witness last vouched for its log, from the branch itself.

Rule 1: Everything newer than what was vouched for is examined; of what is older only as much as
        leads to an entry that says what the log was before it. Equal roots then prove the rest.
Rule 2: An offer is a checkpoint that the branch's own key signed and that its log agrees with.
Rule 3: What is only late is not false: a time without runs is the auditor's business.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.errors import EvidenceError
from reconciler.evidence import layout
from reconciler.evidence.audit import AuditReport, judge
from reconciler.evidence.entry import FIRST_SEQ, Kind
from reconciler.evidence.fault import Code, Fault
from reconciler.evidence.history import Step, history
from reconciler.evidence.key_change import Action
from reconciler.evidence.key_life import change_of, next_key, vouched
from reconciler.evidence.merkle import Frontier
from reconciler.evidence.note import Checkpoint, open_checkpoint, signed_only_by
from reconciler.evidence.objection import Objection
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.source import ObjectSource
from reconciler.evidence.stretch import gather
from reconciler.evidence.whole import Start
from reconciler.evidence.witnessing import Seen

_NOT_OURS = frozenset({Code.GAP})


@dataclass(frozen=True, slots=True)
class Offer:
    """What a log asks to be vouched for.

    Attributes:
        checkpoint: Its newest checkpoint.
        note: That, signed by the log.
    """

    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, slots=True)
class Growth:
    """A branch that only grew.

    Attributes:
        entries: How many entries were examined.
        size: How many entries the log has.
        offer: The newest checkpoint, None if none is newer than what was vouched for.
    """

    entries: int
    size: int
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class _Signed:
    """A checkpoint entry that was opened."""

    record: Record
    offer: Offer


def growth(source: ObjectSource, branch: Branch, seen: Seen | None) -> Growth | Objection:
    """Examine what is new of a branch.

    Args:
        source: Where the objects are.
        branch: Whose branch, and who may sign.
        seen: What was vouched for last, None for never.
    """
    tip = source.ref(branch.ref)
    shown = _Shown(branch, tip)
    if tip is None:
        return shown.objection(Code.NO_LEDGER, f"there is no branch {branch.ref}")
    faults: list[Fault] = []
    steps = _until_known(history(source, branch, tip), 0 if seen is None else seen.size)
    stretch = gather(_handed_over(steps, branch.signers, faults))
    signed = [_opened(mark, branch, faults) for mark in stretch.marks]
    start, base = _start(stretch.oldest)
    sizes = {mark.entry.seq for mark in stretch.marks} | ({seen.size} if seen else set())
    report = judge(branch, tip, [stretch], faults, frozenset(sizes), start)
    return _judged(report, base, seen, [one for one in signed if one is not None], shown)


class _Shown:
    """What is shown of a branch, for objections."""

    def __init__(self, branch: Branch, tip: str | None) -> None:
        self._origin = layout.origin(branch.client, branch.host)
        self._tip = tip

    def objection(
        self,
        code: Code,
        message: str,
        size: int | None = None,
        root: bytes | None = None,
        offer: Offer | None = None,
    ) -> Objection:
        """An objection to it; an offer that contradicts what is known is a proof by itself."""
        note = None if offer is None else offer.note
        shown = {"commit": self._tip, "size": size, "root": root and root.hex(), "note": note}
        return Objection(self._origin, code.value, message, shown)


def _judged(
    report: AuditReport, base: Frontier, seen: Seen | None, signed: list[_Signed], shown: _Shown
) -> Growth | Objection:
    faults = [fault for fault in report.faults if fault.code not in _NOT_OURS]
    log, newest = report.log, signed[0].offer if signed else None
    if faults or log is None:
        # The oldest is where it went wrong, unless it only says that nothing older can be read.
        wrong = next((one for one in reversed(faults) if one.code is not Code.GENESIS), faults[-1])
        return shown.objection(wrong.code, str(wrong))
    roots = {base.size: base.root(), **report.roots}
    if seen is not None and log.size < seen.size:
        message = f"log has {log.size} entries, and {seen.size} were vouched for"
        return shown.objection(Code.SHORTER, message, log.size, log.root(), newest)
    if seen is not None and roots[seen.size] != seen.root:
        message = f"log has another root at {seen.size} entries than was vouched for"
        return shown.objection(Code.EQUIVOCATION, message, seen.size, roots[seen.size], newest)
    false = [one for one in signed if one.offer.checkpoint.root != roots[one.record.entry.seq]]
    if false:
        message = f"checkpoint at {false[-1].record.place} is signed over another root"
        return shown.objection(Code.CHECKPOINT, message, offer=false[-1].offer)
    known = -1 if seen is None else seen.size
    fresh = newest if newest is not None and newest.checkpoint.size > known else None
    return Growth(report.entries - base.size, log.size, fresh)


def _until_known(steps: Iterator[Step], size: int) -> Iterator[Step]:
    """Steps down to a run with a file that says what the log was before the known size ended."""
    for step in steps:
        yield step
        entry = None if step.record is None else step.record.entry
        # A run, so that newer runs that repeat its findings can be judged.
        if entry is None or entry.log is None or entry.kind is not Kind.RUN:
            continue
        if entry.seq <= size:
            return


def _start(oldest: Record | None) -> tuple[Start, Frontier]:
    """What the oldest entry that was examined says of the log before it."""
    log = oldest.entry.log if oldest is not None else None
    if log is None or log.size == FIRST_SEQ:
        return Start(), Frontier.empty()
    return Start(log=log, entries=log.size), log


def _handed_over(
    steps: Iterable[Step], signers: AllowedSigners, faults: list[Fault]
) -> Iterator[Step]:
    """Pass steps on, and see that each key is the one that the entry before it left in force."""
    child: Record | None = None
    for step in steps:
        yield step
        if child is not None and step.record is not None:
            faults += _succession(child, step.record, signers)
        child = step.record


def _succession(child: Record, parent: Record, signers: AllowedSigners) -> list[Fault]:
    change = change_of(child)
    replaced = change is not None and change.action is Action.REPLACE
    expected = change.public if change is not None and replaced else next_key(parent)
    faults = vouched(child, signers) if child.entry.kind is Kind.KEY_CHANGE else []
    if child.public != expected:
        message = "is signed by a key that the entry before it does not leave in force"
        faults.append(Fault(Code.KEY, child.place, message))
    return faults


def _opened(mark: Record, branch: Branch, faults: list[Fault]) -> _Signed | None:
    if mark.entry.kind is not Kind.CHECKPOINT:
        return None
    note, origin = mark.entry.body.get("note"), layout.origin(branch.client, branch.host)
    try:
        checkpoint = open_checkpoint(str(note), origin, mark.public)
    except EvidenceError as error:
        faults.append(Fault(Code.CHECKPOINT, mark.place, error.message))
        return None
    if checkpoint.size != mark.entry.seq:
        message = f"is a checkpoint of {checkpoint.size} entries"
        faults.append(Fault(Code.CHECKPOINT, mark.place, message))
        return None
    return _Signed(mark, Offer(checkpoint, signed_only_by(str(note), origin, [mark.public])))

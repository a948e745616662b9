"""The audit: what a whole ledger proves, offline, from raw bytes.

Every fault that can still be reached is collected; a history with a fault in it proves nothing.
What an audit alone cannot see is a newest part that was cut off, and a whole history that the owner
of the key wrote anew: that needs somebody who remembers (`reconciler.evidence.testimony`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from reconciler.evidence import whole
from reconciler.evidence.entry import Kind, Reference
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.follow import follows, open_after
from reconciler.evidence.history import history
from reconciler.evidence.merkle import Frontier
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.source import ObjectSource
from reconciler.evidence.sshsig import fingerprint
from reconciler.evidence.stretch import MAX_FAULTS, Stretch, gather
from reconciler.evidence.whole import Gap

__all__ = ["MAX_FAULTS", "AuditReport", "Gap", "audit", "judge", "unknown_refs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What an audit found.

    Attributes:
        ref: The branch that was audited.
        tip: Its newest commit, None if there is no such branch.
        entries: How many entries are proven.
        runs: How many runs they stand for; a sealed hour is one entry and many runs.
        newest: The newest proven entry, None if there is none.
        oldest: The oldest proven entry, None if there is none.
        counts: Proven entries by kind.
        open_intents: Intents that no outcome has closed, after the newest proven entry.
        keys: Fingerprints of the keys that signed, oldest use first.
        log: The log of all entries, None if the history has holes.
        roots: Root of the log at each size that somebody asked for.
        gaps: Times without a run that were longer than promised.
        promised: How many entries were under a promised interval.
        without_run: When the longest time without a run began and ended, milliseconds since 1970;
            None without entries.
        policies: Fleet commits that entries were under, oldest use first.
        marks: Entries of the rarer kinds (checkpoints, gaps, key changes …), oldest first.
        end: From where a later audit can go on; None if there are faults.
        faults: Everything that is wrong, newest commit first.
    """

    ref: str
    tip: str | None
    entries: int
    runs: int
    newest: Record | None
    oldest: Record | None
    counts: Mapping[Kind, int]
    open_intents: tuple[Reference, ...]
    keys: tuple[str, ...]
    log: Frontier | None
    roots: Mapping[int, bytes]
    gaps: tuple[Gap, ...]
    promised: int
    without_run: tuple[int, int] | None
    policies: tuple[str, ...]
    marks: tuple[Record, ...]
    end: whole.Start | None
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """Whether the whole history is proven: at least one entry, and no fault."""
        return self.entries > 0 and not self.faults

    @property
    def sentence(self) -> str:
        """What was proven, in one line."""
        if self.newest is None or self.oldest is None:
            return f"nothing in {self.ref} verifies: {self._first_fault()}"
        span = f"from {self.oldest.entry.recorded_at} to {self.newest.entry.recorded_at}"
        keys = f"{'key' if len(self.keys) == 1 else 'keys'} {', '.join(self.keys)}"
        if self.faults:
            count = f"{len(self.faults):,} fault{'s' * (len(self.faults) > 1)}"
            return f"{self.ref} does NOT verify: {count}, first: {self._first_fault()}"
        number = f"{self.entries:,} {'entry' if self.entries == 1 else 'entries'}"
        verify = "verifies" if self.entries == 1 else "verify"
        waiting = f"{len(self.open_intents) or 'no'} open intent"
        waiting += "s" * (len(self.open_intents) > 1)
        return f"{number} {span} by {keys} {verify}; {waiting}"

    def _first_fault(self) -> str:
        return str(self.faults[-1]) if self.faults else "it is empty"


def audit(
    source: ObjectSource,
    branch: Branch,
    *,
    other_refs: Set[str] = frozenset(),
    sizes: Set[int] = frozenset(),
) -> AuditReport:
    """Audit a branch from its newest entry to genesis.

    Args:
        source: Where the objects are.
        branch: Whose branch, and who may sign.
        other_refs: Full names of references that are audited elsewhere; every one that is
            neither here nor the branch itself is a fault.
        sizes: Sizes of the log whose roots somebody wants to compare.
    """
    tip = source.ref(branch.ref)
    tips = set() if tip is None else {tip}
    faults = unknown_refs(source.refs(), {branch.ref, *other_refs}, tips)
    stretches = [] if tip is None else [gather(history(source, branch, tip))]
    return judge(branch, tip, stretches, faults, sizes)


def judge(
    branch: Branch,
    tip: str | None,
    stretches: Sequence[Stretch],
    faults: Sequence[Fault] = (),
    sizes: Set[int] = frozenset(),
    start: whole.Start | None = None,
) -> AuditReport:
    """Judge a history as a whole.

    Args:
        branch: Whose branch, and who may sign.
        tip: Its newest commit, None if there is no such branch.
        stretches: All of its entries, newest stretch first.
        faults: What is wrong besides.
        sizes: Sizes of the log whose roots somebody wants to compare.
        start: What was proven earlier of the entries before the stretches, if anything.
    """
    found = list(faults)
    if tip is None:
        found.append(Fault(Code.NO_LEDGER, Place(path=branch.ref), "there is no such branch"))
    start = start or whole.Start()
    found += _seams(stretches, start.newest)
    followed = whole.Whole(branch, start, stretches, sizes)
    found += followed.faults
    ends = [stretch for stretch in stretches if stretch.newest is not None]
    newest = ends[0].newest if ends else start.newest
    counts: Counter[Kind] = sum((stretch.counts for stretch in stretches), Counter(start.counts))
    return AuditReport(
        ref=branch.ref,
        tip=tip,
        entries=start.entries + sum(stretch.entries for stretch in stretches),
        runs=start.runs + sum(stretch.runs for stretch in stretches),
        newest=newest,
        oldest=start.oldest or (ends[-1].oldest if ends else None),
        counts=dict(counts),
        open_intents=() if newest is None else open_after(newest),
        keys=tuple(fingerprint(public) for public in followed.keys),
        log=followed.log,
        roots=followed.roots,
        gaps=followed.gaps,
        promised=followed.promised,
        without_run=followed.between.longest(followed.moment),
        policies=followed.policies,
        marks=followed.marks,
        end=None if found else followed.end(),
        faults=tuple(found),
    )


def unknown_refs(names: Mapping[str, str], audited: Set[str], tips: Set[str]) -> list[Fault]:
    """A reference that nobody audits could carry anything, or replace what auditors see.

    A remote-tracking copy of an audited tip is what a plain ``git clone`` leaves; it adds nothing.

    Args:
        names: All references with their object ids.
        audited: Names of those that are audited.
        tips: Object ids that they point to.
    """
    return [
        Fault(Code.UNKNOWN_REF, Place(commit=oid, path=name), "reference is not part of the ledger")
        for name, oid in sorted(names.items())
        if name not in audited and not (name.startswith("refs/remotes/") and oid in tips)
    ]


def _seams(stretches: Sequence[Stretch], before: Record | None) -> list[Fault]:
    """Faults of each stretch, and between neighbours; newest first."""
    found: list[Fault] = []
    # Where a commit proves nothing, its neighbours are not each other's.
    newest = [None if stretch.torn[0] else stretch.newest for stretch in stretches[1:]]
    for stretch, older in zip(stretches, [*newest, before], strict=False):
        found += stretch.faults
        if stretch.oldest is not None and older is not None and not stretch.torn[1]:
            found += follows(stretch.oldest, older)
    return found

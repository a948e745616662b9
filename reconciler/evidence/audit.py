"""The audit: what a whole ledger proves, offline, from raw bytes.

Every fault that can still be reached is collected; a history with a fault in it proves nothing.
What an audit alone cannot see is a newest part that was cut off: that needs somebody who remembers
a later entry.
"""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.follow import open_after
from reconciler.evidence.history import Step, history
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.source import ObjectSource
from reconciler.evidence.sshsig import fingerprint
from reconciler.evidence.statement import Kind, Reference

MAX_FAULTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What an audit found.

    Attributes:
        ref: The branch that was audited.
        tip: Its newest commit, None if there is no such branch.
        entries: How many entries are proven.
        newest: The newest proven entry, None if there is none.
        oldest: The oldest proven entry, None if there is none.
        counts: Proven entries by kind.
        open_intents: Intents that no outcome has closed, after the newest proven entry.
        keys: Fingerprints of the keys that signed, oldest use first.
        faults: Everything that is wrong, newest commit first.
    """

    ref: str
    tip: str | None
    entries: int
    newest: Record | None
    oldest: Record | None
    counts: Mapping[Kind, int]
    open_intents: tuple[Reference, ...]
    keys: tuple[str, ...]
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


@dataclass(slots=True)
class _Tally:
    """What has been seen on the way back."""

    entries: int = 0
    newest: Record | None = None
    oldest: Record | None = None
    counts: Counter[Kind] = field(default_factory=Counter)
    keys: dict[bytes, Record] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def add(self, step: Step) -> None:
        self.faults += step.faults
        record = step.record
        if record is None:
            return
        self.entries += 1
        self.newest = self.newest or record
        self.counts[record.entry.kind] += 1
        self._key(record)
        self.oldest = record

    def _key(self, record: Record) -> None:
        """A key that another one replaced must not sign again, whatever the clock says."""
        first_use = self.keys.get(record.public)
        newer = self.oldest
        if first_use is not None and newer is not None and newer.public != record.public:
            message = f"key {fingerprint(record.public)} signs after it was replaced"
            self.faults.append(Fault(Code.RETIRED_KEY, first_use.place, message))
        self.keys.pop(record.public, None)
        self.keys[record.public] = record


def audit(
    source: ObjectSource, branch: Branch, *, other_refs: Set[str] = frozenset()
) -> AuditReport:
    """Audit a branch from its newest entry to genesis.

    Args:
        source: Where the objects are.
        branch: Whose branch, and who may sign.
        other_refs: Full names of references that are audited elsewhere; every one that is
            neither here nor the branch itself is a fault.
    """
    tally = _Tally()
    tip = source.ref(branch.ref)
    tally.faults += _unknown_refs(source, branch, tip, other_refs)
    if tip is None:
        tally.faults.append(
            Fault(Code.NO_LEDGER, Place(path=branch.ref), "there is no such branch")
        )
    else:
        _walk(source, branch, tip, tally)
    return AuditReport(
        ref=branch.ref,
        tip=tip,
        entries=tally.entries,
        newest=tally.newest,
        oldest=tally.oldest,
        counts=dict(tally.counts),
        open_intents=() if tally.newest is None else open_after(tally.newest),
        keys=tuple(fingerprint(public) for public in reversed(tally.keys)),
        faults=tuple(tally.faults),
    )


def _walk(source: ObjectSource, branch: Branch, tip: str, tally: _Tally) -> None:
    for step in history(source, branch, tip):
        tally.add(step)
        if len(tally.faults) >= MAX_FAULTS:
            message = f"gave up after {len(tally.faults)} faults"
            tally.faults.append(Fault(Code.TOO_MANY, Place(commit=step.commit), message))
            return


def _unknown_refs(
    source: ObjectSource, branch: Branch, tip: str | None, other_refs: Set[str]
) -> list[Fault]:
    """A reference that nobody audits could carry anything, or replace what auditors see.

    A remote-tracking copy of the same tip is what a plain ``git clone`` leaves; it adds nothing.
    """
    return [
        Fault(Code.UNKNOWN_REF, Place(commit=oid, path=name), "reference is not part of the ledger")
        for name, oid in sorted(source.refs().items())
        if name != branch.ref
        and name not in other_refs
        and not (name.startswith("refs/remotes/") and oid == tip)
    ]

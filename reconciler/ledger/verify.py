"""Verify an evidence repository: audit every branch, hear the witnesses, weigh the anchors, sweep.

Needs no network, no key and no settings: the repository, and who is allowed to sign. What else an
auditor can bring (roots of time stamping authorities, Bitcoin headers, a checkpoint seen earlier)
proves more; what is not brought is said to be unproven, never taken for granted.
"""

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.evidence import layout, signers
from reconciler.evidence.audit import AuditReport, judge, unknown_refs
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.testimony import WITNESS, Saying, Testimony, hear, sayings, sizes_of
from reconciler.ledger.anchored import Anchored, weigh
from reconciler.ledger.anchors.judge import Trust
from reconciler.ledger.gather import Examined, Progress, examine
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.ref_files import ref_texts
from reconciler.ledger.sweep import SweepReport, sweep

_BRANCH = re.compile(r"refs/heads/([a-z0-9-]{1,63})/([a-z0-9-]{1,63})")


@dataclass(frozen=True, slots=True)
class Extra:
    """What an auditor brings besides the signers, and how the work is done.

    Attributes:
        said: Cosigned notes that the auditor kept or was given.
        trust: What anchors are checked with.
        jobs: How many processes may work.
        progress: Told, by branch, how many of how many entries are examined.
    """

    said: tuple[Saying, ...] = ()
    trust: Trust = field(default_factory=Trust)
    jobs: int = 1
    progress: Callable[[str], Progress] = field(default=lambda _ref: lambda _done, _total: None)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was proven about a repository.

    Attributes:
        branches: One report per branch.
        testimonies: What is said of each appliance's log, by branch.
        anchored: The anchors of each appliance's log, by branch.
        sweep: What the files of the store look like.
        faults: Everything that is wrong, anywhere.
    """

    branches: tuple[AuditReport, ...]
    testimonies: Mapping[str, Testimony]
    anchored: Mapping[str, Anchored]
    sweep: SweepReport
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """Whether there is at least one branch, and everything verifies."""
        return (
            bool(self.branches) and all(report.ok for report in self.branches) and not self.faults
        )

    @property
    def sentence(self) -> str:
        """What was proven, in one line."""
        if self.ok:
            return "; ".join(report.sentence for report in self.branches)
        first = str(self.faults[0]) if self.faults else "it holds no ledger"
        count = f"{len(self.faults):,} fault{'s' * (len(self.faults) != 1)}"
        return f"does NOT verify, {count}, first: {first}"


def load_signers(path: Path) -> AllowedSigners:
    """Read an allowed signers file.

    Raises:
        InputError: It cannot be read, is too large, or a line of it is not allowed.
    """
    try:
        with path.open("rb") as file:
            data = file.read(signers.MAX_BYTES + 1)
    except OSError as error:
        hint = "Give the file that lists who may sign: --signers FILE."
        message = f"cannot be read: {error.strerror}"
        raise InputError(message, hint=hint, where=Where(str(path))) from error
    return signers.parse(data, str(path))


def verify(
    path: Path,
    allowed: AllowedSigners,
    *,
    branches: Set[tuple[str, str]] | None = None,
    extra: Extra | None = None,
) -> Verification:
    """Verify an evidence repository offline.

    Args:
        path: The repository, bare or with a work tree (which is not looked at).
        allowed: Who may sign.
        branches: Client and host of each branch that must be there; every other reference is
            then a fault. If not given: every branch that has the form of an appliance's.
        extra: What proves more, and how the work is done.

    Raises:
        LedgerMissing: There is no repository.
        MachineError: A process of the audit ended early.
    """
    directory = repository_directory(path)
    seen: set[bytes] = set()
    store = ObjectStore(directory, seen)
    try:
        # Before the audit: entries that are appended meanwhile are no fault.
        texts = ref_texts(directory)
        names = dict(store.refs())
    except (EvidenceError, OSError) as error:
        return _unreadable(directory, error)
    wanted = sorted(branches if branches is not None else _found(names.keys()))
    work = _Work(directory, store, seen, allowed, extra or Extra(), names)
    work.examine([Branch(*place, allowed) for place in wanted])
    work.judge()
    swept = sweep(directory, store, seen, frozenset(names), texts)
    return work.result(swept)


@dataclass(slots=True)
class _Work:
    """One verification."""

    directory: Path
    store: ObjectStore
    seen: set[bytes]
    allowed: AllowedSigners
    extra: Extra
    names: Mapping[str, str]
    examined: list[tuple[Branch, str | None, Examined]] = field(default_factory=list)
    reports: list[AuditReport] = field(default_factory=list)
    testimonies: dict[str, Testimony] = field(default_factory=dict)
    anchored: dict[str, Anchored] = field(default_factory=dict)

    def examine(self, branches: list[Branch]) -> None:
        for branch in branches:
            tip = self.names.get(branch.ref)
            found = Examined((), (), reached=True)
            if tip is not None:
                found = examine(
                    self.directory,
                    branch,
                    tip,
                    seen=self.seen,
                    jobs=self.extra.jobs,
                    progress=self.extra.progress(branch.ref),
                )
            self.examined.append((branch, tip, found))

    def judge(self) -> None:
        """Judge each branch as a whole, then what is said of it."""
        refs = frozenset(branch.ref for branch, _, _ in self.examined)
        marks = [mark for _, _, found in self.examined for mark in _marks(found)]
        said = (*sayings(marks), *self.extra.said)
        for branch, tip, found in self.examined:
            origin = layout.origin(branch.client, branch.host)
            sizes = frozenset(sizes_of(origin, _marks(found), said))
            strangers = unknown_refs(self.store, branch, tip, refs)
            report = judge(branch, tip, found.stretches, strangers, sizes)
            self.reports.append(report)
            if branch.client != WITNESS:
                self._hear(branch, report, said, marks)

    def _hear(
        self, branch: Branch, report: AuditReport, said: tuple[Saying, ...], marks: list[Record]
    ) -> None:
        heard = hear(report, branch.client, branch.host, self.allowed, said, marks)
        own = [mark for mark in report.marks if mark.entry.kind is Kind.ANCHOR]
        others = [mark for mark in marks if mark.entry.client == WITNESS]
        foreign = [mark for mark in others if mark.entry.kind is Kind.ANCHOR]
        mine = weigh(own, heard.checkpoints, self.extra.trust, own=True)
        theirs = weigh(foreign, heard.checkpoints, self.extra.trust, own=False)
        self.testimonies[report.ref] = heard
        both = (*mine.weighed, *theirs.weighed)
        self.anchored[report.ref] = Anchored(
            tuple(sorted(both, key=lambda one: one.size)), (*mine.faults, *theirs.faults)
        )

    def result(self, swept: SweepReport) -> Verification:
        # The same unknown reference is a fault of every branch: name it once.
        found = [fault for report in self.reports for fault in report.faults]
        if not self.reports:
            message = "there is no appliance's branch"
            found.append(Fault(Code.NO_LEDGER, Place(path="refs/heads"), message))
        found += [fault for heard in self.testimonies.values() for fault in heard.faults]
        found += [fault for weighed in self.anchored.values() for fault in weighed.faults]
        return Verification(
            tuple(self.reports),
            self.testimonies,
            self.anchored,
            swept,
            (*dict.fromkeys(found), *swept.faults),
        )


def _marks(found: Examined) -> list[Record]:
    """Records of the rarer kinds, oldest first."""
    return [m for stretch in reversed(found.stretches) for m in reversed(stretch.marks)]


def _found(names: Set[str]) -> list[tuple[str, str]]:
    matches = filter(None, map(_BRANCH.fullmatch, names))
    return [(match[1], match[2]) for match in matches]


def _unreadable(directory: Path, error: Exception) -> Verification:
    swept = sweep(directory, None, frozenset(), frozenset(), {})
    message = f"references cannot be read: {error}"
    fault = Fault(Code.UNKNOWN_REF, Place(path="refs"), message)
    return Verification((), {}, {}, swept, (fault, *swept.faults))

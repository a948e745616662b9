"""One verification, step by step: examine branches, judge each as a whole, hear what others say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import EvidenceError
from reconciler.evidence import layout
from reconciler.evidence.audit import AuditReport, judge, unknown_refs
from reconciler.evidence.claims import Claim, State, TimeClaim, claims
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.sayings import WITNESS, Saying, gone, refused, sayings, sizes_of
from reconciler.evidence.testimony import Testimony, hear
from reconciler.evidence.whole import Start
from reconciler.ledger import audit_cache
from reconciler.ledger.anchored import Anchored, weigh
from reconciler.ledger.copies import copies
from reconciler.ledger.extra import Extra
from reconciler.ledger.gather import Examined, examine
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.sweep_report import SweepReport

_NOTHING = Examined((), (), reached=True)


@dataclass(slots=True)
class Part:
    """One branch on its way.

    Attributes:
        branch: Whose.
        tip: Its newest commit.
        found: Its entries, examined.
        start: What an earlier audit proved of it.
        faults: What was wrong before anything was judged.
    """

    branch: Branch
    tip: str | None
    found: Examined = _NOTHING
    start: Start | None = None
    faults: list[Fault] = field(default_factory=list)

    @property
    def marks(self) -> list[Record]:
        """Records of the rarer kinds, oldest first."""
        new = [m for stretch in reversed(self.found.stretches) for m in reversed(stretch.marks)]
        return [*(self.start.marks if self.start else ()), *new]


@dataclass(slots=True)
class Work:
    """One verification.

    Attributes:
        directory: The repository directory.
        store: Its objects.
        seen: Collects the binary ids of the objects that are proven.
        extra: What the auditor brings, and how the work is done.
        names: All references with their object ids.
    """

    directory: Path
    store: ObjectStore
    seen: set[bytes]
    extra: Extra
    names: Mapping[str, str]
    parts: list[Part] = field(default_factory=list)
    reports: list[AuditReport] = field(default_factory=list)
    testimonies: dict[str, Testimony] = field(default_factory=dict)
    anchored: dict[str, Anchored] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def examine(self, branches: list[Branch]) -> None:
        """Examine every entry that no earlier audit proved."""
        for branch in branches:
            part = Part(branch, self.names.get(branch.ref))
            if part.tip is not None:
                self._recall(part)
                self._examine(part)
            self.parts.append(part)

    def judge(self) -> None:
        """Judge each branch as a whole, then what is said of it."""
        refs = frozenset(part.branch.ref for part in self.parts)
        self._look_further_back()
        marks = [mark for part in self.parts for mark in part.marks]
        said = (*sayings(marks), *refused(marks), *self.extra.said)
        for part in self.parts:
            report = self._judge(part, refs, said)
            self.reports.append(report)
            if part.branch.client == WITNESS:
                self.claims += claims(report, None)
                host, signers = part.branch.host, part.branch.signers
                self.faults += hear(report, WITNESS, host, signers, said).faults
                self.faults += self._compare(report)
            else:
                self._hear(part.branch, report, said, marks)
            self._admit_earlier(part, report)
        self.faults += self._gone(said)

    @property
    def earlier(self) -> int:
        """How many entries were proven by an earlier audit and not read again."""
        return sum(part.start.entries for part in self.parts if part.start is not None)

    def all_faults(self, swept: SweepReport) -> tuple[Fault, ...]:
        """Everything that is wrong, each once: an unknown reference is one of every branch."""
        found = [fault for report in self.reports for fault in report.faults]
        if not self.reports:
            message = "there is no appliance's branch"
            found.append(Fault(Code.NO_LEDGER, Place(path="refs/heads"), message))
        return (*dict.fromkeys([*found, *self.faults]), *swept.faults)

    def remember(self) -> None:
        """Bring the cache up to date; only after everything was found good."""
        cache = self.extra.cache
        if cache is None:
            return
        for part, report in zip(self.parts, self.reports, strict=True):
            before = cache.branches.get(report.ref)
            old = before.milestones if part.start is not None and before is not None else []
            new = audit_cache.remember(report, [*part.found.milestones, *old])
            cache.branches[report.ref] = new

    def _recall(self, part: Part) -> None:
        cache = self.extra.cache
        proven = None if cache is None else cache.branches.get(part.branch.ref)
        if proven is None:
            return
        try:
            part.start, faults = audit_cache.recall(self.store, part.branch, proven)
        except EvidenceError as error:
            where = Place(commit=proven.tip, path=part.branch.ref)
            part.faults.append(Fault(Code.CACHE, where, error.message))
            return
        part.faults += faults

    def _examine(self, part: Part) -> None:
        newest = part.start.newest if part.start is not None else None
        until = None if newest is None else newest.commit
        if part.tip is None or part.tip == until:
            return
        part.found = examine(
            self.directory,
            part.branch,
            part.tip,
            seen=self.seen,
            jobs=self.extra.jobs,
            progress=self.extra.progress(part.branch.ref),
            until=until,
        )
        if until is not None and not part.found.reached:
            where = Place(commit=until, path=part.branch.ref)
            message = "was proven by an earlier audit, and is not in this history"
            part.faults.append(Fault(Code.CACHE, where, message))
            part.start = None

    def _look_further_back(self) -> None:
        """Give up what an earlier audit proved where it did not keep a root that is asked for."""
        marks = [mark for part in self.parts for mark in part.marks]
        said = (*sayings(marks), *refused(marks), *self.extra.said)
        for part in self.parts:
            start = part.start
            if start is None:
                continue
            asked = (size for size in self._sizes(part, said) if size < start.entries)
            if any(size not in start.roots for size in asked):
                part.start = None
                self._examine(part)

    def _sizes(self, part: Part, said: Iterable[Saying]) -> set[int]:
        origin = layout.origin(part.branch.client, part.branch.host)
        known = {one.size for one in self.extra.known if one.ref == part.branch.ref}
        return sizes_of(origin, part.marks, said) | known

    def _judge(self, part: Part, refs: frozenset[str], said: tuple[Saying, ...]) -> AuditReport:
        sizes = frozenset(self._sizes(part, said))
        tips = {one.tip for one in self.parts if one.tip is not None}
        strangers = unknown_refs(self.names, refs, tips)
        faults = [*strangers, *part.faults]
        return judge(part.branch, part.tip, part.found.stretches, faults, sizes, part.start)

    def _hear(
        self, branch: Branch, report: AuditReport, said: tuple[Saying, ...], marks: list[Record]
    ) -> None:
        heard = hear(report, branch.client, branch.host, branch.signers, said, marks)
        anchored = self._weigh(report, heard, marks)
        recorded = [mark for mark in report.marks if mark.entry.kind is Kind.COPY]
        store, now = self.extra.store, self.extra.now
        copied, wrong = copies(recorded, branch.client, branch.host, store, now)
        self.testimonies[report.ref], self.anchored[report.ref] = heard, anchored
        self.faults += [*heard.faults, *anchored.faults, *wrong, *self._compare(report)]
        times = [
            TimeClaim(
                one.anchor.method.value,
                one.anchor.authority,
                one.size,
                one.proof.not_after,
                one.proof.detail,
                heard.checkpoints[one.size].entry.time,
            )
            for one in anchored.weighed
        ]
        self.claims += claims(report, heard, times, copied)

    def _weigh(self, report: AuditReport, heard: Testimony, marks: list[Record]) -> Anchored:
        trust, checkpoints = self.extra.trust, heard.checkpoints
        anchors = [mark for mark in marks if mark.entry.kind is Kind.ANCHOR]
        own = [mark for mark in anchors if mark.entry.ref == report.ref]
        hub = [mark for mark in anchors if mark.entry.client == WITNESS]
        # Of a log with holes no checkpoint holds; that is no fault of the anchors.
        whole = report.log is not None
        mine = weigh(own, checkpoints, trust, own=whole, earlier=self._earlier_of(report.ref))
        theirs = weigh(hub, checkpoints, trust, own=False)
        both = sorted((*mine.weighed, *theirs.weighed), key=lambda one: one.size)
        return Anchored(tuple(both), (*mine.faults, *theirs.faults))

    def _earlier_of(self, ref: str) -> int:
        return sum(p.start.entries for p in self.parts if p.branch.ref == ref and p.start)

    def _compare(self, report: AuditReport) -> list[Fault]:
        """Hold the log against states of it that were seen elsewhere."""
        found = []
        for known in self.extra.known:
            if known.ref != report.ref or report.log is None:
                continue
            where = Place(path=report.ref)
            if known.size > report.log.size:
                message = f"{known.where} has {known.size} entries, {report.log.size} are here"
                found.append(Fault(Code.SHORTER, where, message))
            elif report.roots.get(known.size) != known.root:
                message = f"{known.where} has another history within its {known.size} entries"
                found.append(Fault(Code.EQUIVOCATION, where, message))
        return found

    def _gone(self, said: tuple[Saying, ...]) -> list[Fault]:
        """What is known of logs that are not here at all."""
        found = [
            Fault(Code.SHORTER, Place(path=known.ref), f"{known.where} has it, and it is not here")
            for known in self.extra.known
            if known.ref not in self.names
        ]
        origins = {f"reconciler/{name.removeprefix('refs/heads/')}" for name in self.names}
        return [*found, *gone(said, origins)]

    def _admit_earlier(self, part: Part, report: AuditReport) -> None:
        if part.start is None or not report.ok:
            return
        text = (
            f"the first {part.start.entries:,} entries were proven by an earlier audit and not "
            "read again, but for the rarer ones and a sample"
        )
        self.claims.append(Claim("earlier-audit", State.NOT_PROVEN, text, report.ref))

"""Which systems signed releases name for a host, along the line of commits that was accepted.

Rule 1: A release counts as it does for R6, by the trust of the commit that is in force.
Rule 2: Only commits of the first-parent line, and none before the one that is in force already.
Rule 3: Two releases of one commit that name different systems for a host name none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

import pygit2

from reconciler.desired.attestations import Attestations
from reconciler.desired.limits import READ_LIMITS, ReadLimits
from reconciler.desired.refusal import Reason
from reconciler.desired.trust.case import Case, Offer
from reconciler.desired.trust.release import Bench, Counting
from reconciler.desired.trust.rulings import Docket
from reconciler.errors import IntentRefused
from reconciler.evidence.signers import AllowedSigners
from reconciler.trust.statements import System, revision_of


@dataclass(frozen=True, slots=True)
class Floor:
    """What must not be gone behind.

    Attributes:
        commit: The commit whose release is in force.
        time: When that was signed.
    """

    commit: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """A system that a release names for a host.

    Attributes:
        commit: The commit that the release is of.
        system: Which system.
        revision: Digest of all systems of the release.
        time: When it was signed, by what it says.
        by: Who signed it.
        key: Fingerprint of the key; None of an identity without one.
    """

    commit: str
    system: System
    revision: str
    time: datetime
    by: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Objection:
    """Releases of a commit that name no system that may be used.

    Attributes:
        commit: Which commit.
        reason: Code.
        words: The rest of a sentence that starts with the commit.
    """

    commit: str
    reason: Reason
    words: str


class Releases:
    """The releases beside one line of commits."""

    def __init__(self, case: Case, trusted: str | None = None) -> None:
        """Read the trust that decides.

        Args:
            case: Head (what is in force), branch, time and attestations.
            trusted: The commit that says who counts; the head if none is named.

        Raises:
            IntentRefused: The trust files of that commit cannot be read.
            MirrorDamaged: An object is missing.
        """
        self._case = case
        source = trusted or case.head
        self._policy = case.files.policy(source, case.head)
        self._bench = None if self._policy is None else Bench(case, self._policy, source)

    def revoked(self, key: str | None) -> bool:
        """Whether the policy revoked a key, by its fingerprint, with effect until now."""
        revoked = () if self._policy is None else self._policy.document.revoked
        now = self._case.offer.now
        return any(one.key == key and one.effective <= now for one in revoked)

    def counting(self, floor: Floor | None = None) -> Iterator[tuple[str, tuple[Counting, ...]]]:
        """Every commit of the line that has releases that count, and those, newest first.

        Raises:
            MirrorDamaged: An object is missing.
        """
        for commit, judged in self._judged(floor):
            if isinstance(judged, tuple) and judged:
                yield commit, judged

    def systems(self, target: str, floor: Floor | None) -> Iterator[Named | Objection]:
        """What releases name for a host, newest commit first.

        Args:
            target: ``<client>/<host>``.
            floor: What is in force; its own commit is the last that is asked.

        Raises:
            MirrorDamaged: An object is missing.
        """
        for commit, judged in self._judged(floor):
            if isinstance(judged, str):
                yield Objection(commit, Reason.RELEASE_REFUSED, judged)
                continue
            naming = [one for one in judged if target in one.release.systems]
            if naming:
                yield _one(commit, naming, target)

    def _judged(self, floor: Floor | None) -> Iterator[tuple[str, tuple[Counting, ...] | str]]:
        if self._bench is None:
            return
        left = set(self._case.offer.attestations.released())
        if not left:
            return
        commits, related = self._line(floor)
        for commit in takewhile(lambda _: left, commits):
            if commit not in left:
                continue
            left.remove(commit)
            yield commit, self._judge(self._bench, commit, None if related else floor)

    def _judge(self, bench: Bench, commit: str, later: Floor | None) -> tuple[Counting, ...] | str:
        try:
            found = bench.judge(commit)
        except IntentRefused:
            return "has releases, but a tree that would be refused"
        if found.wrong and not found.counting:
            reasons = "; ".join(dict.fromkeys(found.wrong))
            return f"has only releases that do not count: {reasons}"
        return tuple(
            one for one in found.counting if later is None or one.release.time > later.time
        )

    def _line(self, floor: Floor | None) -> tuple[Iterator[str] | list[str], bool]:
        """Commits that may be asked, newest first; and whether they follow from the floor.

        Only after a recovery do they not. Then what two lines have in common is the floor, and on a
        line that has nothing in common with it, releases that are newer by their time count.
        """
        case = self._case
        line = self._down_to(None if floor is None else floor.commit)
        if floor is None or line[-1] == floor.commit:
            return line, True
        if floor.commit not in case.repository:
            return line, False
        bases = case.lineage.merge_bases(case.head, floor.commit)
        reach = case.lineage.reaches
        below = takewhile(lambda commit: any(reach(commit, base) for base in bases), line)
        return (below, True) if bases else (line, False)

    def _down_to(self, last: str | None) -> list[str]:
        """The first-parent line of the head, newest first, as far as one commit or the limit."""
        link, found = self._case.lineage.link, [self._case.head]
        while found[-1] != last and len(found) < self._case.limits.line:
            parents = link(found[-1]).parents
            if not parents:
                break
            found.append(parents[0])
        return found


def releases_along(
    repository: pygit2.Repository,
    head: str,
    *,
    branch: str,
    now: datetime,
    attestations: Attestations,
    limits: ReadLimits = READ_LIMITS,
    trusted: str | None = None,
) -> Releases:
    """The releases beside the line of a commit that is in force; of a clone as of a mirror.

    Args:
        repository: Holds it.
        head: Hex id; its trust says who may sign releases.
        branch: The branch that is followed.
        now: Wall time, timezone-aware.
        attestations: What lies beside the branch.
        limits: How much there may be.
        trusted: Another commit whose trust says it, for who only compares.

    Raises:
        IntentRefused: What is wrong with the trust files of that commit.
        MirrorDamaged: An object is missing.
    """
    offer = Offer(head, head, branch, now, AllowedSigners("none", ()), attestations)
    return Releases(Case(repository, offer, limits, Docket(whole=False)), trusted)


def _one(commit: str, naming: list[Counting], target: str) -> Named | Objection:
    """The system of releases that agree; the one that says most of it, then the newest."""
    first, *others = sorted(
        naming,
        key=lambda one: (one.release.systems[target].closure is not None, one.release.time),
        reverse=True,
    )
    system = first.release.systems[target]
    if any(_differ(system, one.release.systems[target]) for one in others):
        words = "has releases that name different systems for this host"
        return Objection(commit, Reason.RELEASE_CONFLICT, words)
    release = first.release
    revision = revision_of(release.systems)
    return Named(commit, system, revision, release.time, first.by, first.key)


def _differ(one: System, other: System) -> bool:
    if (one.drv, one.path, one.nar_sha256) != (other.drv, other.path, other.nar_sha256):
        return True
    both = one.closure is not None and other.closure is not None
    return both and one.closure != other.closure

"""Whether a heartbeat holds, and what it says about the head of a branch. Pure.

A server that stops showing new commits looks like a quiet week. A heartbeat is CI's signed word, at
least every so often, that a commit was the newest; who has not seen a fresh one stops acting.

Rule 1: The counter never goes back, and one number is one heartbeat.
Rule 2: The head is what the heartbeat names, or follows from it. A head that is older than a commit
        that CI has seen, or beside it, was put there to hide that commit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.trust.judgement import TOLERANCE
from reconciler.trust.statements import Heartbeat

REFUSED = "heartbeat-refused"
REPLAYED = "heartbeat-replayed"
CONFLICT = "heartbeat-conflict"
MISSING = "heartbeat-missing"
WENT_BACK = "head-went-back"


class Relation(StrEnum):
    """How the commit that a heartbeat names stands to the head."""

    HEAD = "head"
    BEFORE = "before"
    AFTER = "after"
    ASIDE = "aside"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat as memory keeps it.

    Attributes:
        counter: Its number.
        digest: SHA-256 of its payload, hex.
        time: When CI signed it, by CI's clock.
        commit: What it names.
        by: Who signed: a member of the policy, or one of its identities.
    """

    counter: int
    digest: str
    time: datetime
    commit: str
    by: str


@dataclass(frozen=True, slots=True)
class Offered:
    """A heartbeat from the attestations branch, and what is known about it.

    Attributes:
        heartbeat: What was signed.
        digest: SHA-256 of its payload.
        signer: Who signed it with the role ``heartbeat``; or why nobody who may did.
        signer_holds: Whether ``signer`` is a name and not an objection.
        commit_sha256: SHA-256 of the commit that it names as the mirror has it, None if it has not.
        relation: How that commit stands to the head.
    """

    heartbeat: Heartbeat
    digest: str
    signer: str
    signer_holds: bool
    commit_sha256: str | None
    relation: Relation


@dataclass(frozen=True, slots=True)
class Objection:
    """Why there is no valid heartbeat.

    Attributes:
        code: One of the codes above.
        words: The rest of the sentence "the heartbeat ...".
    """

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What the heartbeats on offer say.

    Attributes:
        beat: The newest valid one, None if there is none.
        objection: What is wrong; None if nothing is. With ``head-went-back`` the heartbeat itself
            is valid, and it is the head that must not be accepted.
    """

    beat: Beat | None
    objection: Objection | None


def judge_heartbeat(
    offered: Iterable[Offered], *, branch: str, now: datetime, newest: Beat | None
) -> Judged:
    """Judge all heartbeats that are on offer; the one with the highest number counts.

    Args:
        offered: What lies on the attestations branch.
        branch: The branch that is followed.
        now: Wall time.
        newest: The newest one that was ever seen.

    Returns:
        `MISSING` if none is on offer.
    """
    objection = Objection(MISSING, "is missing: the branch of attestations has none")
    valid: list[tuple[Beat, Offered]] = []
    for one in offered:
        wrong = _wrong(one, branch, now) or _old(one, newest)
        if wrong is None:
            beat = one.heartbeat
            found = Beat(beat.counter, one.digest, beat.time, beat.commit, one.signer)
            valid.append((found, one))
        else:
            objection = wrong
    if not valid:
        return Judged(None, objection)
    best = max(valid, key=lambda pair: pair[0].counter)
    rivals = {beat.digest for beat, _ in valid if beat.counter == best[0].counter}
    if len(rivals) > 1:
        return Judged(None, _conflict(best[0].counter))
    return Judged(best[0], _went_back(best[1]))


def _wrong(one: Offered, branch: str, now: datetime) -> Objection | None:
    beat = one.heartbeat
    if not one.signer_holds:
        return Objection(REFUSED, f"does not count: {one.signer}")
    if beat.branch != branch:
        return Objection(REFUSED, "does not count: it is for another branch")
    if beat.time > now + TOLERANCE:
        return Objection(REFUSED, "does not count: it is dated later than this machine's clock")
    if one.commit_sha256 is not None and one.commit_sha256 != beat.commit_sha256:
        return Objection(REFUSED, "does not count: it names a commit with other content")
    return None


def _old(one: Offered, newest: Beat | None) -> Objection | None:
    counter = one.heartbeat.counter
    if newest is None or counter > newest.counter:
        return None
    if counter < newest.counter:
        return Objection(REPLAYED, f"is number {counter}, and number {newest.counter} was seen")
    return None if one.digest == newest.digest else _conflict(counter)


def _conflict(counter: int) -> Objection:
    return Objection(CONFLICT, f"is number {counter}, and there is another of that number")


def _went_back(one: Offered) -> Objection | None:
    commit = one.heartbeat.commit[:12]
    match one.relation:
        case Relation.HEAD | Relation.BEFORE:
            return None
        case Relation.AFTER:
            return Objection(WENT_BACK, f"names {commit}, which is newer than the head")
        case Relation.ASIDE:
            return Objection(WENT_BACK, f"names {commit}, which the head does not follow from")
        case Relation.UNKNOWN:
            return Objection(WENT_BACK, f"names {commit}, which the server does not show")

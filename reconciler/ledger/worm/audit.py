"""Compare what a store holds with what the ledger says it holds.

Rule 1: What is not there is a finding; so is what is there and was not recorded.
Rule 2: The content is read and hashed; neither a size nor a store's own checksum is proof.
Rule 3: What the store does not let us see stops the audit: it is not known, so it is not good.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from reconciler.errors import EvidenceError
from reconciler.ledger.worm import retention
from reconciler.ledger.worm.nouns import COMPLIANCE, Finding, Problem, Stored, Version
from reconciler.ledger.worm.refused import StoreRefused
from reconciler.ledger.worm.store import WormStore

MAX_EXPECTED = 200_000


def audit_copy(
    store: WormStore, expected: Sequence[Stored], now: datetime, *, under: str
) -> list[Finding]:
    """Everything that is wrong with the copies of a ledger.

    Args:
        store: The bucket, with a credential that may read.
        expected: What the ledger's ``copy`` entries record for this bucket.
        now: Wall time, timezone-aware.
        under: What the keys of this ledger begin with: `reconciler.ledger.worm.bundles.folder`.

    Raises:
        EvidenceError: More objects than an audit looks at.
        MachineError: The store does not answer, or does not let us see.
    """
    if len(expected) > MAX_EXPECTED:
        message = f"{len(expected):,} objects are more than an audit looks at"
        raise EvidenceError(message, hint="Audit the copies of one ledger at a time.")
    found = [
        Finding(Problem.BUCKET, "", None, f"bucket {store.settings.bucket}: {weakness}")
        for weakness in store.weaknesses()
    ]
    listed: dict[str, list[Version]] = {}
    for version in store.versions(under):
        listed.setdefault(version.key, []).append(version)
    for stored in expected:
        found += _stored(store, stored, listed.get(stored.key, ()), now)
    found += _unrecorded(listed, {stored.key for stored in expected})
    return found


def _stored(
    store: WormStore, stored: Stored, versions: Sequence[Version], now: datetime
) -> Iterator[Finding]:
    yield from _others(stored, versions)
    ours = [v for v in versions if v.version_id == stored.version_id and not v.marker]
    if not ours:
        yield _gone(stored, now)
        return
    try:
        yield from _content(store, stored)
        yield from _lock(store, stored, ours[0])
    except StoreRefused as refused:
        if not refused.absent:
            raise
        yield _finding(Problem.MISSING, stored, "it is listed and cannot be read")


def _others(stored: Stored, versions: Sequence[Version]) -> Iterator[Finding]:
    """What lies above and below the recorded version; a listing goes from new to old."""
    above = True
    for version in versions:
        if version.marker:
            message = f"delete marker {version.version_id} was laid on the key"
            yield Finding(Problem.DELETED, stored.key, version.version_id, message)
        elif version.version_id == stored.version_id:
            above = False
        else:
            problem = Problem.OVERWRITTEN if above else Problem.EARLIER
            when = "later" if above else "earlier"
            message = f"another version was written {when} than {stored.version_id}"
            yield Finding(problem, stored.key, version.version_id, message)


def _gone(stored: Stored, now: datetime) -> Finding:
    until = f"{stored.retain_until:%Y-%m-%d}"
    if now < stored.retain_until:
        message = f"it is not there, and was to be kept until {until}"
        return _finding(Problem.MISSING, stored, message)
    return _finding(Problem.ENDED, stored, f"it is not there; its time ended on {until}")


def _content(store: WormStore, stored: Stored) -> Iterator[Finding]:
    data = store.read(stored.key, stored.version_id, stored.size)
    if len(data) != stored.size:
        more = "more" if len(data) > stored.size else f"{len(data):,}"
        message = f"it has {more} bytes, not {stored.size:,}"
        yield _finding(Problem.CONTENT, stored, message)
    elif (found := hashlib.sha256(data).hexdigest()) != stored.sha256:
        message = f"its SHA-256 is {found}, not {stored.sha256}"
        yield _finding(Problem.CONTENT, stored, message)


def _lock(store: WormStore, stored: Stored, version: Version) -> Iterator[Finding]:
    lock = store.lock(stored.key, stored.version_id)
    if lock is None:
        yield _finding(Problem.NOT_LOCKED, stored, "it has no lock: whoever may delete can")
        return
    if lock.mode != COMPLIANCE:
        message = f"its lock has mode {lock.mode}, which somebody with a right can end"
        yield _finding(Problem.MODE, stored, message)
    if lock.until < stored.retain_until:
        message = f"its lock ends {_second(lock.until)}, not {_second(stored.retain_until)}"
        yield _finding(Problem.SHORTENED, stored, message)
    least = retention.years_after(version.modified)
    if lock.until < least:
        message = f"its lock ends {_second(lock.until)}, before six years ({_second(least)})"
        yield _finding(Problem.TOO_SHORT, stored, message)


def _unrecorded(listed: dict[str, list[Version]], recorded: set[str]) -> Iterator[Finding]:
    for key in sorted(listed.keys() - recorded):
        for version in listed[key]:
            what = "a delete marker" if version.marker else f"{version.size:,} bytes"
            message = f"no entry records it ({what}): a copy that was cut off, or somebody else's"
            yield Finding(Problem.UNRECORDED, key, version.version_id, message)


def _finding(problem: Problem, stored: Stored, message: str) -> Finding:
    return Finding(problem, stored.key, stored.version_id, message)


def _second(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

"""Statements: what one ledger entry says, as an in-toto Statement v1 with our own predicate.

Source: in-toto attestation framework, Statement v1. The predicate type is
``urn:reconciler:attestation:<kind>:v1``; its major version changes when a reader must change.

Rule 1: What is read must be what we would write: an unknown, missing or mistyped field is refused.
Rule 2: The reference name is inside what is signed, so an entry cannot be moved to another branch.
Rule 3: Every entry names the older intents that it leaves open, so the newest entry is all that a
        restart needs in order to close what was interrupted.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
FIRST_SEQ = 0
LAST_SEQ = 99_999_999
MAX_OPEN = 256

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_TOOL = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"[\x21-\x7e]{1,128}")
_HINT = "An entry is written by the ledger of this version or an older one; it is never edited."


class Kind(StrEnum):
    """What an entry is about. Closed: a kind that is not here is refused."""

    GENESIS = "genesis"
    RUN = "run"
    INTENT = "intent"
    OUTCOME = "outcome"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class Subject:
    """The desired state that an entry is about.

    Attributes:
        commit: Object id of the fleet commit, 40 hex digits.
        policy: Hex SHA-256 of the desired state resolved from it.
    """

    commit: str
    policy: str


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """An entry named by another entry.

    Attributes:
        seq: Its sequence number.
        digest: Hex SHA-256 of its statement.
    """

    seq: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a ledger.

    Attributes:
        kind: What it is about.
        seq: 0 for genesis, then one more each.
        previous: Hex SHA-256 of the statement before, None for genesis.
        ref: Full name of its branch: ``refs/heads/<client>/<host>``.
        client: One clinic, a DNS label.
        host: The appliance, a DNS label.
        recorded_at: RFC 3339 in UTC with milliseconds: ``2026-03-01T12:00:00.000Z``.
        boot_id: The kernel's boot id: two entries with the same one share a monotonic clock.
        tool: Versions of what wrote it, by name.
        subject: The desired state in force, None if there is none yet.
        closes: The intent that an outcome closes; None for every other kind.
        open: Older intents that no outcome has closed yet, by sequence number.
        body: What this kind says: canonical JSON, its shape belongs to its writer.
    """

    kind: Kind
    seq: int
    previous: str | None
    ref: str
    client: str
    host: str
    recorded_at: str
    boot_id: str
    tool: Mapping[str, str]
    subject: Subject | None
    closes: Reference | None
    open: tuple[Reference, ...]
    body: Mapping[str, Any]

    @property
    def time(self) -> datetime:
        """When it was recorded."""
        return datetime.fromisoformat(self.recorded_at)


def predicate_type(kind: Kind) -> str:
    """The predicate type of a kind: ``urn:reconciler:attestation:run:v1``."""
    return f"urn:reconciler:attestation:{kind.value}:v1"


def stamp(at: datetime) -> str:
    """A timezone-aware time as entries write it.

    Raises:
        EvidenceError: The time has no zone.
    """
    if at.tzinfo is None:
        raise EvidenceError("time has no time zone", hint="Pass an aware time in UTC.")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_payload(entry: Entry) -> bytes:
    """The canonical bytes of an entry's statement: what is hashed, chained and signed.

    Raises:
        EvidenceError: A field is out of its bounds, or the body has no canonical form.
    """
    _check(entry)
    return canonical.encode(_statement(entry))


def from_payload(data: bytes) -> Entry:
    """Read a statement.

    Raises:
        EvidenceError: Not canonical, or any field unknown, missing, mistyped or out of bounds.
    """
    value = canonical.decode(data)
    try:
        entry = _entry(value)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _refusal(f"field is missing or of another type ({error})") from error
    _check(entry)
    if _statement(entry) != value:
        raise _refusal("fields that its predicate type does not have")
    return entry


def _statement(entry: Entry) -> dict[str, Any]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [_subject(entry)],
        "predicateType": predicate_type(entry.kind),
        "predicate": {
            "seq": entry.seq,
            "previous": None if entry.previous is None else {"sha256": entry.previous},
            "ref": entry.ref,
            "client": entry.client,
            "host": entry.host,
            "recordedAt": entry.recorded_at,
            "bootId": entry.boot_id,
            "tool": dict(entry.tool),
            "closes": None if entry.closes is None else _reference(entry.closes),
            "open": [_reference(reference) for reference in entry.open],
            "body": dict(entry.body),
        },
    }


def _subject(entry: Entry) -> dict[str, Any]:
    # in-toto wants at least one subject: without desired state it is the branch itself, by name.
    if entry.subject is None:
        return {"name": "ledger", "digest": {"sha256": _sha256(entry.ref)}}
    digest = {"gitCommit": entry.subject.commit, "sha256": entry.subject.policy}
    return {"name": "fleet", "digest": digest}


def _reference(reference: Reference) -> dict[str, Any]:
    return {"seq": reference.seq, "sha256": reference.digest}


def _entry(value: Any) -> Entry:
    predicate, subject = value["predicate"], value["subject"][0]
    digest, previous, closes = subject["digest"], predicate["previous"], predicate["closes"]
    fleet = subject["name"] == "fleet"
    return Entry(
        kind=Kind(str(value["predicateType"]).split(":")[3]),
        seq=predicate["seq"],
        previous=None if previous is None else previous["sha256"],
        ref=predicate["ref"],
        client=predicate["client"],
        host=predicate["host"],
        recorded_at=predicate["recordedAt"],
        boot_id=predicate["bootId"],
        tool=dict(predicate["tool"]),
        subject=Subject(digest["gitCommit"], digest["sha256"]) if fleet else None,
        closes=None if closes is None else Reference(closes["seq"], closes["sha256"]),
        open=tuple(Reference(item["seq"], item["sha256"]) for item in predicate["open"]),
        body=dict(predicate["body"]),
    )


def _check(entry: Entry) -> None:
    _check_place(entry)
    _check_time(entry.recorded_at)
    _text("boot id", _UUID, entry.boot_id)
    if not 1 <= len(entry.tool) <= 32:
        raise _refusal("none or too many tools")
    for name, version in entry.tool.items():
        _text("tool", _TOOL, name)
        _text("version", _VERSION, version)
    if entry.subject is not None:
        _text("fleet commit", _COMMIT, entry.subject.commit)
        _text("policy digest", _SHA256, entry.subject.policy)
    _check_intents(entry)


def _check_place(entry: Entry) -> None:
    _check_seq(entry.seq)
    if (entry.kind is Kind.GENESIS, entry.previous is None) != (entry.seq == FIRST_SEQ,) * 2:
        raise _refusal(f"a {entry.kind.value} at {entry.seq} with the wrong kind of predecessor")
    if entry.previous is not None:
        _text("previous digest", _SHA256, entry.previous)
    _text("client", _NAME, entry.client)
    _text("host", _NAME, entry.host)
    if entry.ref != f"refs/heads/{entry.client}/{entry.host}":
        raise _refusal("a branch that is not its client and host")


def _check_intents(entry: Entry) -> None:
    if (entry.closes is not None) != (entry.kind is Kind.OUTCOME):
        raise _refusal("an outcome without its intent, or an intent without its outcome")
    references = entry.open if entry.closes is None else (entry.closes, *entry.open)
    for reference in references:
        _check_seq(reference.seq)
        _text("digest", _SHA256, reference.digest)
    seqs = [reference.seq for reference in entry.open]
    if len(seqs) > MAX_OPEN or seqs != sorted(set(seqs)) or any(seq >= entry.seq for seq in seqs):
        raise _refusal("open intents that are unsorted, repeated, too many or not older")


def _check_seq(seq: object) -> None:
    if type(seq) is not int or not FIRST_SEQ <= seq <= LAST_SEQ:
        raise _refusal(f"sequence number {seq!r:.40}")


def _check_time(text: object) -> None:
    _text("time", _TIME, text)
    try:
        datetime.fromisoformat(str(text))
    except ValueError as error:
        raise _refusal(f"time {text} ({error})") from error


def _text(what: str, pattern: re.Pattern[str], value: object) -> None:
    if type(value) is not str or not pattern.fullmatch(value):
        raise _refusal(f"{what} {value!r:.80}")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refusal(what: str) -> EvidenceError:
    return EvidenceError(f"statement has {what}", hint=_HINT)

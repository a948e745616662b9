"""Statements: what an entry with a file says, as an in-toto Statement v1 with one predicate a kind.

The shape is closed: unknown, missing or mistyped fields are refused, because an auditor cannot
judge what the verifier skips. The body belongs to who writes the kind, and is canonical JSON.
"""

import hashlib
import re
from typing import Any

from reconciler.evidence import canonical
from reconciler.evidence.entry import (
    FIRST_SEQ,
    LAST_SEQ,
    MAX_OPEN,
    Clock,
    Entry,
    Kind,
    Reference,
    Subject,
    check_entry,
    check_seq,
    check_text,
    refusal,
    stamp,
)
from reconciler.evidence.merkle import Frontier

__all__ = [
    "FIRST_SEQ",
    "LAST_SEQ",
    "MAX_OPEN",
    "STATEMENT_TYPE",
    "Entry",
    "Kind",
    "Reference",
    "Subject",
    "from_payload",
    "predicate_type",
    "stamp",
    "to_payload",
]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOOL = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"[\x21-\x7e]{1,128}")


def predicate_type(kind: Kind) -> str:
    """The predicate type of a kind: ``urn:reconciler:attestation:run:v1``."""
    return f"urn:reconciler:attestation:{kind.value}:v1"


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
        raise refusal(f"field is missing or of another type ({error})") from error
    _check(entry)
    if _statement(entry) != value:
        raise refusal("fields that its predicate type does not have")
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
            "clock": entry.clock.to_json(),
            "bootId": entry.boot_id,
            "tool": dict(entry.tool),
            "log": None if entry.log is None else _log(entry.log),
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


def _log(log: Frontier) -> dict[str, Any]:
    return {"size": log.size, "root": log.root().hex(), "subtrees": log.to_hex()}


def _entry(value: Any) -> Entry:
    predicate, subject = value["predicate"], value["subject"][0]
    digest, previous, closes = subject["digest"], predicate["previous"], predicate["closes"]
    fleet, log = subject["name"] == "fleet", predicate["log"]
    return Entry(
        kind=Kind(str(value["predicateType"]).split(":")[3]),
        seq=predicate["seq"],
        previous=None if previous is None else previous["sha256"],
        ref=predicate["ref"],
        client=predicate["client"],
        host=predicate["host"],
        recorded_at=predicate["recordedAt"],
        clock=Clock.from_json(predicate["clock"]),
        base=None,
        boot_id=predicate["bootId"],
        tool=dict(predicate["tool"]),
        subject=Subject(digest["gitCommit"], digest["sha256"]) if fleet else None,
        log=None if log is None else Frontier.from_hex(log["size"], log["subtrees"]),
        closes=None if closes is None else Reference(closes["seq"], closes["sha256"]),
        open=tuple(Reference(item["seq"], item["sha256"]) for item in predicate["open"]),
        body=dict(predicate["body"]),
    )


def _check(entry: Entry) -> None:
    check_entry(entry)
    if entry.base is not None:
        raise refusal("a base, which only an entry without a file has")
    check_text("boot id", _UUID, entry.boot_id)
    if not 1 <= len(entry.tool) <= 32:
        raise refusal("none or too many tools")
    for name, version in entry.tool.items():
        check_text("tool", _TOOL, name)
        check_text("version", _VERSION, version)
    if entry.subject is not None:
        check_text("fleet commit", _COMMIT, entry.subject.commit)
        check_text("policy digest", _SHA256, entry.subject.policy)
    if entry.log is None or entry.log.size != entry.seq:
        raise refusal("a log that is not all the entries before it")
    _check_intents(entry)


def _check_intents(entry: Entry) -> None:
    if (entry.closes is not None) != (entry.kind is Kind.OUTCOME):
        raise refusal("an outcome without its intent, or an intent without its outcome")
    references = entry.open if entry.closes is None else (entry.closes, *entry.open)
    for reference in references:
        check_seq(reference.seq)
        check_text("digest", _SHA256, reference.digest)
    seqs = [reference.seq for reference in entry.open]
    if len(seqs) > MAX_OPEN or seqs != sorted(set(seqs)) or any(seq >= entry.seq for seq in seqs):
        raise refusal("open intents that are unsorted, repeated, too many or not older")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

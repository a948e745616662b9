"""Slim statements: entries without a file, one canonical JSON line in the message of a commit.

A year of one run a minute is half a million entries, most of which say that nothing has changed.
Each is numbered, chained and signed like any other, by the signature of its commit; what is the
same as in its base is not said again. A slim entry is refused where an intent is open, so it never
hides one.
"""

import re
from typing import Any

from reconciler.evidence import canonical
from reconciler.evidence.entry import (
    FIRST_SEQ,
    SLIM_KINDS,
    Clock,
    Entry,
    Kind,
    check_entry,
    check_seq,
    refusal,
)

MAX_BYTES = 16 * 1024
"""Largest line that is looked at: a seal over an hour of runs fits."""

_REF = re.compile(r"refs/heads/([^/]+)/([^/]+)")
_MEMBERS = frozenset({"at", "base", "body", "clock", "kind", "previous", "ref", "seq"})


def to_line(entry: Entry) -> bytes:
    """The canonical bytes of a slim entry's statement: what is hashed, chained and signed.

    Raises:
        EvidenceError: A field is out of its bounds, or the body has no canonical form.
    """
    _check(entry)
    line = canonical.encode(_members(entry))
    if len(line) > MAX_BYTES:
        raise refusal(f"{len(line)} bytes, too many for an entry without a file")
    return line


def from_line(line: bytes) -> Entry:
    """Read a slim statement.

    Raises:
        EvidenceError: Not canonical, or any field unknown, missing, mistyped or out of bounds.
    """
    value = canonical.decode(line, MAX_BYTES)
    if type(value) is not dict or value.keys() != _MEMBERS:
        raise refusal("other members than a slim statement")
    try:
        entry = _entry(value)
    except (KeyError, TypeError, ValueError) as error:
        raise refusal(f"field is missing or of another type ({error})") from error
    _check(entry)
    if _members(entry) != value:
        raise refusal("fields that a slim statement does not have")
    return entry


def _members(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.recorded_at,
        "base": entry.base,
        "body": dict(entry.body),
        "clock": entry.clock.to_json(),
        "kind": entry.kind.value,
        "previous": entry.previous,
        "ref": entry.ref,
        "seq": entry.seq,
    }


def _entry(value: dict[str, Any]) -> Entry:
    place = _REF.fullmatch(value["ref"])
    if place is None:
        raise refusal(f"branch {value['ref']!r:.80}")
    return Entry(
        kind=Kind(value["kind"]),
        seq=value["seq"],
        previous=value["previous"],
        ref=value["ref"],
        client=place[1],
        host=place[2],
        recorded_at=value["at"],
        clock=Clock.from_json(value["clock"]),
        base=value["base"],
        boot_id=None,
        tool={},
        subject=None,
        log=None,
        closes=None,
        open=(),
        body=dict(value["body"]),
    )


def _check(entry: Entry) -> None:
    check_entry(entry)
    check_seq(entry.base)
    if entry.kind not in SLIM_KINDS or entry.seq == FIRST_SEQ:
        raise refusal(f"kind {entry.kind.value}, which has a file")
    if entry.base is None or entry.base >= entry.seq:
        raise refusal(f"base {entry.base}, which is not older")
    inherited = (entry.boot_id, entry.subject, entry.log, entry.closes)
    if any(value is not None for value in inherited) or entry.tool or entry.open:
        raise refusal("something of its own that it must take from its base")

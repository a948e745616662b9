"""What the ledger says about its own upkeep: checkpoints, cosignatures, anchors, copies.

Followed entry by entry like the rest of the past, and carried by run entries, so that a start reads
nothing older than the last of them. Proofs are not carried: who needs one reads its entry.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.errors import EvidenceError, LedgerDamaged
from reconciler.evidence import signed_note
from reconciler.evidence.entry import Kind, stamp
from reconciler.evidence.record import Record
from reconciler.guard import memory_form as form
from reconciler.ledger.anchors import bodies as anchor_bodies
from reconciler.ledger.anchors.model import AnchorState, Method
from reconciler.ledger.worm import body as copy_bodies

GIVE_UP = timedelta(days=30)
"""A proof that stayed pending for longer is not followed any more; later ones cover the same."""

WITNESS = "witness/"
_HINT = "Verify the ledger (reconciler verify REPOSITORY); nothing is applied until it is whole."
_MAX = 64


@dataclass(frozen=True, slots=True)
class Signed:
    """The newest checkpoint.

    Attributes:
        seq: Its number, which is the size of the log that it signs.
        sha256: Hex digest of its statement.
        note: Its text.
    """

    seq: int
    sha256: str
    note: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a witness vouched for last.

    Attributes:
        size: Entries of the log.
        at: When the cosignature was recorded.
    """

    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """An ``anchor`` entry without its proof.

    Attributes:
        seq: Its number.
        commit: Its commit.
        at: When it was recorded.
        method: How.
        authority: Who vouches.
        note_sha256: What was stamped.
        state: What the proof claimed to be.
    """

    seq: int
    commit: str
    at: datetime
    method: Method
    authority: str
    note_sha256: str
    state: AnchorState

    @property
    def way(self) -> tuple[Method, str]:
        """How, and who vouches."""
        return self.method, self.authority


@dataclass(frozen=True, slots=True)
class Copied:
    """The newest copy.

    Attributes:
        seq: The newest entry that it covers.
        commit: That entry's commit; None where the copy was of older entries only.
        at: When it was recorded.
    """

    seq: int
    commit: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest of each."""

    checkpoint: Signed | None = None
    cosigned: Mapping[str, Vouched] = field(default_factory=dict)
    anchors: tuple[Mark, ...] = ()
    copied: Copied | None = None

    def after(self, record: Record, before: str | None) -> "Kept":
        """What is known once one more entry is read.

        An entry of these kinds that does not read as such counts as none: it excuses nothing.

        Args:
            record: The entry.
            before: Commit of the entry before it.
        """
        with suppress(EvidenceError):
            match record.entry.kind:
                case Kind.CHECKPOINT:
                    note = str(record.entry.body.get("note"))
                    return replace(self, checkpoint=Signed(record.entry.seq, record.digest, note))
                case Kind.COSIGNATURE:
                    return replace(self, cosigned={**self.cosigned, **_vouched(record)})
                case Kind.ANCHOR:
                    marks = (*self.anchors, _mark(record))
                    return replace(self, anchors=_followed(marks, record.entry.time))
                case Kind.COPY:
                    return replace(self, copied=_copied(record, before))
                case _:
                    pass
        return self

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence; `from_body` is the inverse."""
        signed, copied = self.checkpoint, self.copied
        return {
            "checkpoint": signed
            and {"seq": signed.seq, "sha256": signed.sha256, "note": signed.note},
            "cosigned": {
                name: {"size": one.size, "at": stamp(one.at)} for name, one in self.cosigned.items()
            },
            "anchors": [_mark_body(mark) for mark in self.anchors],
            "copied": copied
            and {"seq": copied.seq, "commit": copied.commit, "at": stamp(copied.at)},
        }

    @classmethod
    def from_body(cls, body: object) -> "Kept":
        """What a run entry carried; None where it is of a version that carried nothing.

        Raises:
            LedgerDamaged: It does not read as what `to_body` writes.
        """
        if body is None:
            return cls()
        try:
            fields = form.fields(body, {"checkpoint", "cosigned", "anchors", "copied"})
            cosigned = form.mapping(fields["cosigned"])
            return cls(
                checkpoint=_read_signed(fields["checkpoint"]),
                cosigned={name: _read_vouched(value) for name, value in cosigned.items()},
                anchors=tuple(_read_mark(value) for value in _list(fields["anchors"])),
                copied=_read_copied(fields["copied"]),
            )
        except (form.Malformed, ValueError) as error:
            message = f"what a run carried about upkeep is garbled: {error}"
            raise LedgerDamaged(message, hint=_HINT) from error


def _vouched(record: Record) -> dict[str, Vouched]:
    """Who vouched in a cosignature entry: the witnesses that signed its note."""
    signed = signed_note.read(str(record.entry.body.get("note")))
    size = record.entry.body.get("size")
    names = [one.name for one in signed.signatures if one.name.startswith(WITNESS)]
    return {name: Vouched(size, record.entry.time) for name in names if type(size) is int}


def _mark(record: Record) -> Mark:
    anchor = anchor_bodies.read_body(dict(record.entry.body))
    entry = record.entry
    return Mark(
        entry.seq,
        record.commit,
        entry.time,
        anchor.method,
        anchor.authority,
        anchor.note_sha256,
        anchor.state,
    )


def _copied(record: Record, before: str | None) -> Copied:
    entry = record.entry
    last = copy_bodies.read_body(entry.body, entry.client, entry.host).covers[1]
    return Copied(last, before if last == entry.seq - 1 else None, entry.time)


def _followed(marks: Iterable[Mark], now: datetime) -> tuple[Mark, ...]:
    """The marks that decide what is due: few, however long the history is."""
    ways: dict[tuple[Method, str], list[Mark]] = {}
    for mark in marks:
        ways.setdefault(mark.way, []).append(mark)
    kept = {mark.seq: mark for came in ways.values() for mark in _of_way(came, now)}
    return tuple(kept[seq] for seq in sorted(kept))


def _of_way(came: list[Mark], now: datetime) -> Iterable[Mark]:
    """All marks of the newest note, of the newest whole proof, and of what is pending.

    All of a note or none: the first of them says when it was stamped.
    """
    newest = list({mark.note_sha256: None for mark in came})[-1]
    whole = [mark.note_sha256 for mark in came if mark.state is AnchorState.COMPLETE]
    late = now - GIVE_UP
    pending = [m.note_sha256 for m in came if m.note_sha256 not in whole and m.at >= late]
    notes = {newest, *whole[-1:], *pending[-_MAX:]}
    return (mark for mark in came if mark.note_sha256 in notes)


def _mark_body(mark: Mark) -> dict[str, Any]:
    return {
        "seq": mark.seq,
        "commit": mark.commit,
        "at": stamp(mark.at),
        "method": mark.method.value,
        "authority": mark.authority,
        "note_sha256": mark.note_sha256,
        "state": mark.state.value,
    }


def _read_mark(value: object) -> Mark:
    fields = form.fields(
        value, {"seq", "commit", "at", "method", "authority", "note_sha256", "state"}
    )
    return Mark(
        form.count(fields["seq"]),
        form.text(fields["commit"]),
        _time(fields["at"]),
        Method(fields["method"]),
        form.text(fields["authority"]),
        form.digest(fields["note_sha256"]),
        AnchorState(fields["state"]),
    )


def _read_signed(value: object) -> Signed | None:
    if value is None:
        return None
    fields = form.fields(value, {"seq", "sha256", "note"})
    seq, sha256 = form.count(fields["seq"]), form.digest(fields["sha256"])
    return Signed(seq, sha256, form.text(fields["note"]))


def _read_vouched(value: object) -> Vouched:
    fields = form.fields(value, {"size", "at"})
    return Vouched(form.count(fields["size"]), _time(fields["at"]))


def _read_copied(value: object) -> Copied | None:
    if value is None:
        return None
    fields = form.fields(value, {"seq", "commit", "at"})
    commit = form.optional_text(fields["commit"])
    return Copied(form.count(fields["seq"]), commit, _time(fields["at"]))


def _time(value: object) -> datetime:
    return datetime.fromisoformat(form.text(value))


def _list(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    raise form.Malformed("a list is missing")

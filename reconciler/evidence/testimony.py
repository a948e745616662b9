"""What is said of a log besides its entries: its own checkpoints, and what witnesses vouched for.

An audit of entries alone cannot see that the newest were cut off, or that the owner of the key
wrote a whole history anew. Somebody who remembers a root can: a witness's cosignature, in its own
ledger or in a note that an auditor brings, is held against the log that was recomputed here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.errors import EvidenceError
from reconciler.evidence import layout
from reconciler.evidence.audit import AuditReport
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.merkle import HASH_BYTES
from reconciler.evidence.note import Checkpoint, open_checkpoint, read_checkpoint
from reconciler.evidence.record import Record
from reconciler.evidence.sayings import (
    WITNESS,
    Saying,
    gone,
    refused,
    sayings,
    sizes_of,
    vouchers,
)
from reconciler.evidence.signers import AllowedSigners

__all__ = [
    "WITNESS",
    "Cosigned",
    "Objected",
    "Saying",
    "Testimony",
    "gone",
    "hear",
    "refused",
    "sayings",
    "sizes_of",
    "vouchers",
]


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness vouched for a log.

    Attributes:
        witness: Its name: ``witness/<name>``.
        size: How many entries it vouched for.
        time: When, seconds since 1970, by the witness's clock.
    """

    witness: str
    size: int
    time: int


@dataclass(frozen=True, slots=True)
class Objected:
    """A witness did not vouch for a log, and wrote down why.

    Attributes:
        witness: Its name.
        reason: Stable code.
        message: What it says.
        recorded_at: When it wrote that.
    """

    witness: str
    reason: str
    message: str
    recorded_at: str


@dataclass(frozen=True, slots=True)
class Testimony:
    """What is said of one log, and holds.

    Attributes:
        checkpoints: Checkpoint entries by sequence number.
        cosigned: What witnesses vouched for, oldest first.
        objected: What witnesses did not vouch for.
        faults: What is said and does not hold.
    """

    checkpoints: Mapping[int, Record]
    cosigned: tuple[Cosigned, ...]
    objected: tuple[Objected, ...]
    faults: tuple[Fault, ...]


def hear(
    report: AuditReport,
    client: str,
    host: str,
    signers: AllowedSigners,
    said: Iterable[Saying],
    objections: Iterable[Record] = (),
) -> Testimony:
    """Hold what is said of a log against the log.

    Args:
        report: Its audit, with roots at `sizes_of`.
        client: One clinic.
        host: The appliance.
        signers: Who is known: keys of the log and of witnesses.
        said: What witnesses say, of this log or another.
        objections: Refusal entries of witnesses' ledgers.
    """
    origin = layout.origin(client, host)
    ear = _Ear(report, origin, _publics(signers, layout.principal(client, host)), signers)
    checkpoints = {
        record.entry.seq: record
        for record in report.marks
        if record.entry.kind is Kind.CHECKPOINT and ear.own_checkpoint(record)
    }
    cosigned = [one for saying in said for one in ear.saying(saying)]
    objected = [_objected(record) for record in objections if _about(record, origin)]
    return Testimony(
        checkpoints,
        tuple(sorted(set(cosigned), key=lambda one: (one.size, one.time, one.witness))),
        tuple(objected),
        tuple(ear.faults),
    )


class _Ear:
    """Listens for one log."""

    def __init__(
        self,
        report: AuditReport,
        origin: str,
        publics: tuple[bytes, ...],
        signers: AllowedSigners,
    ) -> None:
        self._report = report
        self._origin = origin
        self._publics = publics
        self._signers = signers
        self.faults: list[Fault] = []

    def own_checkpoint(self, record: Record) -> bool:
        """Whether a checkpoint entry is signed by its writer and names the log before itself."""
        try:
            note = str(record.entry.body.get("note"))
            checkpoint = open_checkpoint(note, self._origin, record.public)
        except EvidenceError as error:
            self._fault(Code.CHECKPOINT, record.place, error.message)
            return False
        if checkpoint.size != record.entry.seq:
            message = f"names {checkpoint.size} entries, there are {record.entry.seq} before it"
            self._fault(Code.CHECKPOINT, record.place, message)
            return False
        return self._fits(checkpoint, Code.CHECKPOINT, record.place, "it")

    def saying(self, saying: Saying) -> list[Cosigned]:
        """What a witness vouches for, if it is about this log and holds."""
        if not saying.vouched:
            self._shown(saying)
            return []
        try:
            claimed = read_checkpoint(saying.note)
            if claimed.origin != self._origin:
                return []
            self._signed_by_log(saying.note)
            found = vouchers(saying.note, self._signers)
        except EvidenceError as error:
            self._fault(Code.COSIGNATURE, saying.place, error.message)
            return []
        if saying.witness is not None and saying.witness not in found:
            message = f"holds no cosignature by {saying.witness}, or its key is not listed"
            self._fault(Code.COSIGNATURE, saying.place, message)
            return []
        if saying.body is not None and not _says_what_it_holds(saying, claimed, found):
            self._fault(Code.COSIGNATURE, saying.place, "says something else than its note")
            return []
        who = " and ".join(sorted(found)) or "the log itself"
        if not self._fits(claimed, Code.EQUIVOCATION, saying.place, who):
            return []
        return [Cosigned(name, claimed.size, time) for name, time in found.items()]

    def _shown(self, saying: Saying) -> None:
        """A note that a witness did not vouch for: if the log signed it, it must hold as well."""
        try:
            claimed = read_checkpoint(saying.note)
            if claimed.origin != self._origin:
                return
            self._signed_by_log(saying.note)
        except EvidenceError:
            # Anybody can show a witness anything.
            return
        self._fits(claimed, Code.EQUIVOCATION, saying.place, "the log itself")

    def _signed_by_log(self, note: str) -> None:
        for public in self._publics:
            try:
                open_checkpoint(note, self._origin, public)
            except EvidenceError:
                continue
            return
        message = f"note is not signed by a key of {self._origin}"
        raise EvidenceError(message, hint="A witness vouches only for what the log signed.")

    def _fits(self, checkpoint: Checkpoint, code: Code, place: Place, who: str) -> bool:
        report = self._report
        if report.log is None:
            # The log cannot be recomputed, and there are faults that say why.
            return False
        if checkpoint.size > report.log.size:
            message = f"{who} saw {checkpoint.size} entries; {report.log.size} are shown here"
            self._fault(Code.SHORTER, place, message)
            return False
        root = report.roots.get(checkpoint.size)
        if root != checkpoint.root:
            shown = "unknown" if root is None else root.hex()
            message = (
                f"{who} vouched for root {checkpoint.root.hex()} of the first {checkpoint.size} "
                f"entries; here it is {shown}"
            )
            self._fault(code, place, message)
            return False
        return True

    def _fault(self, code: Code, place: Place, message: str) -> None:
        self.faults.append(Fault(code, place, message))


def _publics(signers: AllowedSigners, principal: str) -> tuple[bytes, ...]:
    return tuple(one.public for one in signers.signers if one.principal == principal)


def _says_what_it_holds(saying: Saying, claimed: Checkpoint, found: Mapping[str, int]) -> bool:
    body = saying.body or {}
    said = (body.get("origin"), body.get("size"), body.get("root"))
    held = (claimed.origin, claimed.size, claimed.root.hex())
    times = found.values() if saying.witness is None else (found[saying.witness],)
    # An appliance may keep the word of a witness that this auditor does not list.
    timely = body.get("time") in times or (saying.witness is None and not found)
    return said == held and len(claimed.root) == HASH_BYTES and timely


def _about(record: Record, origin: str) -> bool:
    entry = record.entry
    return (
        entry.client == WITNESS
        and entry.kind is Kind.REFUSAL
        and entry.body.get("origin") == origin
    )


def _objected(record: Record) -> Objected:
    body = record.entry.body
    return Objected(
        f"{WITNESS}/{record.entry.host}",
        str(body.get("reason"))[:80],
        str(body.get("message"))[:300],
        record.entry.recorded_at,
    )

"""What is said of a log besides its entries: its own checkpoints, and what witnesses vouched for.

An audit of entries alone cannot see that the newest were cut off, or that the owner of the key
wrote a whole history anew. Somebody who remembers a root can: a witness's cosignature, in its own
ledger or in a note that an auditor brings, is held against the log that was recomputed here.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.evidence import layout
from reconciler.evidence.audit import AuditReport
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.merkle import HASH_BYTES
from reconciler.evidence.note import Checkpoint, cosignatures, open_checkpoint, read_checkpoint
from reconciler.evidence.record import Record
from reconciler.evidence.signers import AllowedSigners

WITNESS = "witness"
"""The client of every witness: its branch is ``refs/heads/witness/<name>``."""


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


@dataclass(frozen=True, slots=True)
class Saying:
    """A cosigned note, and where it stands.

    Attributes:
        place: The entry it stands in, or the file that the auditor brought.
        note: The note with the cosignature.
        witness: Who is said to have vouched; None for whoever is known.
        body: The body of the entry, None for a file.
    """

    place: Place
    note: str
    witness: str | None = None
    body: Mapping[str, Any] | None = None


def vouchers(note: str, signers: AllowedSigners) -> dict[str, int]:
    """Which listed witnesses (``witness/<name>``) cosigned a note, and when.

    A witness may be listed with several keys: what it vouched for with an older one still counts.

    Raises:
        EvidenceError: A cosignature by a listed key does not fit.
    """
    listed: list[dict[str, bytes]] = [{}]
    for signer in signers.signers:
        if signer.principal.startswith(f"{WITNESS}/"):
            free = next((one for one in listed if signer.principal not in one), None)
            if free is None:
                listed.append(free := {})
            free[signer.principal] = signer.public
    found: dict[str, int] = {}
    for witnesses in listed:
        found |= cosignatures(note, witnesses)
    return found


def sayings(records: Iterable[Record]) -> list[Saying]:
    """What witnesses say in the entries of ledgers."""
    found = []
    for record in records:
        entry = record.entry
        if entry.kind is Kind.COSIGNATURE:
            name = f"{WITNESS}/{entry.host}" if entry.client == WITNESS else None
            found.append(Saying(record.place, str(entry.body.get("note")), name, dict(entry.body)))
    return found


def sizes_of(origin: str, marks: Iterable[Record], said: Iterable[Saying]) -> set[int]:
    """Sizes of a log whose roots have to be known to judge what is said of it."""
    sizes = {record.entry.seq for record in marks if record.entry.kind is Kind.CHECKPOINT}
    for saying in said:
        try:
            claimed = read_checkpoint(saying.note)
        except EvidenceError:
            continue
        if claimed.origin == origin:
            sizes.add(claimed.size)
    return sizes


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


def gone(said: Iterable[Saying], origins: Set[str]) -> list[Fault]:
    """What is said of logs that are not there at all: such a log is shorter than any.

    A witness's ledger also says what it vouched for of other clients, who have other repositories.

    Args:
        said: What witnesses say.
        origins: Names of the logs that are there.
    """
    clients = {origin.rpartition("/")[0] for origin in origins}
    faults = []
    for saying in said:
        try:
            claimed = read_checkpoint(saying.note)
        except EvidenceError as error:
            faults.append(Fault(Code.COSIGNATURE, saying.place, error.message))
            continue
        ours = saying.body is None or claimed.origin.rpartition("/")[0] in clients
        if ours and claimed.origin not in origins:
            message = f"{claimed.size} entries of {claimed.origin} were seen; no such log is here"
            faults.append(Fault(Code.SHORTER, saying.place, message))
    return faults


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
    return said == held and len(claimed.root) == HASH_BYTES and body.get("time") in times


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

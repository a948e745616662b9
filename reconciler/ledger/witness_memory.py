"""What a witness remembers: for each log the largest state it vouched for, in a ledger of its own.

A witness that forgets can be made to vouch for a second history. So what it vouches for is a signed
entry on the disk before the cosignature leaves, and a ledger that is gone or does not verify stops
the witness: it never begins again on its own.

Rule 1: What is remembered moves by compare-and-swap, from what the decision was made about.
Rule 2: One process holds the ledger.
Rule 3: Every 64th entry repeats the whole memory, so that opening costs the same after a year.
"""

import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from reconciler.errors import Busy, LedgerDamaged
from reconciler.evidence import layout, sshsig
from reconciler.evidence.entry import Kind
from reconciler.evidence.merkle import HASH_BYTES
from reconciler.evidence.objection import Objection
from reconciler.evidence.witnessing import Seen
from reconciler.ledger.lock import HostLock
from reconciler.ledger.objects import repository_directory
from reconciler.ledger.store import Ledger
from reconciler.model.scrub import Own, scrub

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CLIENT = "witness"
SNAPSHOT_EVERY = 64

_HINT = "Restore the witness's ledger from its copies; a new one would have forgotten every log."


def witness_name(name: str) -> str:
    """The name a witness signs with, in notes and in allowed signers files: ``witness/<name>``."""
    return layout.principal(CLIENT, name)


def _own(origin: str) -> Own:
    """What the message of an objection may say again; else it may quote whoever wrote the log."""
    branch = origin.partition("/")[2]
    return Own(frozenset({origin, branch, f"refs/heads/{branch}", *origin.split("/")}))


class WitnessMemory(Protocol):
    """What serving and looking need of a memory."""

    @property
    def lock(self) -> "threading.RLock":
        """Held from a look-up to the `remember` that was decided by it."""
        ...

    def latest(self, origin: str) -> Seen | None:
        """The largest state of a log that was vouched for."""
        ...

    def origins(self) -> tuple[str, ...]:
        """Every log that was ever vouched for."""
        ...

    def remember(self, origin: str, before: Seen | None, after: Seen, at: datetime) -> None:
        """Have a state on the disk; raises `Busy` if ``before`` is not the latest any more."""
        ...

    def object_to(self, objection: Objection, at: datetime) -> None:
        """Have a refusal on the disk, once."""
        ...


class LedgerMemory:
    """A `WitnessMemory` in a ledger on the branch ``witness/<name>``."""

    def __init__(self, ledger: Ledger, held: HostLock) -> None:
        """Use `begin` or `open`."""
        self.lock = threading.RLock()
        self._ledger = ledger
        self._held = held
        self._seen: dict[str, Seen] = {}
        self._objections: dict[str, str] = {}

    @classmethod
    def begin(
        cls, path: Path, name: str, key: "Ed25519PrivateKey", signers_file: Path, at: datetime
    ) -> None:
        """Make the ledger of a new witness.

        Args:
            path: Directory of the ledger; may exist if it is empty.
            name: Name of the witness, a DNS label.
            key: Its key.
            signers_file: Allowed signers file that ``git verify-commit`` is told to use.
            at: Wall time.

        Raises:
            InputError: There is something in that place already.
            MachineError: It cannot be written.
        """
        body = {"key": sshsig.public_text(sshsig.raw_public(key)), "memory": _document({}, {})}
        Ledger.create(path, CLIENT, name, key, body=body, at=at, signers_file=signers_file).close()

    @classmethod
    def open(cls, path: Path, name: str, key: "Ed25519PrivateKey") -> "LedgerMemory":
        """Open the ledger of a witness and read what it remembers.

        Raises:
            LedgerMissing: It is not there.
            LedgerDamaged: It does not verify, or does not say what it should.
            Busy: Another process holds it.
        """
        repository_directory(path)
        held = HostLock(path.with_name(f"{path.name}.lock"))
        held.acquire()
        try:
            memory = cls(Ledger.open(path, CLIENT, name, key), held)
        except BaseException:
            held.release()
            raise
        try:
            memory._recall()
        except BaseException:
            memory.close()
            raise
        return memory

    def latest(self, origin: str) -> Seen | None:
        """The largest state of a log that was vouched for, None if there is none."""
        with self.lock:
            return self._seen.get(origin)

    def origins(self) -> tuple[str, ...]:
        """Every log that was ever vouched for, sorted."""
        with self.lock:
            return tuple(sorted(self._seen))

    def remember(self, origin: str, before: Seen | None, after: Seen, at: datetime) -> None:
        """Append a cosignature entry; it is on the disk when this returns.

        Args:
            origin: Which log.
            before: What the decision was made about.
            after: What is vouched for, with a note that holds the witness's cosignature.
            at: The time that was signed.

        Raises:
            Busy: Something else was vouched for meanwhile; decide again.
            ClockWrong: The clock went back.
            MachineError: It cannot be written; nothing is vouched for.
        """
        with self.lock:
            if self._seen.get(origin) != before:
                message = f"another state of {origin} was cosigned meanwhile"
                raise Busy(message, hint="Ask again with the size that the witness names now.")
            body = {
                "origin": origin,
                "size": after.size,
                "root": after.root.hex(),
                "time": int(at.timestamp()),
                "note": after.note,
            }
            self._ledger.append(Kind.COSIGNATURE, body, at=at, subject=None)
            self._seen[origin] = after
            self._repeat(at)

    def object_to(self, objection: Objection, at: datetime) -> None:
        """Append a refusal entry, unless the last one of this log says the same.

        Raises:
            ClockWrong: The clock went back.
            MachineError: It cannot be written.
        """
        with self.lock:
            if self._objections.get(objection.origin) == objection.digest:
                return
            seen = self._seen.get(objection.origin)
            body = {
                "origin": objection.origin,
                "reason": objection.reason,
                "message": scrub(objection.message, _own(objection.origin)),
                "shown": dict(objection.shown),
                "cosigned": None if seen is None else {"size": seen.size, "root": seen.root.hex()},
            }
            self._ledger.append(Kind.REFUSAL, body, at=at, subject=None)
            self._objections[objection.origin] = objection.digest
            self._repeat(at)

    def keep_anchor(self, body: Mapping[str, Any], at: datetime) -> None:
        """Append an anchor entry: what somebody else vouched for of a log that is watched here.

        Raises:
            ClockWrong: The clock went back.
            MachineError: It cannot be written.
        """
        with self.lock:
            self._ledger.append(Kind.ANCHOR, body, at=at, subject=None)
            self._repeat(at)

    def close(self) -> None:
        """Let go of the ledger."""
        self._ledger.close()
        self._held.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _repeat(self, at: datetime) -> None:
        if (self._ledger.tip.seq + 1) % SNAPSHOT_EVERY == 0:
            body = {"memory": _document(self._seen, self._objections)}
            self._ledger.append(Kind.HEARTBEAT, body, at=at, subject=None)

    def _recall(self) -> None:
        """Newest first, so the first word on a log is the last that was said."""
        for record in self._ledger.entries():
            entry, place = record.entry, str(record.place)
            memory = entry.body.get("memory")
            try:
                if memory is not None:
                    self._merge(memory)
                    return
                self._take(entry.kind, entry.body)
            except (KeyError, TypeError, ValueError) as error:
                message = f"the witness's entry at {place} does not say what it vouched for"
                raise LedgerDamaged(message, hint=_HINT) from error
        raise LedgerDamaged("the witness's ledger does not begin with a memory", hint=_HINT)

    def _take(self, kind: Kind, body: Mapping[str, Any]) -> None:
        if kind not in {Kind.COSIGNATURE, Kind.REFUSAL}:
            return
        origin = body["origin"]
        if kind is Kind.COSIGNATURE:
            self._seen.setdefault(origin, _seen(body))
        else:
            same = Objection(origin, body["reason"], body["message"], body["shown"])
            self._objections.setdefault(origin, same.digest)

    def _merge(self, memory: Mapping[str, Any]) -> None:
        for origin, state in memory["seen"].items():
            self._seen.setdefault(origin, _seen(state))
        for origin, digest in memory["objections"].items():
            self._objections.setdefault(origin, digest)


def _document(seen: Mapping[str, Seen], objections: Mapping[str, str]) -> dict[str, Any]:
    states = {
        origin: {"size": state.size, "root": state.root.hex(), "note": state.note}
        for origin, state in seen.items()
    }
    return {"seen": states, "objections": dict(objections)}


def _seen(body: Mapping[str, Any]) -> Seen:
    """A state as it was written; the signatures over it are those of the witness's own ledger."""
    size, root, note = body["size"], bytes.fromhex(body["root"]), body["note"]
    if type(size) is not int or len(root) != HASH_BYTES or type(note) is not str:
        raise ValueError("not a state of a log")
    return Seen(size, root, note)

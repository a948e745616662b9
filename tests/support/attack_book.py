"""A ledger that is written from a script, so that it can be written again with one step changed.

Who holds the key can write any history that is sound in itself. So an attack by the owner of the
key is a script without a step, with another step, or in another order, played once more.
"""

from collections import ChainMap
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.evidence.merkle import Frontier, leaf_hash
from reconciler.evidence.moments import ended_at
from reconciler.evidence.statement import Entry, Kind, Reference, stamp
from tests.support.entries import finding, run_body
from tests.support.forge import START, Forge, Parts

PROMISE_S = 300
MINUTE_MS = 60_000

Step = Callable[["Book"], object]
Script = Sequence[tuple[datetime, Step]]


@dataclass
class Book(Forge):
    """A forge that keeps what it wrote, and costs the same however long its ledger is.

    Attributes:
        at: When the next entry is written.
        entries: What it wrote, by number.
        keys: Who signed each.
        grown: The log of all of it.
        run: Number of the newest run with findings.
    """

    at: datetime = START
    entries: list[Entry] = field(default_factory=list)
    keys: list[Ed25519PrivateKey] = field(default_factory=list)
    grown: Frontier = field(default_factory=Frontier.empty)
    run: int | None = None

    def play(self, script: Script) -> Self:
        """Write one entry after the other."""
        for self.at, step in script:
            step(self)
        return self

    def fork(self, size: int) -> "Book":
        """Another book that has only the first entries, and goes on by itself."""
        other = copy(self)
        other.objects, other.names = ChainMap({}, self.objects), dict(self.names)
        other.commits, other.digests = self.commits[:size], self.digests[:size]
        other.entries, other.keys = self.entries[:size], self.keys[:size]
        other.grown = Forge.log(other, size)
        other.last = other.entries[-1] if size else None
        other.last_digest = other.digests[-1] if size else None
        filed = [entry.seq for entry in other.entries if not entry.slim]
        runs = [entry.seq for entry in other.entries if entry.kind is Kind.RUN and not entry.slim]
        other.base, other.run = (filed or [None])[-1], (runs or [None])[-1]
        # Who signs entry `size`; the key that a rotation brings in signs only after it.
        other.key = self.keys[size] if size < len(self.keys) else self.key
        other.names.pop(self.branch, None)
        if size:
            other.names[self.branch] = other.commits[-1]
        return other

    @property
    def checkpoints(self) -> list[int]:
        """Numbers of its checkpoint entries."""
        return [entry.seq for entry in self.entries if entry.kind is Kind.CHECKPOINT]

    def note_of(self, seq: int) -> str:
        """The note of a checkpoint entry."""
        return str(self.entries[seq].body["note"])

    def log(self, size: int) -> Frontier:
        return self.grown if size == self.grown.size else super().log(size)

    def next_entry(self, kind: Kind, body: Any, **changes: Any) -> Entry:
        return super().next_entry(kind, body, **{"recorded_at": stamp(self.at), **changes})

    def _write(self, parts: Parts) -> str:
        signer = self.key
        oid = super()._write(parts)
        self.grown = self.grown.extend([leaf_hash(bytes.fromhex(self.digests[-1]))])
        self.entries.append(parts.entry)
        self.keys.append(signer)
        if parts.entry.kind is Kind.RUN and not parts.entry.slim:
            self.run = parts.entry.seq
        return oid


def begin(book: Book) -> str:
    """The first entry."""
    return book.append(Kind.GENESIS)


def look(*failing: str, **changes: Any) -> Step:
    """A run with findings of its own."""
    names = ("disk-encrypted", "sshd-hardened", "backup-fresh")
    found = [finding(name, "fail" if name in failing else "pass") for name in names]
    body = run_body(*found, promise_s=PROMISE_S)
    return lambda book: book.append(Kind.RUN, body, **changes)


def quiet(book: Book) -> str:
    """A run that found what the newest one with findings found."""
    return book.append_slim(body={"like": book.run, "reached": True, "took_ms": 900})


def seal(ticks: Sequence[int]) -> Step:
    """Quiet runs under one signature; so many milliseconds from one to the next."""

    def write(book: Book) -> str:
        body = {"like": book.run, "reached": True, "ticks": list(ticks), "took_ms": 900}
        return book.append_slim(body=body)

    return write


def heartbeat(book: Book) -> str:
    """It was up and could not look."""
    return book.append_slim(Kind.HEARTBEAT, {"reason": "unreachable"})


def checkpoint(book: Book) -> str:
    """The root of all entries so far, signed."""
    return book.append_slim(Kind.CHECKPOINT, {"note": book.note()})


def intend(book: Book) -> str:
    """It is about to act."""
    return book.append(Kind.INTENT, {"action": "RB-TIME-001"})


def conclude(result: str) -> Step:
    """How the oldest open act ended."""

    def write(book: Book) -> str:
        # An intent is open after itself, so it is not among the open ones that it names.
        own = len(book.entries) - 1
        just = book.entries[own].kind is Kind.INTENT
        newest = (Reference(own, book.digests[own]),) if just else ()
        closes = (*book.entries[own].open, *newest)[0]
        return book.append(Kind.OUTCOME, {"result": result}, closes=closes)

    return write


def refuse(book: Book) -> str:
    """A desired state that is not trusted."""
    body = {"reason": "unknown-signer", "commit": "b" * 40, "message": "not signed by a role"}
    return book.append(Kind.REFUSAL, body)


def gap(book: Book) -> str:
    """It was away, and says so."""
    body = {"from": ended_at(book.entries[-1]), "promise_s": PROMISE_S, "rebooted": True}
    return book.append(Kind.GAP, {**body, "until": stamp(book.at)})


def annotate(about: int) -> Step:
    """A person's correction of an older entry."""

    def write(book: Book) -> str:
        place = {"seq": about, "sha256": book.digests[about]}
        words = {"by": "security officer", "text": "this was a drill"}
        return book.append(Kind.ANNOTATION, {"about": place, **words})

    return write


def rotate(key: Ed25519PrivateKey) -> Step:
    """Another key signs from the next entry on."""
    return lambda book: book.rotate(key)


def copied(book: Book) -> str:
    """A bundle of all entries so far lies in a store that nobody can delete from."""
    last, sha256 = len(book.entries) - 1, "ab" * 32
    stored = {
        "key": f"{book.client}/{book.host}/{0:08d}-{last:08d}-{sha256[:16]}.bundle",
        "version_id": "v1",
        "sha256": sha256,
        "size": 1000,
        "retain_until": "2032-03-09T00:00:00Z",
    }
    place = {"endpoint": "https://store.invalid", "bucket": "evidence"}
    covers = {"from": 0, "to": last}
    return book.append(Kind.COPY, {"store": place, "objects": [stored], "covers": covers})


def asked(book: Book) -> str:
    """A language model is about to be asked about an incident."""
    body = {"run": "a" * 32, "phase": "asked", "incident": "0123456789ab-1", "candidates": []}
    return book.append(Kind.ADVICE, body)


def handed_over(book: Book) -> str:
    """An incident is about to be told to people."""
    body = {"run": "a" * 32, "phase": "opened", "channel": "desk", "ticket": "f" * 64}
    return book.append(Kind.TICKET, body)


def switched(book: Book) -> str:
    """Another system runs than the one that was recorded before."""
    store = "/nix/store/00000000000000000000000000000000-nixos-system-front"
    body = {
        "run": "a" * 32,
        "from": f"{store}-26.04",
        "to": f"{store}-26.05",
        "booted": f"{store}-26.04",
        "profile": f"{store}-26.05",
        "generation": 7,
        "release": "c" * 40,
        "source": "release",
        "closure": {"paths": 1500, "nar_bytes": 4_000_000_000, "sha256": "d" * 64},
        "sbom": {"format": "SPDX-2.3", "sha256": "e" * 64},
        "diff": {"from": f"{store}-26.04", "changes": [], "left_out": 0},
        "reason": "",
    }
    return book.append(Kind.SYSTEM, body)


def after(at: datetime, seconds: int, steps: Sequence[Step]) -> list[tuple[datetime, Step]]:
    """Steps one after the other, beginning at a time."""
    return [(at + timedelta(seconds=seconds * number), step) for number, step in enumerate(steps)]

"""Proofs of single entries, made from a repository for somebody who will not have it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import InputError
from reconciler.evidence import layout
from reconciler.evidence.entry import Kind
from reconciler.evidence.merkle import leaf_hash
from reconciler.evidence.merkle_tree import Tree
from reconciler.evidence.note import open_checkpoint, read_checkpoint
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.tlog_proof import TlogProof, verify, write
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.reader import proven

_HINT = "Wait for the next checkpoint (hourly), or give a note that covers the entry."


@dataclass(frozen=True, slots=True)
class EntryProof:
    """A proof and what it is about.

    Attributes:
        text: The proof, ``c2sp.org/tlog-proof@v1``.
        record: The entry.
        public: Key of the log that signed the checkpoint, 32 bytes.
    """

    text: str
    record: Record
    public: bytes


@dataclass(slots=True)
class _Log:
    """A whole branch, proven: digests and signed checkpoints, newest first."""

    digests: list[bytes] = field(default_factory=list)
    checkpoints: dict[int, Record] = field(default_factory=dict)
    entry: Record | None = None


def prove(path: Path, branch: Branch, seq: int, *, note: str | None = None) -> EntryProof:
    """Prove that an entry is in a log. Reads the whole branch.

    Args:
        path: Directory of the repository.
        branch: Whose branch, and who may sign.
        seq: Number of the entry.
        note: A checkpoint of this log to prove it in, with the cosignatures that a witness gave;
            if not given, the newest checkpoint of the branch, which has none.

    Raises:
        InputError: There is no such entry, or no checkpoint that covers it.
        LedgerDamaged: The branch does not verify.
        LedgerMissing: There is no repository, or no such branch.
        EvidenceError: The note is not of this log.
    """
    log = _read(path, branch, seq)
    if log.entry is None:
        raise InputError(f"{branch.ref} has no entry {seq}", hint="Give the number of an entry.")
    signed = _checkpoint(log, seq, note)
    text = str(signed.entry.body["note"]) if note is None else note
    origin, size = layout.origin(branch.client, branch.host), signed.entry.seq
    open_checkpoint(text, origin, signed.public)
    tree = Tree(map(leaf_hash, reversed(log.digests)))
    proof = write(TlogProof(seq, tree.inclusion_proof(seq, size), text))
    digest = bytes.fromhex(log.entry.digest)
    # A proof that does not prove is not given away: this also finds a note with another root.
    verify(proof, digest, origin=origin, public=signed.public, witnesses={}, quorum=0)
    return EntryProof(proof, log.entry, signed.public)


def _read(path: Path, branch: Branch, seq: int) -> _Log:
    log = _Log()
    for record in proven(ObjectStore(repository_directory(path)), branch, path):
        log.digests.append(bytes.fromhex(record.digest))
        if record.entry.kind is Kind.CHECKPOINT:
            log.checkpoints[record.entry.seq] = record
        if record.entry.seq == seq:
            log.entry = record
    return log


def _checkpoint(log: _Log, seq: int, note: str | None) -> Record:
    """The checkpoint entry to prove it by; a checkpoint of size N is entry N."""
    sizes: Sequence[int] = list(log.checkpoints)
    if note is not None:
        sizes = [size for size in sizes if size == read_checkpoint(note).size]
    covering = [size for size in sizes if size > seq]
    if not covering:
        raise InputError(f"no checkpoint covers entry {seq}", hint=_HINT)
    return log.checkpoints[covering[0]]

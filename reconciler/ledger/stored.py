"""The bytes of single entries as they are stored, each proven again before it is handed out."""

from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import EvidenceError, LedgerDamaged
from reconciler.evidence import commit as commits
from reconciler.evidence.canonical import digest
from reconciler.evidence.history import history
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.source import read_as
from reconciler.evidence.tree import DIRECTORY, Trees
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.report.citation import Citation

_HINT = "Run reconciler verify on this repository."


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as it is stored.

    Attributes:
        record: What it says, proven.
        commit: The raw commit: signature, tree, parent, and the statement of a slim entry.
        envelope: The file: a DSSE envelope; None for a slim entry.
    """

    record: Record
    commit: bytes
    envelope: bytes | None

    @property
    def raw(self) -> bytes:
        """The bytes that hold the statement: the file, or the commit of a slim entry."""
        return self.commit if self.envelope is None else self.envelope

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of those bytes."""
        return digest(self.raw)


class Shelf:
    """Takes single entries of one branch from the repository."""

    def __init__(self, path: Path, branch: Branch) -> None:
        """Read from a repository.

        Args:
            path: Its directory.
            branch: Whose branch, and who may sign.

        Raises:
            LedgerMissing: There is no repository.
        """
        self._path = path
        self._branch = branch
        self._store = ObjectStore(repository_directory(path))
        self._trees = Trees(self._store)

    def prove(self, commit: str) -> Stored:
        """Prove one entry again: its signatures, and that it follows the entry before it.

        That a branch reaches it is not proven here.

        Args:
            commit: Object id of its commit, 40 hex digits.

        Raises:
            LedgerDamaged: It does not verify.
        """
        step = next(history(self._store, self._branch, commit))
        if step.faults or step.record is None:
            reason = "; ".join(map(str, step.faults))
            raise LedgerDamaged(f"{self._path} does not verify: {reason}", hint=_HINT)
        return self.take(step.record)

    def take(self, record: Record) -> Stored:
        """The stored bytes of an entry that was proven.

        Raises:
            LedgerDamaged: They cannot be read.
        """
        return Stored(record, *self._bytes(record.commit, record.path))

    def sha256(self, where: Citation) -> str:
        """Hex SHA-256 of the bytes that hold the statement of an entry that was proven.

        Raises:
            LedgerDamaged: They cannot be read.
        """
        commit, envelope = self._bytes(where.commit, where.path)
        return digest(commit if envelope is None else envelope)

    def _bytes(self, oid: str, path: str | None) -> tuple[bytes, bytes | None]:
        try:
            raw = read_as(self._store, "commit", oid)
            return raw, None if path is None else self._file(commits.parse(raw).tree, path)
        except EvidenceError as error:
            message = f"{self._path}: commit {oid}: {error.message}"
            raise LedgerDamaged(message, hint=_HINT) from error

    def _file(self, root: str, path: str) -> bytes:
        oid, mode = root, DIRECTORY
        for name in path.split("/"):
            found = self._trees.read(oid).get(name.encode()) if mode == DIRECTORY else None
            if found is None:
                raise EvidenceError(f"{path} is not in its tree", hint=_HINT)
            mode, oid = found[0], found[1].hex()
        return read_as(self._store, "blob", oid)

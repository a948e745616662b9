"""Writing one entry: sealed, planted, committed, on the disk, and only then reachable."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.evidence import dsse, layout, sshsig
from reconciler.evidence.commit import parse, unsigned, with_signature
from reconciler.evidence.entry import Entry
from reconciler.evidence.planting import Planted, plant
from reconciler.evidence.source import object_id, read_as
from reconciler.evidence.tree import Trees
from reconciler.ledger.lock import HostLock
from reconciler.ledger.loose import LooseWriter
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.refs import Swap

_LOCK = "writer.lock"


class Writer:
    """The one writer of a branch."""

    def __init__(self, path: Path, key: Ed25519PrivateKey) -> None:
        """Write to a repository.

        Args:
            path: Its directory.
            key: Signs envelopes and commits.
        """
        self._path = path
        self._key = key
        self._store = ObjectStore(path)
        self._trees = Trees(self._store)
        self._loose = LooseWriter(path / "objects")

    def write(self, entry: Entry, payload: bytes, parent: str | None) -> str:
        """Commit an entry on top of another.

        Args:
            entry: What the payload says.
            payload: Its statement: the bytes that are signed.
            parent: Commit of the entry before, None for genesis.

        Returns:
            Object id of the commit.

        Raises:
            Busy: Another process is writing.
            EvidenceError: The branch does not point to ``parent``, or that cannot be read.
            MachineError: Disk full, read-only, no permission.
        """
        with HostLock(self._path / _LOCK):
            planted = self._planted(entry, payload, self._root(parent))
            commit = self._signed(entry, payload, planted.root, parent)
            oid = object_id("commit", commit)
            with Swap(self._path, entry.ref, parent, oid) as swap:
                # Every object before the branch: a crash in between leaves objects nobody reaches.
                self._loose.write((*planted.objects, ("commit", commit)), beside=swap.file)
                swap.commit()
        return oid

    def close(self) -> None:
        """End the writing threads."""
        self._loose.close()

    def _root(self, parent: str | None) -> str | None:
        if parent is None:
            return None
        return parse(read_as(self._store, "commit", parent)).tree

    def _planted(self, entry: Entry, payload: bytes, root: str | None) -> Planted:
        if entry.slim and root is not None:
            return Planted(root, ())
        envelope = dsse.seal(payload, dsse.PAYLOAD_TYPE, self._key)
        return plant(self._trees, root, layout.entry_path(entry), envelope)

    def _signed(self, entry: Entry, payload: bytes, root: str, parent: str | None) -> bytes:
        person = layout.committer(entry)
        parents = () if parent is None else (parent,)
        message = layout.commit_message(entry, payload)
        to_sign = unsigned(root, parents, person, person, message)
        armor = sshsig.sign(self._key, to_sign, sshsig.GIT_NAMESPACE)
        return with_signature(to_sign, armor)

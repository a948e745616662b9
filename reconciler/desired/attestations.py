"""What lies on the attestations branch: approvals, releases, heartbeats and recoveries.

Anybody who may push to the fleet's server may put anything there, so a file counts only for the
signature in it, and what is wrong with one file or folder costs that file or folder. Whether a key
may say what it says is judged elsewhere.

Rule 1: A file is looked at before it is inflated, and there are limits on all sizes.
Rule 2: A file lies where its statement belongs, under the name that its content has.
Rule 3: What is not read is counted, with a reason that quotes nothing from the file.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import pygit2
from pygit2.enums import ObjectType

from reconciler.errors import EvidenceError
from reconciler.evidence import commit as commits
from reconciler.keyless.identity import Identity
from reconciler.transport.limits import MIB
from reconciler.trust import envelope, statements
from reconciler.trust.statements import Approval, Heartbeat, Recovery, Release, Statement

APPROVALS, RELEASES, HEARTBEATS, RECOVERIES = "approvals", "releases", "heartbeats", "recoveries"
DSSE, BUNDLE = ".dsse.json", ".sigstore.json"
HEARTBEAT = "heartbeat"

_DIRECTORY = b"40000"
_FILE = b"100644"
_NODE = re.compile(rb"([0-7]{5,6}) ([^\x00/]{1,255})\x00(.{20})", re.DOTALL)
_OID = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"([0-9a-f]{64}|heartbeat)(\.dsse\.json|\.sigstore\.json)")

Keyless = Callable[[bytes], tuple[bytes, Identity]]
"""Checks a sigstore bundle: its payload and who signed it; EvidenceError if it does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationLimits:
    """Bounds of what is read from the branch.

    Attributes:
        files: Files of one folder, and commits that recoveries lead to; the rest is not read.
        file_bytes: One file.
        tree_bytes: One tree object; about 67 bytes for each tree that was ever approved.
        total_bytes: All that one verification asks for.
    """

    files: int = 256
    file_bytes: int = envelope.MAX_ENVELOPE
    tree_bytes: int = 16 * MIB
    total_bytes: int = 64 * MIB


ATTESTATION_LIMITS = AttestationLimits()


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement whose signature holds.

    Attributes:
        statement: What was signed.
        public: The key: 32 raw bytes or the key blob of a hardware key; None of a sigstore bundle.
        identity: Who signed a sigstore bundle; None of a key.
        file: Path on the branch.
    """

    statement: Statement
    public: bytes | None
    identity: Identity | None
    file: str


class Attestations:
    """One commit of the branch; reads what it is asked for, once."""

    def __init__(
        self,
        repository: pygit2.Repository,
        commit: str | None,
        limits: AttestationLimits = ATTESTATION_LIMITS,
        *,
        keyless: Keyless | None = None,
        unread: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Nothing is read yet.

        Args:
            repository: Holds the commit.
            commit: Hex id, None if there is no such branch.
            limits: How much is read.
            keyless: Checks sigstore bundles; without it they are left out.
            unread: What is known to be missing already, because it could not be fetched.
        """
        self._repository = repository
        self._commit = commit
        self._limits = limits
        self._keyless = keyless
        self._left = limits.total_bytes
        self._missing = unread
        self._unread = dict(unread)
        self._folders: dict[str, dict[str, tuple[bytes, str]]] = {}
        self._read: dict[str, tuple[Signed, ...]] = {}

    @property
    def commit(self) -> str | None:
        """Hex id of the commit that is read, None if there is none."""
        return self._commit

    @property
    def unread(self) -> tuple[tuple[str, str], ...]:
        """Path and reason of what was left out of the answers so far."""
        return tuple(self._unread.items())

    def trusting(self, keyless: Keyless) -> "Attestations":
        """The same branch, with sigstore bundles checked too."""
        return Attestations(
            self._repository, self._commit, self._limits, keyless=keyless, unread=self._missing
        )

    def approvals(self, tree: str) -> tuple[Signed, ...]:
        """Approvals of a tree."""
        return self._statements(
            f"{APPROVALS}/{_oid(tree)}", lambda s: isinstance(s, Approval) and s.tree == tree
        )

    def releases(self, commit: str) -> tuple[Signed, ...]:
        """Releases of a commit."""
        return self._statements(
            f"{RELEASES}/{_oid(commit)}", lambda s: isinstance(s, Release) and s.commit == commit
        )

    def released(self) -> tuple[str, ...]:
        """Commits that there are releases of, whether they count or not."""
        return tuple(name for name in self._folder(RELEASES) if _OID.fullmatch(name))

    def heartbeats(self, branch: str) -> tuple[Signed, ...]:
        """The newest heartbeat of a branch: one by a key, one by an identity, or none."""
        return self._statements(
            f"{HEARTBEATS}/{branch}", lambda s: isinstance(s, Heartbeat) and s.branch == branch
        )

    def recoveries(self) -> tuple[Signed, ...]:
        """Recoveries to any commit."""
        found: list[Signed] = []
        for name in islice(self._folder(RECOVERIES), self._limits.files):
            if _OID.fullmatch(name):
                found += self._recoveries(name)
            else:
                self._leave_out(f"{RECOVERIES}/?", "is not the id of a commit")
        return tuple(found)

    def _recoveries(self, to: str) -> tuple[Signed, ...]:
        return self._statements(
            f"{RECOVERIES}/{to}", lambda s: isinstance(s, Recovery) and s.to == to
        )

    def _statements(self, folder: str, fits: Callable[[Statement], bool]) -> tuple[Signed, ...]:
        """What holds in one folder; the rest is counted."""
        if folder not in self._read:
            self._read[folder] = tuple(self._look(folder, fits))
        return self._read[folder]

    def _look(self, folder: str, fits: Callable[[Statement], bool]) -> Iterator[Signed]:
        nodes = self._folder(folder)
        if len(nodes) > self._limits.files:
            self._leave_out(folder, f"holds more than {self._limits.files} files")
        for name in islice(nodes, self._limits.files):
            match = _NAME.fullmatch(name)
            beats = folder.startswith(f"{HEARTBEATS}/")
            if match is None or (match[1] == HEARTBEAT) != beats:
                # Below a branch may be the heartbeats of another: main and main/next.
                if not beats or nodes[name][0] != _DIRECTORY:
                    self._leave_out(f"{folder}/?", "has a name that no attestation has")
                continue
            try:
                yield self._signed(f"{folder}/{name}", match[1], *nodes[name], fits)
            except EvidenceError as error:
                self._leave_out(f"{folder}/{name}", str(error))

    def _signed(
        self, file: str, stem: str, mode: bytes, oid: str, fits: Callable[[Statement], bool]
    ) -> Signed:
        data = self._object(ObjectType.BLOB, oid, self._limits.file_bytes)
        if mode != _FILE:
            raise _refusal("is not a plain file")
        if stem not in (HEARTBEAT, hashlib.sha256(data).hexdigest()):
            raise _refusal("is not named by its content")
        payload, public, identity = self._opened(file, data)
        statement = statements.read(payload)
        if not fits(statement):
            raise _refusal("is a statement about something else")
        return Signed(statement, public, identity, file)

    def _opened(self, file: str, data: bytes) -> tuple[bytes, bytes | None, Identity | None]:
        if file.endswith(DSSE):
            opened = envelope.open_envelope(data)
            return opened.payload, opened.public, None
        if self._keyless is None:
            raise _refusal("is a sigstore bundle, and no trusted root is pinned")
        payload, identity = self._keyless(data)
        return payload, None, identity

    def _folder(self, path: str) -> dict[str, tuple[bytes, str]]:
        """Mode and object id by name, sorted by name; empty if there is no such folder."""
        if path not in self._folders:
            try:
                self._folders[path] = self._children(path)
            except EvidenceError as error:
                self._leave_out(path, str(error))
                self._folders[path] = {}
        return self._folders[path]

    def _children(self, path: str) -> dict[str, tuple[bytes, str]]:
        if not path:
            return {} if self._commit is None else self._nodes(self._tree(self._commit))
        parent, _, name = path.rpartition("/")
        mode, oid = self._folder(parent).get(name, (None, ""))
        if mode is None:
            return {}
        if mode != _DIRECTORY:
            raise _refusal("is not a folder")
        return self._nodes(oid)

    def _nodes(self, oid: str) -> dict[str, tuple[bytes, str]]:
        raw = self._object(ObjectType.TREE, oid, self._limits.tree_bytes)
        found = _NODE.findall(raw)
        if sum(len(mode) + len(name) + 22 for mode, name, _ in found) != len(raw):
            raise _refusal("is not a well-formed folder")
        named = ((name.decode("utf-8", "replace"), mode, id_.hex()) for mode, name, id_ in found)
        return {name: (mode, oid) for name, mode, oid in sorted(named)}

    def _tree(self, commit: str) -> str:
        tree = commits.tree_of(self._object(ObjectType.COMMIT, commit, commits.MAX_BYTES))
        if tree is None:
            raise _refusal("is not a commit")
        return tree

    def _object(self, kind: ObjectType, oid: str, limit: int) -> bytes:
        """Content of an object, its kind and size looked at before it is inflated."""
        try:
            found, size = self._repository.odb.read_header(oid)
            if found != kind:
                raise _refusal(f"is not a {kind.name.lower()}")
            if size > limit:
                raise _refusal(f"is larger than {limit} bytes")
            if size > self._left:
                raise _refusal(f"is beyond {self._limits.total_bytes} bytes altogether")
            self._left -= size
            return self._repository.odb.read(oid)[1]
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise _refusal("is missing or damaged in the mirror") from error

    def _leave_out(self, path: str, why: str) -> None:
        self._unread.setdefault(path, why)


def _oid(text: str) -> str:
    if not _OID.fullmatch(text):
        raise _refusal("is not an object id")
    return text


def _refusal(why: str) -> EvidenceError:
    hint = "Remove it from the attestations branch, and make it anew with `reconciler attest`."
    return EvidenceError(why, hint=hint)

"""One commit of a ledger, examined: who signed it, what it added, what the entry says.

A commit is proven on its own here; whether it follows its parent is `reconciler.evidence.follow`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical, dsse, layout, slim, statement
from reconciler.evidence.commit import Commit
from reconciler.evidence.entry import FIRST_SEQ, Entry, Reference
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.signers import AllowedSigners, Refusal
from reconciler.evidence.source import ObjectSource, read_as
from reconciler.evidence.sshsig import GIT_NAMESPACE
from reconciler.evidence.tree import Change, Trees

_MAX_CHANGES = 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Branch:
    """What is audited: one appliance's branch and who may sign on it.

    Attributes:
        client: One clinic, a DNS label.
        host: The appliance, a DNS label.
        signers: Who may sign.
    """

    client: str
    host: str
    signers: AllowedSigners

    @property
    def ref(self) -> str:
        """Full reference name."""
        return layout.ref_name(self.client, self.host)


@dataclass(frozen=True, slots=True)
class Record:
    """A proven entry.

    Attributes:
        commit: Object id of its commit, 40 hex digits.
        entry: What it says.
        digest: Hex SHA-256 of its statement.
        public: Raw public key that signed the commit, and the envelope if there is one.
        path: The file of the entry, None for a slim one.
    """

    commit: str
    entry: Entry
    digest: str
    public: bytes
    path: str | None = None

    @property
    def reference(self) -> Reference:
        """How other entries name it."""
        return Reference(self.entry.seq, self.digest)

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(commit=self.commit, seq=self.entry.seq)


class Examiner:
    """Examines commits of one branch, one after the other."""

    def __init__(self, source: ObjectSource, branch: Branch) -> None:
        """Args: source: Where the objects are. branch: Whose they must be."""
        self._source = source
        self._branch = branch
        self._trees = Trees(source)

    def examine(
        self, oid: str, commit: Commit, before: str | None
    ) -> tuple[Record | None, list[Fault]]:
        """Examine one commit.

        Args:
            oid: Its object id.
            commit: Its content.
            before: The tree of its parent, None for a first commit.

        Returns:
            The record, if there is an entry that its key signed, and everything that is wrong.
        """
        faults: list[Fault] = []
        place = Place(commit=oid)
        public = attempt(faults, Code.COMMIT_SIGNATURE, place, commit.signed_by)
        if before is not None and commit.tree == before:
            record = self._slim(oid, public, commit, faults)
        else:
            record = self._filed(oid, public, commit, before, faults)
        if public is not None:
            faults += self._speaker(public, commit, place, record)
        return record, faults

    def _slim(
        self, oid: str, public: bytes | None, commit: Commit, faults: list[Fault]
    ) -> Record | None:
        line = layout.slim_line(commit.message)
        if not line.startswith(b"{"):
            message = "commit adds no file, and its message is no entry either"
            faults.append(Fault(Code.NOT_APPEND_ONLY, Place(commit=oid), message))
            return None
        place = Place(commit=oid)
        entry = attempt(faults, Code.STATEMENT, place, lambda: slim.from_line(line))
        if entry is None or public is None:
            return None
        record = Record(oid, entry, canonical.digest(line), public)
        faults += self._agreement(record, commit, layout.commit_message(entry, line))
        return record

    def _filed(
        self,
        oid: str,
        public: bytes | None,
        commit: Commit,
        before: str | None,
        faults: list[Fault],
    ) -> Record | None:
        added = self._added(commit.tree, before, Place(commit=oid), faults)
        if public is None or added is None:
            return None
        record = self._open(oid, public, added, faults)
        if record is not None:
            faults += self._agreement(record, commit, layout.commit_message(record.entry))
        return record

    def _speaker(
        self, public: bytes, commit: Commit, place: Place, record: Record | None
    ) -> list[Fault]:
        seq = None if record is None else record.entry.seq
        found = self._branch.signers.find(public, GIT_NAMESPACE, commit.committer.time, seq)
        if isinstance(found, Refusal):
            name = dsse.key_id(public)[:16]
            message = f"key {name}… is refused at {commit.committer.time}: {found.value}"
            return [Fault(Code.KEY, place, message)]
        wanted = layout.principal(self._branch.client, self._branch.host)
        if found.principal != wanted:
            message = f"signed by {found.principal!r} on the branch of {wanted!r}"
            return [Fault(Code.PRINCIPAL, place, message)]
        return []

    def _added(
        self, tree: str, before: str | None, place: Place, faults: list[Fault]
    ) -> Change | None:
        changes: list[Change] = []
        try:
            for change in self._trees.changes(before, tree):
                changes.append(change)
                if len(changes) > _MAX_CHANGES:
                    break
        except EvidenceError as error:
            faults.append(Fault(Code.TREE, place, error.message))
            return None
        wrong = [change for change in changes if change.kind != "added"]
        for change in wrong:
            where = Place(commit=place.commit, path=change.path)
            faults.append(Fault(Code.NOT_APPEND_ONLY, where, f"file was {change.kind}"))
        added = [change for change in changes if change.kind == "added"]
        if len(added) != 1:
            message = f"commit adds {len(added)} files instead of one"
            where = Place(commit=place.commit, path=added[1].path if added else None)
            faults.append(Fault(Code.NOT_APPEND_ONLY, where, message))
        return added[0] if len(added) == 1 else None

    def _open(self, oid: str, public: bytes, added: Change, faults: list[Fault]) -> Record | None:
        place = Place(commit=oid, path=added.path)
        blob = attempt(faults, Code.OBJECT, place, lambda: self._blob(added))
        if blob is None:
            return None
        envelope = blob
        opened = attempt(faults, Code.ENVELOPE, place, lambda: dsse.open_envelope(envelope, public))
        if opened is None:
            return None
        payload = opened
        entry = attempt(faults, Code.STATEMENT, place, lambda: statement.from_payload(payload))
        if entry is None:
            return None
        return Record(oid, entry, canonical.digest(payload), public, added.path)

    def _blob(self, added: Change) -> bytes:
        return read_as(self._source, "blob", added.oid or "")

    def _agreement(self, record: Record, commit: Commit, message: bytes) -> list[Fault]:
        """The commit says what the entry says: branch, place, time, number and kind."""
        entry, faults = record.entry, []
        if entry.ref != self._branch.ref:
            belongs = f"entry belongs to {entry.ref}, not to {self._branch.ref}"
            faults.append(Fault(Code.BRANCH, record.place, belongs))
        if record.path is not None and record.path != layout.entry_path(entry):
            where = Place(record.commit, entry.seq, record.path)
            faults.append(Fault(Code.PATH, where, f"should be {layout.entry_path(entry)}"))
        person = layout.committer(entry)
        if (commit.author, commit.committer) != (person, person):
            differs = f"author or committer is not {person}"
            faults.append(Fault(Code.COMMIT_CONTENT, record.place, differs))
        if commit.message != message:
            differs = "commit message does not agree with the entry"
            faults.append(Fault(Code.COMMIT_CONTENT, record.place, differs))
        if bool(commit.parents) == (entry.seq == FIRST_SEQ):
            parent = "a" if commit.parents else "no"
            faults.append(
                Fault(Code.GENESIS, record.place, f"entry {entry.seq} has {parent} parent")
            )
        return faults


def attempt(faults: list[Fault], code: Code, place: Place, act: Callable[[], T]) -> T | None:
    """What ``act`` returns, or None and one more fault if it raises `EvidenceError`."""
    try:
        return act()
    except EvidenceError as error:
        faults.append(Fault(code, place, error.message))
        return None

"""Put statements onto the attestations branch of a clone, without a checkout.

The branch of the clone is taken up from the server's copy, or both become one. The commits need no
signature, since every file proves itself; a push is left to git and to the person.

Rule 1: A file is written only if it would be read: its signature holds, and its statement is ours.
Rule 2: Nothing that the server already shows is dropped.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pygit2

from reconciler.desired.attest.merge import Merge
from reconciler.desired.attestations import (
    APPROVALS,
    BUNDLE,
    DSSE,
    HEARTBEAT,
    HEARTBEATS,
    RECOVERIES,
    RELEASES,
    Attestations,
)
from reconciler.errors import InputError, MachineError
from reconciler.trust import envelope, statements
from reconciler.trust.statements import Approval, Heartbeat, Recovery, Release, Statement

_FILE, _DIRECTORY = 0o100644, 0o40000
_NOBODY = ("reconciler", "reconciler@localhost")


@dataclass(frozen=True, slots=True)
class Added:
    """What a write did.

    Attributes:
        commit: New tip of the branch.
        files: Paths that it brought.
    """

    commit: str
    files: tuple[str, ...]


class AttestationsBranch:
    """The branch in one clone, and what the clone knows of the server's."""

    def __init__(self, repository: pygit2.Repository, branch: str, remote: str) -> None:
        """Nothing is read yet.

        Args:
            repository: The clone.
            branch: Name of the branch.
            remote: Name of the server in the clone.
        """
        self._repository = repository
        self._ours = f"refs/heads/{branch}"
        self._theirs = f"refs/remotes/{remote}/{branch}"

    def read(self, now: datetime) -> Attestations:
        """Everything that is known, ours and the server's.

        Args:
            now: Wall time, for a commit that joins both.

        Raises:
            InputError: A reference is not a commit.
            MachineError: The clone cannot be written.
        """
        return Attestations(self._repository, self._joined(now))

    def add(self, files: Mapping[str, bytes], now: datetime, message: str) -> Added:
        """Commit files on top of everything that is known.

        Args:
            files: Content by path, as `placed` gives it; none: only join ours and the server's.
            now: Wall time.
            message: Of the commit.

        Raises:
            InputError: A reference is not a commit, or there is nothing to commit.
            MachineError: The clone cannot be written, or the branch moved meanwhile.
        """
        before = self._target(self._ours)
        tip = self._joined(now)
        tree = None if tip is None else self._commit(tip).tree.id
        for path, content in files.items():
            tree = self._put(tree, path.split("/"), content)
        if tree is None:
            raise _nothing()
        if tip is None or tree != self._commit(tip).tree.id:
            tip = self._write(tree, (tip,) if tip else (), now, message)
        self._move(before, tip)
        return Added(tip, tuple(files))

    def begin_anew(self, now: datetime) -> Added:
        """One commit without history that holds everything that is known.

        Files prove themselves, so nothing rests on the history; a clone is smaller without it.

        Raises:
            InputError: A reference is not a commit, or there is nothing to hold.
            MachineError: The clone cannot be written, or the branch moved meanwhile.
        """
        before = self._target(self._ours)
        tip = self._joined(now)
        if tip is None:
            raise _nothing()
        fresh = self._write(self._commit(tip).tree.id, (), now, "Begin attestations anew")
        self._move(before, fresh)
        return Added(fresh, ())

    def _joined(self, now: datetime) -> str | None:
        """A commit that holds ours and theirs; it is on no branch yet if it is new."""
        ours, theirs = self._target(self._ours), self._target(self._theirs)
        if ours is None or theirs is None or ours == theirs:
            return ours or theirs
        base = self._merge_base(ours, theirs)
        if base in (ours, theirs):
            return theirs if base == ours else ours
        old = None if base is None else self._commit(base).tree.id
        trees = (self._commit(ours).tree.id, self._commit(theirs).tree.id)
        merged = Merge(self._repository).trees(old, *trees)
        # Without a common beginning theirs began anew; ours would bring the old history back.
        parents = (ours, theirs) if base else (theirs,)
        return self._write(merged, parents, now, "Join attestations")

    def _merge_base(self, ours: str, theirs: str) -> str | None:
        # Typed as if there always were one.
        base: pygit2.Oid | None = self._repository.merge_base(ours, theirs)
        return None if base is None else str(base)

    def _write(
        self, tree: pygit2.Oid, parents: tuple[str, ...], now: datetime, message: str
    ) -> str:
        person = pygit2.Signature(*self._person(), int(now.timestamp()), 0)
        try:
            arguments = (None, person, person, message, tree, list(parents))
            return str(self._repository.create_commit(*arguments))
        except (pygit2.GitError, OSError) as error:
            raise _unwritable() from error

    def _person(self) -> tuple[str, str]:
        config = self._repository.config
        try:
            name, email = config["user.name"], config["user.email"]
        except KeyError:
            return _NOBODY
        return (name, email) if name and email else _NOBODY

    def _move(self, before: str | None, tip: str) -> None:
        """Move our branch, if it is where it was."""
        try:
            if before is None:
                self._repository.references.create(self._ours, tip)
            elif tip != before:
                self._check(before)
                self._repository.references[self._ours].set_target(tip)
        except (pygit2.GitError, ValueError, OSError) as error:
            raise _unwritable() from error

    def _check(self, before: str) -> None:
        if self._target(self._ours) != before:
            raise MachineError(f"{self._ours} moved meanwhile", hint="Run the command again.")

    def _put(self, tree: pygit2.Oid | None, parts: list[str], content: bytes) -> pygit2.Oid:
        """A tree with one more file."""
        name, *below = parts
        builder = self._repository.TreeBuilder() if tree is None else self._builder(tree)
        if not below:
            builder.insert(name, self._repository.create_blob(content), _FILE)
        else:
            node = builder.get(name)
            inner = node.id if isinstance(node, pygit2.Tree) else None
            builder.insert(name, self._put(inner, below, content), _DIRECTORY)
        return builder.write()

    def _builder(self, tree: pygit2.Oid) -> pygit2.TreeBuilder:
        return self._repository.TreeBuilder(self._repository[tree].peel(pygit2.Tree))

    def _commit(self, oid: str) -> pygit2.Commit:
        return self._repository[oid].peel(pygit2.Commit)

    def _target(self, name: str) -> str | None:
        reference = self._repository.references.get(name)
        if reference is None:
            return None
        try:
            return str(reference.peel(pygit2.Commit).id)
        except (pygit2.GitError, KeyError, ValueError) as error:
            hint = "Delete it, and fetch the branch again."
            raise InputError(f"{name} does not point to a commit", hint=hint) from error


def sealed(payload: bytes, armor: str) -> dict[str, bytes]:
    """The file of a statement that somebody signed with a key, by its path.

    Args:
        payload: The statement.
        armor: The SSH signature of `reconciler.trust.envelope.to_be_signed`.

    Raises:
        EvidenceError: The signature does not hold, or it is no statement.
    """
    return placed(envelope.wrap(payload, armor), payload, DSSE)


def bundled(payload: bytes, bundle: str) -> dict[str, bytes]:
    """The file of a statement in a sigstore bundle, by its path. The bundle is not verified here.

    Raises:
        EvidenceError: It is no statement.
    """
    return placed(bundle.encode(), payload, BUNDLE)


def placed(data: bytes, payload: bytes, suffix: str) -> dict[str, bytes]:
    """Where a file belongs.

    Raises:
        EvidenceError: It is no statement.
    """
    statement = statements.read(payload)
    stem = HEARTBEAT if isinstance(statement, Heartbeat) else hashlib.sha256(data).hexdigest()
    return {f"{folder_of(statement)}/{stem}{suffix}": data}


def folder_of(statement: Statement) -> str:
    """The folder that a statement's file belongs into."""
    match statement:
        case Approval():
            return f"{APPROVALS}/{statement.tree}"
        case Release():
            return f"{RELEASES}/{statement.commit}"
        case Heartbeat():
            return f"{HEARTBEATS}/{statement.branch}"
        case Recovery():
            return f"{RECOVERIES}/{statement.to}"


def _nothing() -> InputError:
    message = "there is nothing to write, here or on the server"
    return InputError(message, hint="Fetch first: git fetch.")


def _unwritable() -> MachineError:
    hint = "Check the disk, and who owns the .git directory; then run the command again."
    return MachineError("the clone cannot be written", hint=hint)

"""A branch with proposed files, written into a clone without a checkout.

Rule 1: Nothing that is there moves: neither the work tree nor a branch that has the name already.
Rule 2: A commit is signed by the key that a person names, or by nobody; then the person signs it
        with git. Who signs is its author, and nobody agrees with a change of their own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import pygit2
from pygit2.enums import ObjectType

from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.evidence import commit as commits
from reconciler.evidence import sshsig
from reconciler.evidence.commit import Person

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_FILE, _DIRECTORY = 0o100644, 0o40000


def write_branch(
    repository: pygit2.Repository,
    base: str,
    branch: str,
    files: Mapping[str, bytes],
    *,
    message: str,
    at: datetime,
    key: "Ed25519PrivateKey | None",
) -> str:
    """Commit files on top of a commit, as a new branch.

    Args:
        repository: The clone.
        base: Hex id of the commit to stand on.
        branch: A plain name.
        files: Content by path.
        message: Of the commit.
        at: Commit time, timezone-aware; whole seconds count.
        key: Signs the commit; ``None`` leaves that to git.

    Returns:
        Hex id of the commit; of the one that is there, when the branch holds these files already.

    Raises:
        InputError: The branch holds something else, or the clone has no name for the author.
        MachineError: The clone cannot be written.
    """
    try:
        tree = str(_tree(repository, base, files))
        there = repository.references.get(f"refs/heads/{branch}")
        if there is not None:
            return _same(repository, there, tree, branch)
        raw = _commit(repository, base, tree, message, at, key)
        oid = str(repository.write(ObjectType.COMMIT, raw))
        repository.references.create(f"refs/heads/{branch}", oid)
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        hint = "Check the disk, and who owns the .git directory; then run the command again."
        raise MachineError("the clone cannot be written", hint=hint) from error
    return oid


def _same(repository: pygit2.Repository, there: pygit2.Reference, tree: str, branch: str) -> str:
    commit = there.peel(pygit2.Commit)
    if str(commit.tree.id) != tree:
        message = f"there is a branch {branch} already, and it holds something else"
        raise InputError(message, hint="Name another one: --branch NAME.")
    return str(commit.id)


def _commit(
    repository: pygit2.Repository,
    base: str,
    tree: str,
    message: str,
    at: datetime,
    key: "Ed25519PrivateKey | None",
) -> bytes:
    try:
        person = Person(*_author(repository), int(at.timestamp()), "+0000")
        payload = commits.unsigned(tree, (base,), person, person, message.encode())
    except EvidenceError as error:
        hint = "Set a plain user.name and user.email with git config."
        raise InputError("the author cannot be written into a commit", hint=hint) from error
    if key is None:
        return payload
    return commits.with_signature(payload, sshsig.sign(key, payload, sshsig.GIT_NAMESPACE))


def _author(repository: pygit2.Repository) -> tuple[str, str]:
    try:
        config = repository.config
        name, email = config["user.name"], config["user.email"]
    except KeyError:
        name = email = None
    if not name or not email:
        hint = "Set them: git config user.name NAME; git config user.email ADDRESS."
        raise InputError("this clone does not know who you are", hint=hint)
    return name, email


def _tree(repository: pygit2.Repository, base: str, files: Mapping[str, bytes]) -> pygit2.Oid:
    tree = repository[base].peel(pygit2.Tree).id
    for path, content in sorted(files.items()):
        tree = _put(repository, tree, path.split("/"), content)
    return tree


def _put(
    repository: pygit2.Repository, tree: pygit2.Oid | None, parts: list[str], content: bytes
) -> pygit2.Oid:
    """A tree with one more file."""
    name, *below = parts
    builder = (
        repository.TreeBuilder()
        if tree is None
        else repository.TreeBuilder(repository[tree].peel(pygit2.Tree))
    )
    if not below:
        builder.insert(name, repository.create_blob(content), _FILE)
        return builder.write()
    node = builder.get(name)
    inner = node.id if isinstance(node, pygit2.Tree) else None
    builder.insert(name, _put(repository, inner, below, content), _DIRECTORY)
    return builder.write()

"""A new fleet repository whose first commit stock ``git verify-commit`` accepts.

Its own configuration makes the next plain ``git commit`` of the engineer a signed one, and lets
``git log --show-signature`` work without any set-up. Nothing global is read or changed.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pygit2
from pygit2.enums import ObjectType

from reconciler.desired.tree import SIGNERS_PATH
from reconciler.errors import EvidenceError, InputError, MachineError, Where
from reconciler.evidence import commit as commits
from reconciler.evidence import sshsig
from reconciler.evidence.commit import Person

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_HINT = "Choose a directory on a disk with room that you may write to."


def init_fleet(
    directory: Path, *, key_file: Path, name: str, email: str, branch: str = "main"
) -> None:
    """Make a work tree a Git repository in which every commit is signed.

    Args:
        directory: The work tree; its files stay as they are.
        key_file: Ed25519 private key in OpenSSH form; its path goes into the configuration.
        name: Author of commits made here.
        email: Their address.
        branch: First branch.

    Raises:
        InputError: There is a repository already.
        MachineError: The directory cannot be written.
    """
    if (directory / ".git").exists():
        hint = "Commit to it with plain git."
        raise InputError("is a Git repository already", hint=hint, where=Where(str(directory)))
    try:
        config = pygit2.init_repository(str(directory), initial_head=branch).config
        config["user.name"] = name
        config["user.email"] = email
        config["user.signingkey"] = str(key_file.absolute())
        config["gpg.format"] = "ssh"
        config["commit.gpgsign"] = "true"
        config["tag.gpgsign"] = "true"
        # Relative to the top of the work tree, where git runs ssh-keygen.
        config["gpg.ssh.allowedSignersFile"] = "/".join(SIGNERS_PATH)
    except (pygit2.GitError, OSError) as error:
        raise MachineError(f"cannot make a repository in {directory}", hint=_HINT) from error


def commit_signed(
    directory: Path, message: str, *, key: "Ed25519PrivateKey", name: str, email: str, at: datetime
) -> str:
    """Commit every file of a work tree, signed, onto the branch that is checked out.

    Args:
        directory: Top of the work tree.
        message: Commit message.
        key: Signing key.
        name: Author and committer.
        email: Their address.
        at: Commit time, timezone-aware; whole seconds are kept, in UTC.

    Returns:
        Hex id of the commit. Index and work tree agree with it.

    Raises:
        InputError: A name or address that Git cannot hold.
        MachineError: The repository cannot be read or written.
    """
    person = Person(name, email, int(at.timestamp()), "+0000")
    try:
        repository = pygit2.Repository(str(directory))
        parents = () if repository.head_is_unborn else (str(repository.head.target),)
        payload = commits.unsigned(_tree(repository), parents, person, person, message.encode())
        raw = commits.with_signature(payload, sshsig.sign(key, payload, sshsig.GIT_NAMESPACE))
        commits.parse(raw)
        oid = repository.write(ObjectType.COMMIT, raw)
        branch = repository.lookup_reference("HEAD").target
        repository.references.create(str(branch), oid, force=True)
    except EvidenceError as error:
        hint = "Give a name and address without < > and control characters."
        raise InputError("the author cannot be written into a commit", hint=hint) from error
    except (pygit2.GitError, KeyError, OSError) as error:
        raise MachineError(f"cannot commit in {directory}: {error}", hint=_HINT) from error
    return str(oid)


def _tree(repository: pygit2.Repository) -> str:
    """Object id of a tree of everything that is not ignored, which the index then agrees with."""
    index = repository.index
    index.add_all()
    index.write()
    return str(index.write_tree())

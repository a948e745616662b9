"""Making an evidence repository: bare, append-only for whoever pushes, readable by stock git.

Plain files, each on the disk before the next, so that a crash at any instant leaves either nothing
or something that the next try finishes. A repository whose branch is lost is never begun again.
"""

from pathlib import Path

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.evidence import layout
from reconciler.evidence.commit import parents_of
from reconciler.ledger import loose
from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.ref_files import read_refs
from reconciler.ledger.refs import make_directories

_CONFIG = """\
[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	logAllRefUpdates = always
	# What stock git writes here is on the disk as well.
	fsync = all
[receive]
	denyNonFastForwards = true
	denyDeletes = true
	fsckObjects = true
[gpg]
	format = ssh
[gpg "ssh"]
	allowedSignersFile = "{signers}"
"""
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_DIRECTORIES = ("objects/info", "objects/pack", "refs/heads", "refs/tags")
_OURS = {"HEAD.new", "config", "config.new", "objects", "refs", "writer.lock"}
"""What a crash may leave before there is a ``HEAD``."""

_HINT = "Use it as it is, or choose another directory; a ledger is never overwritten."
_LOST = "Do not delete it: see docs/operating.md, When the branch is lost."


def create_repository(path: Path, client: str, host: str, signers_file: Path) -> None:
    """Make an empty evidence repository, or finish one that a crash left without a branch.

    Args:
        path: Its directory; may exist if it is empty.
        client: One clinic, a DNS label.
        host: The appliance, a DNS label.
        signers_file: Allowed signers file that ``git verify-commit`` is told to use.

    Raises:
        InputError: There is something else, a ledger, or what is left of one, in that place.
        MachineError: The directory cannot be written.
    """
    branch = layout.ref_name(client, host)
    signers = "".join(_ESCAPES.get(letter, letter) for letter in str(signers_file))
    with on_disk(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            _check_unborn(path)
        for name in _DIRECTORIES:
            (path / name).mkdir(parents=True, exist_ok=True)
        flush(path / "objects")
        make_directories(path, branch)
        _place(path / "config", _CONFIG.format(signers=signers))
        # Last: without it, git does not take it for a repository.
        _place(path / "HEAD", f"ref: {branch}\n")
        flush(path.parent)


def _place(file: Path, content: str) -> None:
    """Write a file that is there as a whole or not at all, and what was named before it."""
    beside = file.with_name(f"{file.name}.new")
    with beside.open("wb") as opened:
        opened.write(content.encode())
        flush(opened)
    beside.replace(file)
    flush(file.parent)


def _check_unborn(path: Path) -> None:
    names = {child.name for child in path.iterdir()}
    if "HEAD" not in names and not names <= _OURS:
        message = "directory is not empty and is not a repository"
        raise InputError(message, hint=_HINT, where=Where(str(path)))
    if read_refs(path):
        raise InputError("there is a ledger already", hint=_HINT, where=Where(str(path)))
    if _holds_history(path / "objects"):
        message = "holds entries whose branch is lost"
        raise InputError(message, hint=_LOST, where=Where(str(path)))


def _holds_history(objects: Path) -> bool:
    """Whether there is more than a crash leaves of making a first entry."""
    return any(objects.glob("pack/*.pack")) or any(map(_follows, objects.glob("??/*")))


def _follows(file: Path) -> bool:
    """Whether a loose object is a commit that follows another."""
    try:
        kind, raw = loose.read(str(file), file.parent.name + file.name)
    except EvidenceError:
        # Unfinished, or cut off: no entry.
        return False
    return kind == "commit" and bool(parents_of(raw))

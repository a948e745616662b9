"""Making an evidence repository: bare, append-only for whoever pushes, readable by stock git."""

from pathlib import Path

from reconciler.errors import InputError, MachineError, Where
from reconciler.evidence import layout
from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.ref_files import read_refs

_SERVER_RULES = {
    "receive.denyNonFastForwards": "true",
    "receive.denyDeletes": "true",
    "receive.fsckObjects": "true",
    "core.logAllRefUpdates": "always",
    "gpg.format": "ssh",
}
_HINT = "Use it as it is, or choose another directory; a ledger is never overwritten."


def create_repository(path: Path, client: str, host: str, signers_file: Path) -> None:
    """Make an empty evidence repository, or finish one that a crash left without a branch.

    Args:
        path: Its directory; may exist if it is empty.
        client: One clinic, a DNS label.
        host: The appliance, a DNS label.
        signers_file: Allowed signers file that ``git verify-commit`` is told to use.

    Raises:
        InputError: There is something else, or a ledger, in that place.
        MachineError: The directory cannot be written.
    """
    with on_disk(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            _check_unborn(path)
        _initialise(path, layout.ref_name(client, host), signers_file)
        for name in ("HEAD", "config"):
            with (path / name).open("rb") as file:
                flush(file)
        for directory in (path / "objects", path / "refs", path, path.parent):
            flush(directory)


def _initialise(path: Path, head: str, signers_file: Path) -> None:
    import pygit2  # noqa: PLC0415 - lazy: needed once in the life of a ledger

    try:
        repository = pygit2.init_repository(str(path), bare=True, initial_head=head)
        for name, value in _SERVER_RULES.items():
            repository.config[name] = value
        repository.config["gpg.ssh.allowedSignersFile"] = str(signers_file)
    except pygit2.GitError as error:
        message = f"cannot make a repository in {path}: {error}"
        raise MachineError(
            message, hint="See the rights on that path, and its free space."
        ) from error


def _check_unborn(path: Path) -> None:
    if not (path / "HEAD").is_file():
        message = "directory is not empty and is not a repository"
        raise InputError(message, hint=_HINT, where=Where(str(path)))
    if read_refs(path):
        raise InputError("there is a ledger already", hint=_HINT, where=Where(str(path)))

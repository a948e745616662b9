"""A kit on the disk: files by name, and a manifest of all of them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.errors import InputError, MachineError, Where
from reconciler.evidence.canonical import encode
from reconciler.ledger.durable import flush

MANIFEST = "manifest.json"
MAX_ROOT = 16 * 1024 * 1024
_CHUNK = 1024 * 1024


def absent(directory: Path) -> None:
    """Make sure that nothing is in the place of a kit.

    Raises:
        InputError: There is something.
        MachineError: What it would lie in is not there.
    """
    if directory.exists() or directory.is_symlink():
        hint = "Choose a directory that does not exist; a kit is never mixed with other files."
        raise InputError("is there already", hint=hint, where=Where(str(directory)))
    if not directory.parent.is_dir():
        message = f"cannot write {directory}: there is no directory {directory.parent}"
        raise MachineError(message, hint="Make it first.")


def put(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write files; they are on the disk when this returns.

    Raises:
        OSError: They cannot be written.
    """
    for name in sorted(files):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(files[name])
            flush(file)


def seal(directory: Path, about: Mapping[str, Any]) -> tuple[str, ...]:
    """Write the manifest of everything in a directory.

    Args:
        directory: The kit.
        about: What the manifest says besides.

    Returns:
        Names of all files, sorted.

    Raises:
        OSError: It cannot be read or written.
    """
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    names = sorted(path.relative_to(directory).as_posix() for path in paths)
    listed = [_listed(directory, name) for name in names]
    put(directory, {MANIFEST: encode({**about, "files": listed}) + b"\n"})
    for folder in [directory, *(path for path in directory.rglob("*") if path.is_dir())]:
        flush(folder)
    return tuple(sorted([*names, MANIFEST]))


def roots(directory: Path | None) -> dict[str, bytes]:
    """The files of a folder of trust anchors, as they are; `ledger.roots` has judged it before.

    Raises:
        InputError: One cannot be read, or is too large.
    """
    found: dict[str, bytes] = {}
    for path in sorted(directory.rglob("*")) if directory is not None else ():
        if path.is_file():
            name = path.relative_to(directory or path).as_posix()
            found[f"roots/{name}"] = read(path, MAX_ROOT)
    return found


def read(file: Path, most: int) -> bytes:
    """A file that was named on the command line, within a limit.

    Raises:
        InputError: It cannot be read, or is too large.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        hint = "Name a file that is there and that you may read."
        raise InputError(message, hint=hint, where=Where(str(file))) from error
    if len(data) > most:
        hint = "See whether it is the file that you mean."
        raise InputError(f"has more than {most} bytes", hint=hint, where=Where(str(file)))
    return data


def _listed(directory: Path, name: str) -> dict[str, Any]:
    total, size = hashlib.sha256(), 0
    with (directory / name).open("rb") as file:
        while chunk := file.read(_CHUNK):
            total.update(chunk)
            size += len(chunk)
    return {"name": name, "sha256": total.hexdigest(), "size": size}

"""A file that is written whole or not at all: what was cut off never stands in its place."""

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from reconciler.errors import MachineError
from reconciler.ledger.durable import flush, on_disk


def write_whole(file: Path, pieces: Iterable[bytes], mode: int = 0o644) -> None:
    """Write a file beside its place, wait until it is on the disk, then put it there.

    Args:
        file: Its place; what stood there before stays until the new one is whole.
        pieces: What it holds, in pieces that may still be in the making.
        mode: Its permissions.

    Raises:
        MachineError: The disk is full, read-only or not ours, or something that is no file stands
            in its place; nothing was changed.
    """
    with on_disk(file):
        _require_file_or_nothing(file)
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                for piece in pieces:
                    stream.write(piece)
                part.chmod(mode)
                flush(stream)
            part.replace(file)
            flush(file.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _require_file_or_nothing(place: Path) -> None:
    """A device or pipe would be gone for everybody, and a link may be somebody else's."""
    try:
        mode = place.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise MachineError(
            f"{place} is not a regular file and was left alone",
            hint="Name a file that may be replaced, or a new one; links are not followed.",
        )

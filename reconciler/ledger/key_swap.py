"""Files of keys change places: each move is atomic, and a crash between two of them is continued.

A key is one private file (plain or sealed) and one public file. The new private half takes its
place in one rename; what tells a start from a continuation is whether it still waits at its own.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.sealed_keys import KeyFile


def swap(place: KeyFile, coming: KeyFile, aside: KeyFile) -> None:
    """Put a new key into its place, and the old one aside; doing it again does no harm.

    Args:
        place: Where the new key belongs; its private half never lacks in between.
        coming: Where the new key waits.
        aside: Where the old key goes.

    Raises:
        MachineError: The directory cannot be written.
    """
    with on_disk(place.path):
        if coming.exists():
            for old, kept in zip(place.private, aside.private, strict=True):
                _keep(old, kept)
            flush(place.path.parent)
            for new, old in zip(coming.private, place.private, strict=True):
                if new.exists():
                    new.replace(old)
        # A plain key that a sealed one follows, or the other way round, is still beside it.
        for old, kept in zip(place.private, aside.private, strict=True):
            if old.exists() and kept.exists() and old.samefile(kept):
                old.unlink()
        if coming.public.exists():
            _keep(place.public, aside.public)
            coming.public.replace(place.public)
        _sweep(coming)
        flush(place.path.parent)


def discard(place: KeyFile) -> None:
    """Remove a key that was never announced, and what a crash left of making it.

    Raises:
        MachineError: The directory cannot be written.
    """
    with on_disk(place.path):
        for file in place.files:
            file.unlink(missing_ok=True)
        _sweep(place)
        flush(place.path.parent)


def rewrite(path: Path, data: bytes) -> None:
    """Give a file new content: it has the old or the new one, whatever happens.

    For one writer at a time: what a crash left of an earlier one is overwritten.

    Raises:
        MachineError: It cannot be written.
    """
    beside = path.with_name(f".{path.name}.new")
    with on_disk(path):
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(beside, flags, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            flush(file)
        beside.replace(path)
        flush(path.parent)


def _sweep(place: KeyFile) -> None:
    """Remove what a crash left of making a key: it is under no name that anybody would look for."""
    unfinished = re.compile(rf"\.{re.escape(place.path.name)}(\.cred|\.pub)?\.[0-9a-f]{{12}}")
    for file in list(place.path.parent.iterdir()):
        if unfinished.fullmatch(file.name):
            file.unlink()


def _keep(old: Path, kept: Path) -> None:
    """A second name for a file, if there is one and it has none yet."""
    with suppress(FileExistsError, FileNotFoundError):
        kept.hardlink_to(old)

"""Telling whether a file is still the one that was read, without reading it."""

from pathlib import Path

Identity = tuple[int, int, int]
"""Size, time of the last change in nanoseconds, inode: the same for the same untouched file."""


def identity(file: Path) -> Identity | None:
    """What tells a file from one that was put in its place; None if it is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_ctime_ns, status.st_ino


def pack_files(path: Path) -> dict[str, Identity]:
    """Name and identity of every file of packs, for a later sweep."""
    files = sorted((path / "objects/pack").glob("pack-*"))
    marks = {file.relative_to(path).as_posix(): identity(file) for file in files}
    return {name: mark for name, mark in marks.items() if mark is not None}

"""Putting a pack into its place: written, synced, proven, and only then there.

Rule 1: The pack gets its name before its index, and keeps it through a power cut before that: a
pack without an index is no part of a repository, an index without a pack would be a broken one.
Rule 2: Until both have their names, whatever they replace stays.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.pack_reader import PackReader
from reconciler.ledger.packing.form import encode_index
from reconciler.ledger.packing.writer import Packed

_PACK, _INDEX = "tmp_pack_ledger_", "tmp_idx_ledger_"


@contextmanager
def partial_pack(directory: Path) -> Iterator[IO[bytes]]:
    """A new file for a pack that is not complete yet; removed at the end if it is still there.

    Args:
        directory: The ``objects/pack`` directory.

    Raises:
        MachineError: It cannot be made.
    """
    with on_disk(directory):
        directory.mkdir(exist_ok=True)
        partial = _new(directory, _PACK)
    try:
        with partial.open("r+b") as file:
            yield file
    finally:
        partial.unlink(missing_ok=True)


def place_pack(
    file: IO[bytes], packed: Packed, prove: Callable[[PackReader], None] | None = None
) -> Path:
    """Give a complete pack its index and its name; both are on the disk when this returns.

    Args:
        file: What `partial_pack` gave.
        packed: What is in it.
        prove: Reads it once more, as it is on the disk, and raises if anything is wrong.

    Returns:
        The ``.idx`` file; the pack lies beside it.

    Raises:
        EvidenceError: It does not hold what was written.
        MachineError: Disk full, read-only, no permission; nothing is there under its name.
    """
    partial = Path(file.name)
    directory = partial.parent
    pack = directory / f"pack-{packed.checksum.hex()}.pack"
    index = pack.with_suffix(".idx")
    with on_disk(directory):
        staged = _new(directory, _INDEX)
        try:
            _write(staged, encode_index(packed.places, packed.checksum))
            os.fchmod(file.fileno(), 0o444)
            flush(file)
            if prove is not None:
                prove(PackReader(staged, partial))
            partial.rename(pack)
            flush(directory)
            staged.rename(index)
        finally:
            staged.unlink(missing_ok=True)
        flush(directory)
    return index


def remove_unfinished(directory: Path) -> None:
    """Remove what a crash left of `place_pack`. The caller holds the writer's lock.

    Raises:
        MachineError: They cannot be removed.
    """
    with on_disk(directory):
        for prefix in (_PACK, _INDEX):
            for partial in directory.glob(f"{prefix}*"):
                partial.unlink(missing_ok=True)


def _new(directory: Path, prefix: str) -> Path:
    path = directory / f"{prefix}{secrets.token_hex(8)}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    return path


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), 0o444)
        flush(file)

"""Loose Git objects: written durably in one go, and checked byte by byte.

An append is seven objects (an entry, five trees, a commit). Seven one after the other wait fourteen
times for the disk; side by side the file system commits them together, which costs a fifth of that.
"""

import hashlib
import os
import secrets
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from reconciler.errors import EvidenceError
from reconciler.evidence.source import framed, object_id
from reconciler.ledger.durable import flush, on_disk

MAX_OBJECT = 8 * 1024 * 1024
"""Largest object that is looked at, in bytes after inflation."""

_HEADER = b"\x78\x01"
"""Of a zlib stream at the fastest level, which git, libgit2 and we use for loose objects."""
_TEMPORARY = "tmp_obj_"
_HINT = "Restore the object from a clone: objects are named by their content."


class LooseWriter:
    """Writes batches of loose objects; each batch is on the disk when `write` returns."""

    def __init__(self, objects: Path) -> None:
        """Args: objects: The ``objects`` directory."""
        self._objects = objects
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="ledger-write")

    def write(self, batch: Sequence[tuple[str, bytes]], *, beside: IO[bytes]) -> None:
        """Write objects, each as a whole or not at all.

        Args:
            batch: Type and content of each.
            beside: An open file that has to be on the disk together with them.

        Raises:
            MachineError: Disk full, read-only, no permission; what was written stays unreferenced.
        """
        with on_disk(self._objects), ExitStack() as stack:
            staged = [self._stage(kind, raw, stack) for kind, raw in batch]
            list(self._pool.map(flush, (beside, *(file for file, _, _ in staged))))
            for _, partial, path in staged:
                partial.rename(path)
            directories = {path.parent for _, _, path in staged} | {self._objects}
            list(self._pool.map(flush, directories))

    def _stage(self, kind: str, raw: bytes, stack: ExitStack) -> tuple[IO[bytes], Path, Path]:
        """An open temporary file with the object in it, its name, and the name it shall get."""
        oid = object_id(kind, raw)
        path = self._objects / oid[:2] / oid[2:]
        partial = path.with_name(_TEMPORARY + secrets.token_hex(8))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(partial, flags, 0o444)
        except FileNotFoundError:
            path.parent.mkdir(exist_ok=True)
            descriptor = os.open(partial, flags, 0o444)
        stack.callback(partial.unlink, missing_ok=True)
        file = stack.enter_context(os.fdopen(descriptor, "wb"))
        file.write(zlib.compress(framed(kind, raw), 1))
        return file, partial, path

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def read(path: str, oid: str) -> tuple[str, bytes]:
    """Read a loose object file.

    Args:
        path: The file.
        oid: The object id that its name stands for.

    Returns:
        Type and content.

    Raises:
        FileNotFoundError: There is no such file.
        EvidenceError: It is not an object that hashes to its name, or is larger than 8 MiB.
    """
    plain = _inflated(_read(path))
    head, _, body = plain.partition(b"\0")
    kind = head.split(b" ")[0].decode("ascii", "replace")
    if head != f"{kind} {len(body)}".encode():
        raise EvidenceError("has a header that is not its type and size", hint=_HINT)
    if hashlib.sha1(plain, usedforsecurity=False).hexdigest() != oid:
        raise EvidenceError("does not hash to its name", hint=_HINT)
    return kind, body


def check(path: str, oid: str) -> None:
    """Check a loose object file: content, name, and every byte of its compression.

    Raises:
        EvidenceError: Anything that Git would not have written there.
    """
    kind, raw = read(path, oid)
    if _altered(_read(path), framed(kind, raw)):
        raise EvidenceError("was altered in its compression, not its content", hint=_HINT)


def is_leftover(name: str) -> bool:
    """Whether a file is what an interrupted writer leaves: of ours, of git or of libgit2."""
    return name.startswith((_TEMPORARY, "tmp_object_git2_", "tmp_pack_", "tmp_idx_", "pack_git2_"))


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # Asking for no more than there is saves a buffer of 8 MiB for each small object.
        return os.read(descriptor, min(os.fstat(descriptor).st_size, MAX_OBJECT))
    finally:
        os.close(descriptor)


def _inflated(packed: bytes) -> bytes:
    """The plain bytes of a zlib stream as Git writes it, with nothing after its end."""
    if not packed.startswith(_HEADER):
        hint = "If core.compression was set, git repack -ad puts it right; else restore a clone."
        raise EvidenceError("is not compressed as Git does it", hint=hint)
    inflate = zlib.decompressobj()
    try:
        plain = inflate.decompress(packed, MAX_OBJECT)
    except zlib.error as error:
        raise EvidenceError(f"does not inflate: {error}", hint=_HINT) from error
    if not inflate.eof or inflate.unused_data:
        raise EvidenceError("is cut off, too large or has trailing bytes", hint=_HINT)
    return plain


def _altered(packed: bytes, plain: bytes) -> bool:
    """Whether exactly one byte differs from what this machine's zlib makes of the content.

    Some bits of a deflate stream do not matter (padding, equivalent matches), so a flipped one
    would go unseen. Another zlib than the writer's differs in many bytes or in length, which is
    no sign of anything: the content is proven by its hash.
    """
    again = zlib.compress(plain, 1)
    if again == packed or len(again) != len(packed):
        return False
    return sum(one != two for one, two in zip(again, packed, strict=True)) == 1

"""Git bundles: a stretch of a branch in one file, as Git's ``gitformat-bundle`` has it, version 2.

A bundle says which commits must be there already, which references it brings, and then comes a
pack. Incremental ones, one after the other, are the whole branch.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.packing.select import added
from reconciler.ledger.packing.writer import write_pack

MAGIC = b"# v2 git bundle\n"
MAX_HEADER = 256 * 1024
"""In bytes: a hub's bundle may name some thousand branches."""

_ID = re.compile(r"[0-9a-f]{40}")
_PART = r"(?!-)(?!\.)(?:(?!\.\.)[A-Za-z0-9._-]){1,128}(?<!\.)(?<!\.lock)"
_REFERENCE = re.compile(rf"refs(?:/{_PART}){{2,8}}")
_LINE = re.compile(rb"(?:-([0-9a-f]{40})(?: [^\n]*)?|([0-9a-f]{40}) ([\x21-\x7e]+))\n")
_HINT = "Make it again with git bundle create, and check it with git bundle verify."


@dataclass(frozen=True, slots=True)
class Header:
    """What a bundle says of itself; nothing of it is proven.

    Attributes:
        prerequisites: Object ids of commits that must be there before.
        references: Full reference name (or ``HEAD``) to object id.
        pack_at: Where the pack begins, in bytes.
    """

    prerequisites: tuple[str, ...]
    references: Mapping[str, str]
    pack_at: int


def read_bundle(path: Path) -> Header:
    """Read the header of a bundle.

    Raises:
        InputError: It cannot be opened.
        EvidenceError: It is not a bundle of version 2, or a line of it is not allowed.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_HEADER)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise InputError(message, hint="Give a bundle file.", where=Where(str(path))) from error
    if not data.startswith(MAGIC):
        raise refused(path, "is not a bundle of version 2")
    prerequisites: dict[str, None] = {}
    references: dict[str, str] = {}
    at = len(MAGIC)
    while (match := _LINE.match(data, at)) is not None:
        _add(path, match, prerequisites, references)
        at = match.end()
    if data[at : at + 1] != b"\n" or not references:
        raise refused(path, "has a header that is cut off, too long or malformed")
    return Header(tuple(prerequisites), references, at + 1)


def write_bundle(repository: Path, ref: str, old: str | None, new: str, target: Path) -> None:
    """Write the part of a branch after one commit up to another: the same bytes for the same part.

    The file is complete and on the disk when this returns; until then it is not there.

    Args:
        repository: The evidence repository.
        ref: Full name of the branch.
        old: The commit that must be there before, None for the whole branch.
        new: The newest commit of the bundle.
        target: The file; replaced if it is there.

    Raises:
        LedgerMissing: There is no repository.
        EvidenceError: ``new`` does not continue ``old``, or an object is missing or damaged.
        MachineError: Disk full, read-only, no permission.
    """
    ids = all(_ID.fullmatch(oid) for oid in (old or new, new))
    if not ids or not is_reference(ref) or old == new:
        message = f"cannot bundle {old}..{new} of {ref}"
        raise EvidenceError(message, hint="Give a full branch name and two different commits.")
    store = ObjectStore(repository_directory(repository))
    lines = f"-{old}\n" if old is not None else ""
    head = MAGIC + f"{lines}{new} {ref}\n\n".encode()
    partial = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        with on_disk(target):
            with partial.open("x+b") as file:
                file.write(head)
                write_pack(added(store, new, old), file)
                flush(file)
            partial.rename(target)
            flush(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def is_reference(name: str) -> bool:
    """Whether a name is a plain reference name, safe as part of a path."""
    return _REFERENCE.fullmatch(name) is not None


def refused(path: Path, message: str) -> EvidenceError:
    """The error that says which bundle is wrong."""
    return EvidenceError(f"bundle {path.name} {message}", hint=_HINT)


def _add(
    path: Path,
    line: re.Match[bytes],
    prerequisites: dict[str, None],
    references: dict[str, str],
) -> None:
    """One line of a header. Git writes what is needed first, then what is brought."""
    if line[1] is not None:
        if references:
            raise refused(path, "names what it needs after what it brings")
        prerequisites[line[1].decode()] = None
        return
    name = line[3].decode()
    if name != "HEAD" and not is_reference(name):
        raise refused(path, f"brings a reference {name[:80]!r}")
    if name in references:
        raise refused(path, f"brings {name} twice")
    references[name] = line[2].decode()

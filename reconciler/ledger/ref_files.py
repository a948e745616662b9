"""References of a repository, read from its files: ``refs/`` and ``packed-refs``.

Lenient on purpose: whatever Git could take for a reference is reported, so that nothing hides; what
is malformed points nowhere. The sweep says what is wrong with the files themselves.
"""

import re
from pathlib import Path

NOWHERE = "0" * 40
MAX_BYTES = 1024 * 1024

_ID = re.compile(rb"([0-9a-f]{40})\n")
_SYMBOLIC = re.compile(rb"ref: ([^\s]+)\n")
_PACKED = re.compile(rb"^([0-9a-f]{40}) ([^\s]+)$", re.MULTILINE)
_MAX_HOPS = 5


def read_refs(directory: Path) -> dict[str, str]:
    """All references with the object ids they lead to, `NOWHERE` if they lead nowhere.

    Args:
        directory: The repository directory (the one that holds ``refs``).

    Raises:
        OSError: They cannot be read.
    """
    values = _packed(directory)
    values |= {
        name: text for name, text in ref_texts(directory).items() if name.startswith("refs/")
    }
    return {name: _resolved(name, values) for name in values}


def ref_texts(directory: Path) -> dict[str, bytes]:
    """Content of ``HEAD``, ``packed-refs`` and every file of ``refs/``, by name.

    Raises:
        OSError: One of them cannot be read.
    """
    files = [directory / "HEAD", directory / "packed-refs", *(directory / "refs").rglob("*")]
    return {
        file.relative_to(directory).as_posix(): _head(file)
        for file in files
        if file.is_file() and file.suffix != ".lock"
    }


def read_ref(directory: Path, name: str) -> str | None:
    """What `read_refs` says of one name, None if there is no such name.

    Args:
        directory: The repository directory.
        name: Full reference name; not taken from outside.

    Raises:
        OSError: It cannot be read.
    """
    try:
        value = _head(directory / name)
    except FileNotFoundError:
        return read_refs(directory).get(name)
    match = _ID.fullmatch(value)
    return read_refs(directory).get(name) if match is None else match[1].decode()


def _packed(directory: Path) -> dict[str, bytes]:
    try:
        content = _head(directory / "packed-refs")
    except FileNotFoundError:
        return {}
    return {name.decode("utf-8", "replace"): oid + b"\n" for oid, name in _PACKED.findall(content)}


def _resolved(name: str, values: dict[str, bytes]) -> str:
    for _ in range(_MAX_HOPS):
        value = values.get(name, b"")
        if match := _ID.fullmatch(value):
            return match[1].decode()
        if (match := _SYMBOLIC.fullmatch(value)) is None:
            return NOWHERE
        name = match[1].decode("utf-8", "replace")
    return NOWHERE


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES)

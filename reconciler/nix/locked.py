"""Where the inputs of a flake are fetched from, as its lock says.

An evaluation under restriction may reach no address that it is not given, not even those of inputs
that the lock pins.

Rule 1: Addresses come from ``flake.lock`` alone. What is fetched there is held to its hash by Nix,
        since the evaluation is pure.
Rule 2: A path or repository of one machine is no input: nobody else could say what was built.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reconciler.errors import InputError

LOCK = "flake.lock"

_LIMIT = 4 * 1024 * 1024
_FORGES = frozenset({"github", "gitlab", "sourcehut"})
_PLAIN = {"tarball": "", "file": "", "git": "git+", "hg": "hg+"}
_FOLDER = re.compile(
    r"(?:https?|ssh|git)://[\w.:@~%\[\]-]+/(?:[\w.:@~%+=,-]+/)*",
    re.ASCII,
)
"""Of an address with a host and a path: all up to the last slash of the path."""


def allowed_uris(flake: Path) -> tuple[str, ...]:
    """Prefixes of the addresses that the inputs of a flake have; sorted, none without a lock.

    Args:
        flake: Directory with the flake.

    Raises:
        InputError: The lock cannot be read, or an input is none that others could fetch.
    """
    try:
        with (flake / LOCK).open("rb") as stream:
            data = stream.read(_LIMIT + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _refused(f"cannot be read: {error.strerror}") from error
    return tuple(sorted(set(_prefixes(_nodes(data)))))


def _nodes(data: bytes) -> dict[str, Any]:
    try:
        nodes = json.loads(data)["nodes"] if len(data) <= _LIMIT else None
    except (ValueError, KeyError, TypeError, RecursionError):
        nodes = None
    if not isinstance(nodes, dict) or not all(isinstance(one, dict) for one in nodes.values()):
        raise _refused("is not what Nix writes")
    return nodes


def _prefixes(nodes: dict[str, Any]) -> Iterator[str]:
    for name, node in nodes.items():
        locked = node.get("locked")
        # The flake itself has none; a folder of another input is fetched with that.
        if locked is None or "parent" in node:
            continue
        prefix = _prefix(locked) if isinstance(locked, dict) else None
        if prefix is None:
            raise _refused(f"has an input {name!r:.80} that no other machine could fetch")
        yield prefix


def _prefix(locked: dict[str, Any]) -> str | None:
    kind, url = locked.get("type"), locked.get("url")
    if kind in _FORGES:
        parts = (locked.get("owner"), locked.get("repo"))
        names = [quote(part, safe="") for part in parts if isinstance(part, str) and part]
        return f"{kind}:{'/'.join(names)}" if len(names) == 2 else None
    folder = _FOLDER.match(url) if isinstance(url, str) else None
    if kind not in _PLAIN or folder is None:
        return None
    own = kind == "git" and folder[0].startswith("git:")
    return folder[0] if own else _PLAIN[kind] + folder[0]


def _refused(what: str) -> InputError:
    return InputError(
        f"{LOCK} {what}",
        hint="Give every input an address that CI and hosts reach, `nix flake lock`, commit it.",
    )

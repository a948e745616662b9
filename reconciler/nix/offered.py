"""How large a closure is that a cache offers, path by path, before any of it is fetched.

It is a number to plan with and nothing else: what came is measured when it is there.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

from reconciler.errors import MachineError
from reconciler.nix.process import NixStore, run

_LINE = re.compile(r"(/nix/store/\S+)\s+([0-9]{1,15})")


def sizes(
    path: str, caches: Iterable[str], *, timeout_s: float, state: NixStore
) -> Mapping[str, int]:
    """Bytes of each path of a closure, as the first cache says it that has all of it.

    Args:
        path: The path that the closure is of.
        caches: Addresses of caches, asked in this order.
        timeout_s: Seconds that each may take.
        state: Which Nix asks.

    Returns:
        By store path; empty where no cache says it. Why not is told when it is fetched.
    """
    ask = ("path-info", "--recursive", "--size")
    for cache in caches:
        with suppress(MachineError):
            answer = run("nix", *ask, "--store", cache, path, timeout_s=timeout_s, state=state)
            found = _read(answer)
            if path in found:
                return found
    return {}


def _read(answer: bytes) -> Mapping[str, int]:
    lines = answer.decode("utf-8", "replace").splitlines()
    rows = filter(None, map(_LINE.fullmatch, lines))
    return {row[1]: int(row[2]) for row in rows}

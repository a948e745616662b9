"""Modules of the running kernel: KernelModules.

What is loaded and is not among the modules that the booted system brought was put there by hand;
the kernel calls it by a name that its maker chose.
"""

import os
from functools import lru_cache
from pathlib import Path

from reconciler.model.answer import Answer
from reconciler.model.nixos_probe import KernelModules
from reconciler.targets.linux.session import Session

_LIMIT = 8 * 1024 * 1024
_SUFFIX = ".ko"


def kernel_modules(probe: KernelModules, session: Session) -> Answer:
    """Loaded modules, those of them that the system does not know, and what is built in."""
    text = session.tree.read(probe.loaded, _LIMIT).decode("utf-8", "surrogateescape")
    loaded = {line.split(" ", 1)[0] for line in text.splitlines() if line}
    directory = str(Path(probe.directory, os.uname().release).resolve(strict=True))
    shipped, built_in = (_names(directory, name) for name in ("modules.dep", "modules.builtin"))
    return Answer(
        "ok",
        {
            "loaded": sorted(loaded),
            "foreign": sorted(loaded - shipped),
            "built_in": sorted(built_in),
        },
    )


@lru_cache(maxsize=4)
def _names(directory: str, file: str) -> frozenset[str]:
    """Names in one list of modules; a directory of the store never changes."""
    with Path(directory, file).open(encoding="ascii", errors="replace") as lines:
        return frozenset(_module(line) for line in lines if line.strip())


def _module(line: str) -> str:
    """``kernel/net/ipv4/tcp-bbr.ko.xz: kernel/…`` is ``tcp_bbr``."""
    path = line.partition(":")[0].strip()
    return path.rpartition("/")[2].partition(_SUFFIX)[0].replace("-", "_")

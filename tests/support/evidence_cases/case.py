"""What a case is: a forged or honest history, who may sign, and what an audit must find in it.

What is expected is written by hand, beside the history; nothing here asks a verifier.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.forge import KEY, Forge, honest, signer_line

Expected = dict[str, Any]
LINES = signer_line("smile/desk", KEY)


@dataclass(frozen=True)
class History:
    """One case.

    Attributes:
        forge: The appliance's branch, and all objects and references.
        lines: The allowed signers file.
        faults: What must be found, oldest first; nothing else may be.
        more: Other branches in the same objects: witnesses.
        runs: For a case that holds, how many runs its entries stand for.
        gaps: For a case that holds, times without a run that were longer than promised.
        cosigned: For a case that holds, what witnesses vouch for.
    """

    forge: Forge
    lines: str = LINES
    faults: tuple[Expected, ...] = ()
    more: tuple[Forge, ...] = ()
    runs: int | None = None
    gaps: tuple[dict[str, Any], ...] = ()
    cosigned: tuple[dict[str, Any], ...] = ()


CASES: dict[str, Callable[[], History]] = {}


def case(build: Callable[[], History]) -> Callable[[], History]:
    """Take a case in: its name is the name of the function, its README the docstring."""
    CASES[build.__name__] = build
    return build


def at(code: str, forge: Forge, number: int, *, seq: int | None = None) -> Expected:
    """A fault of a proven entry, by the number of its commit."""
    seq = number if seq is None else seq
    return {"code": code, "commit": forge.commits[number], "seq": seq, "path": None}


def in_commit(code: str, forge: Forge, number: int, path: str | None = None) -> Expected:
    """A fault of a commit that proves no entry, or of a file in it."""
    return {"code": code, "commit": forge.commits[number], "seq": None, "path": path}


def in_file(code: str, forge: Forge, number: int, path: str) -> Expected:
    """A fault of a proven entry that lies in the wrong place."""
    return {"code": code, "commit": forge.commits[number], "seq": number, "path": path}


def short(entries: int = 3) -> Forge:
    """Genesis, a run, and an intent with its outcome."""
    return honest(entries)


def file_of(day: str, number: int) -> str:
    return f"entries/2026/03/{day}/{number:08d}.dsse.json"

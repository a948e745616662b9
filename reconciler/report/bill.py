"""A bill of materials as nouns, before it has a format: what a system is made of.

Rule 1: Every store path is an item of its own. Outputs of one package are other bytes with other
        needs, and a path that is left out is one that nobody looks at.
Rule 2: An item is said to be a package only if its name has a version; a unit file or a link farm
        has no package URL.
Rule 3: Nothing is known of licences but what the system says of itself. A licence that is no id of
        the SPDX list, and no expression of such ids, is kept as a text.
Rule 4: The same closure, time and version of this program give the same bytes.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.model.system import Closure
from reconciler.report.licence_ids import EXCEPTION_IDS, LICENCE_IDS

NAR_NOTE = (
    "Each SHA-256 is that of the NAR, the archive as which Nix serialises a store path: compare it"
    " with `nix-store --query --hash` or reckon it with `nix-store --dump PATH | sha256sum`."
)
"""What a hash is of: a store path is a tree, and has no bytes of its own."""

_DIGITS = slice(len("/nix/store/"), len("/nix/store/") + 32)
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._~-]")
_IN_EXPRESSION = re.compile(r"([()]| AND | OR )")
_JOINS = frozenset({" AND ", " OR "})
_OPERAND = re.compile(r"([A-Za-z0-9.-]+)(?: WITH ([A-Za-z0-9.-]+))?")
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One store path.

    Attributes:
        path: The store path.
        name: Of the package.
        version: Of the package; empty if it has none.
        output: Which part of the package it is; empty for the first.
        nar_sha256: SHA-256 of its NAR.
        deriver: Store path of the derivation that made it, if that is known.
        references: Store paths that it needs, sorted; itself perhaps among them.
        licences: What the system says of its licences; all of them hold.
    """

    path: str
    name: str
    version: str
    output: str
    nar_sha256: str
    deriver: str | None
    references: tuple[str, ...]
    licences: tuple[str, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """Other store paths that it needs."""
        return tuple(path for path in self.references if path != self.path)

    @property
    def purl(self) -> str | None:
        """Package URL; None for what is no package."""
        if not self.version:
            return None
        output = f"output={_quoted(self.output)}&" if self.output else ""
        place = f"pkg:nix/{_quoted(self.name)}@{_quoted(self.version)}"
        return f"{place}?{output}outputhash={digits(self.path)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What one system is made of.

    Attributes:
        system: Its store path, the root of the closure.
        name: What is after the digits of that.
        closure: The closure in three numbers.
        created: The time that the document is to bear: ``2026-03-01T12:00:00Z``.
        version: Of this program.
        items: All paths by byte order; a new iterator at each call, always the same.
    """

    system: str
    name: str
    closure: Closure
    created: str
    version: str
    items: Callable[[], Iterable[Item]]

    def number(self, form: str) -> str:
        """What tells this document from every other: 64 hex digits.

        Args:
            form: Format and its version: ``spdx-2.3``.
        """
        said = f"{form}\n{self.version}\n{self.closure.sha256}\n{self.created}\n"
        return hashlib.sha256(said.encode()).hexdigest()


def digits(path: str) -> str:
    """The 32 digits of a store path, which no other path of a store has."""
    return path[_DIGITS]


def is_licence_id(text: str) -> bool:
    """Whether a licence is an id of the SPDX list."""
    return text in LICENCE_IDS


def is_licence_expression(text: str) -> bool:
    """Whether a licence is made of ids of the SPDX list: ``(MIT OR BSD-3-Clause) AND Zlib``.

    An id alone is one, too. Source: SPDX Specification 2.3, Annex D.
    """
    depth, complete = 0, False
    for piece in filter(None, _IN_EXPRESSION.split(text)):
        joins = piece in _JOINS
        if complete != (joins or piece == ")"):
            return False
        if not joins and piece not in {"(", ")"} and not _is_operand(piece):
            return False
        depth += (piece == "(") - (piece == ")")
        complete = not joins and piece != "("
        if depth < 0:
            return False
    return complete and depth == 0


def _is_operand(text: str) -> bool:
    parts = _OPERAND.fullmatch(text)
    if parts is None or parts[1] not in LICENCE_IDS:
        return False
    return parts[2] is None or parts[2] in EXCEPTION_IDS


def as_json(value: Any) -> str:
    """JSON on one line, the same for the same value."""
    return _encode(value)


def members(name: str, values: Iterable[Any]) -> Iterator[str]:
    """One member of a document whose value is a list, a line a value; to be followed by another.

    Args:
        name: Of the member.
        values: What the list holds, made one at a time.
    """
    yield f",\n{as_json(name)}:["
    before = "\n"
    for value in values:
        yield f"{before}{as_json(value)}"
        before = ",\n"
    yield "\n]"


def _quoted(text: str) -> str:
    return _NOT_PLAIN.sub(lambda found: "".join(f"%{b:02X}" for b in found[0].encode()), text)

"""Trees as raw bytes: a strict reader, a writer, and what changed from one tree to the next.

Rule 1: A ledger holds plain files (100644) and directories (40000): nothing else.
Rule 2: Names are plain, sorted as Git sorts them and unique; a directory is never empty.
Rule 3: Equal object ids are not looked into, so comparing costs what was added, not what is there.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.errors import EvidenceError
from reconciler.evidence.source import ObjectSource, read_as

FILE = b"100644"
DIRECTORY = b"40000"

Nodes = Mapping[bytes, tuple[bytes, bytes]]
"""Name to mode and binary object id (20 bytes)."""

_ONE = rb"(100644|40000) ([A-Za-z0-9_-][A-Za-z0-9._-]{0,63})\x00(.{20})"
_NODE = re.compile(_ONE, re.DOTALL)
_TREE = re.compile(rb"(?:" + _ONE + rb")+", re.DOTALL)
_HINT = "A ledger holds only plain files that were added by its writer."
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two trees.

    Attributes:
        kind: What happened to the path.
        path: Path from the root.
        oid: The new object id (40 hex digits), None if removed.
    """

    kind: Literal["added", "changed", "removed"]
    path: str
    oid: str | None


def parse(raw: bytes) -> Nodes:
    """Read a tree.

    Args:
        raw: The object's content without Git's own ``tree <size>`` prefix.

    Raises:
        EvidenceError: Another mode, another kind of name, unsorted, repeated, or empty.
    """
    if not _TREE.fullmatch(raw):
        raise EvidenceError(_difference(raw), hint=_HINT)
    found = _NODE.findall(raw)
    keys = [_sort_key(name, mode) for mode, name, _ in found]
    if keys != sorted(keys):
        raise EvidenceError("tree is not sorted as Git sorts", hint=_HINT)
    nodes = {name: (mode, oid) for mode, name, oid in found}
    if len(nodes) != len(found):
        raise EvidenceError("tree holds a name twice", hint=_HINT)
    return nodes


def encode(nodes: Nodes) -> bytes:
    """The raw bytes of a tree, sorted as Git sorts."""
    ordered = sorted((_sort_key(name, node[0]), name) for name, node in nodes.items())
    return b"".join([_one(name, nodes[name]) for _, name in ordered])


class Trees:
    """Reads trees of one source and keeps the latest: neighbours in history share most of them."""

    def __init__(self, source: ObjectSource) -> None:
        """Args: source: Where the trees are."""
        self._source = source
        self._kept: OrderedDict[str, tuple[bytes, Nodes]] = OrderedDict()

    def read(self, oid: str) -> Nodes:
        """The nodes of a tree.

        Raises:
            EvidenceError: The object is missing or damaged, or the tree is not strict.
        """
        return self._read(oid)[1]

    def remember(self, oid: str, raw: bytes, nodes: Nodes) -> None:
        """Keep a tree that was just made, so that it need not be read.

        Args:
            oid: Its object id, which the caller computed from ``raw``.
            raw: Its content, which the caller encoded from ``nodes``.
            nodes: Its nodes.
        """
        self._kept[oid] = (raw, nodes)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def changes(self, old: str | None, new: str, path: str = "") -> Iterator[Change]:
        """What changed between two trees, file by file.

        Args:
            old: Object id of the tree before, None for nothing.
            new: Object id of the tree after.
            path: Prefix of the paths that are named.

        Raises:
            EvidenceError: A tree on the way cannot be read.
        """
        after = self.read(new)
        before = {} if old is None else self._before(old, new)
        names = [name for name, node in after.items() if before.get(name) != node]
        for name in names:
            mode, oid = after[name]
            was = before.get(name)
            full = path + name.decode()
            if mode == DIRECTORY and (was is None or was[0] == DIRECTORY):
                yield from self.changes(was and was[1].hex(), oid.hex(), full + "/")
            else:
                yield Change("added" if was is None else "changed", full, oid.hex())
        for name in before.keys() - after.keys():
            yield Change("removed", path + name.decode(), None)

    def _read(self, oid: str) -> tuple[bytes, Nodes]:
        kept = self._kept.get(oid)
        if kept is None:
            raw = read_as(self._source, "tree", oid)
            kept = (raw, parse(raw))
            self.remember(oid, *kept)
        return kept

    def _before(self, old: str, new: str) -> Nodes:
        """The nodes of an older tree, not parsed again if only the newest node is missing.

        A ledger grows at the end of its newest directory, and a strict tree without its last node
        is as strict, so comparing bytes proves it at a fraction of the cost.
        """
        newer, after = self._read(new)
        if old in self._kept or len(after) == 1:
            return self.read(old)
        raw = read_as(self._source, "tree", old)
        nodes = dict(after)
        if newer != raw + _one(*nodes.popitem()):
            return self.read(old)
        self.remember(old, raw, nodes)
        return nodes


def _one(name: bytes, node: tuple[bytes, bytes]) -> bytes:
    return b"%b %b\x00%b" % (node[0], name, node[1])


def _sort_key(name: bytes, mode: bytes) -> bytes:
    return name + b"/" if mode == DIRECTORY else name


def _difference(raw: bytes) -> str:
    """Why a tree is refused, for people; the refusal itself does not depend on it."""
    position = 0
    while match := _NODE.match(raw, position):
        position = match.end()
    mode, _, name = raw[position:].partition(b"\0")[0].partition(b" ")
    if not raw:
        return "tree is empty"
    if mode not in (FILE, DIRECTORY):
        return f"mode {mode[:20].decode('ascii', 'replace')} of {name[:60]!r} is not a plain file"
    return f"tree goes wrong at the name {name[:60]!r}"

"""Which objects a stretch of a branch added, newest first, and which of them are alike.

Rule 1: A ledger is linear and only grows; a history that is neither is refused, not packed.
Rule 2: Equal trees are not looked into, so the cost is that of what was added.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.errors import EvidenceError
from reconciler.evidence.commit import parents_of, tree_of
from reconciler.evidence.source import ObjectSource, read_as
from reconciler.evidence.tree import DIRECTORY, Nodes, parse

_DEEPEST = 16
_HINT = "Run reconciler verify: only a sound ledger is packed."


@dataclass(frozen=True, slots=True)
class Chosen:
    """One object.

    Attributes:
        kind: ``commit``, ``tree`` or ``blob``.
        oid: Object id, 40 hex digits.
        raw: Its content.
        series: What it has neighbours in: objects of one kind and series are alike.
        mark: What the nearest of them share.
    """

    kind: str
    oid: str
    raw: bytes
    series: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """One commit of a linear history.

    Attributes:
        oid: Object id.
        raw: Its content.
        tree: Object id of its tree.
        parent: Object id of the commit before, None for the first.
    """

    oid: str
    raw: bytes
    tree: str
    parent: str | None


def links(source: ObjectSource, new: str, old: str | None = None) -> Iterator[Link]:
    """Commits of a linear history, newest first.

    Args:
        source: Where they are.
        new: The newest.
        old: The first that is not wanted, None to go on to the very first.

    Raises:
        EvidenceError: One is missing or damaged, there is a merge, or ``old`` is not on the way.
    """
    oid: str | None = new
    while oid is not None and oid != old:
        link = _link(source, oid)
        yield link
        oid = link.parent
    if oid != old:
        raise EvidenceError(f"{new} does not continue {old}", hint=_HINT)


def added(source: ObjectSource, new: str, old: str | None) -> Iterator[Chosen]:
    """Objects that the commits after ``old`` up to ``new`` added, each once, bases first.

    Args:
        source: Where they are.
        new: The newest commit.
        old: The newest commit whose objects are not wanted, None for all.

    Raises:
        EvidenceError: As `links`, or a tree cannot be read or is not strict.
    """
    walk = _Walk(source)
    later: Link | None = None
    for link in links(source, new, old):
        if later is not None:
            yield from walk.of(later, link.tree)
        later = link
    if later is not None:
        base = None if later.parent is None else _link(source, later.parent).tree
        yield from walk.of(later, base)


class _Walk:
    """Objects of one commit after the other; no object twice."""

    def __init__(self, source: ObjectSource) -> None:
        self._source = source
        self._done: set[str] = set()

    def of(self, link: Link, before: str | None) -> Iterator[Chosen]:
        yield Chosen("commit", link.oid, link.raw, "", link.tree)
        if link.tree != before:
            yield from self._tree(before, link.tree, "")

    def _tree(self, old: str | None, new: str, path: str) -> Iterator[Chosen]:
        if new in self._done:
            return
        self._done.add(new)
        if path.count("/") > _DEEPEST:
            raise EvidenceError(f"directories are too deep at {path}", hint=_HINT)
        raw = read_as(self._source, "tree", new)
        yield Chosen("tree", new, raw, path)
        after, before = parse(raw), self._nodes(old)
        for name, node in after.items():
            was = before.get(name)
            if node != was:
                yield from self._node(node, was, f"{path}{name.decode()}/")

    def _node(
        self, node: tuple[bytes, bytes], was: tuple[bytes, bytes] | None, path: str
    ) -> Iterator[Chosen]:
        mode, oid = node[0], node[1].hex()
        if mode == DIRECTORY:
            old = was[1].hex() if was is not None and was[0] == DIRECTORY else None
            yield from self._tree(old, oid, path)
        elif oid not in self._done:
            self._done.add(oid)
            yield Chosen("blob", oid, read_as(self._source, "blob", oid), "")

    def _nodes(self, oid: str | None) -> Nodes:
        return {} if oid is None else parse(read_as(self._source, "tree", oid))


def _link(source: ObjectSource, oid: str) -> Link:
    raw = read_as(source, "commit", oid)
    tree, parents = tree_of(raw), parents_of(raw)
    if tree is None or len(parents) > 1:
        raise EvidenceError(f"commit {oid} is not one of a ledger", hint=_HINT)
    return Link(oid, raw, tree, parents[0] if parents else None)

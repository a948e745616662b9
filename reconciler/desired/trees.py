"""Git trees of any commit: read strictly, compared by skipping what is the same.

Here every path of the repository counts, not only those that an appliance reads: a rule may own
the README. Names outside of the four roots may be anything that Git can hold; they are compared.

Rule 1: A tree that is not well-formed is refused; there is no second way to read one.
Rule 2: Equal object ids are equal content, so a comparison costs what has changed, and what one
        costs has a limit: the same folder named a thousand times in a folder named a thousand times
        is a small repository and a million paths.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from reconciler.desired.limits import ReadLimits
from reconciler.desired.objects import Objects
from reconciler.desired.refusal import Reason, refuse

DIRECTORY = b"40000"

Leaf = tuple[bytes, str]
"""Mode as Git writes it, and object id (hex)."""

Nodes = Mapping[bytes, Leaf]
Change = tuple[Leaf | None, Leaf | None]
"""What a path was and what it is; None: it is not there, or is a folder."""

_NODE = re.compile(rb"([0-7]{5,6}) ([^\x00/]{1,255})\x00(.{20})", re.DOTALL)
_KEPT = 8192
_KEPT_COMPARISONS = 1024
_NOTHING: Nodes = {}


class Trees:
    """Reads the trees of one repository; keeps those that neighbours share."""

    def __init__(self, objects: Objects, limits: ReadLimits) -> None:
        self._objects = objects
        self._limits = limits
        self._nodes: OrderedDict[str, Nodes] = OrderedDict()
        self._changes: OrderedDict[tuple[str | None, str], dict[str, Change]] = OrderedDict()
        self._visits = 0

    def nodes(self, oid: str, commit: str, path: str = "") -> Nodes:
        """The entries of one tree by name, in Git's order.

        Args:
            oid: Hex id of the tree.
            commit: Named in a refusal.
            path: Where the tree is, for a refusal.

        Raises:
            IntentRefused: ``tree-refused`` or ``too-large``.
            MirrorDamaged: It is missing.
        """
        found = self._nodes.get(oid)
        if found is None:
            found = self._nodes[oid] = self._parse(oid, commit, path)
            if len(self._nodes) > _KEPT:
                self._nodes.popitem(last=False)
        return found

    def leaf(self, tree: str, path: str, commit: str) -> Leaf | None:
        """What is at a path; None if there is nothing, or a folder."""
        return _file(self._node(tree, path, commit))

    def folder(self, tree: str, path: str, commit: str) -> str | None:
        """Object id of the folder at a path; None if there is none."""
        return _folder(self._node(tree, path, commit))

    def changes(self, old: str | None, new: str, commit: str) -> Mapping[str, Change]:
        """Every path that differs between two trees: another mode or object, there or not there.

        Args:
            old: Hex id of the tree before, None for nothing.
            new: Hex id of the tree after.
            commit: Named in a refusal.

        Raises:
            IntentRefused: ``tree-refused``, or ``too-large``: more paths or levels than allowed.
            MirrorDamaged: A tree is missing.
        """
        found = self._changes.get((old, new))
        if found is None:
            found = dict(self._compare(old, new, commit))
            self._changes[(old, new)] = found
            if len(self._changes) > _KEPT_COMPARISONS:
                self._changes.popitem(last=False)
        return found

    def _node(self, tree: str, path: str, commit: str) -> Leaf | None:
        *folders, name = path.encode("utf-8", "surrogateescape").split(b"/")
        nodes = self.nodes(tree, commit)
        for folder in folders:
            mode, oid = nodes.get(folder, (b"", ""))
            if mode != DIRECTORY:
                return None
            nodes = self.nodes(oid, commit)
        return nodes.get(name)

    def _compare(self, old: str | None, new: str, commit: str) -> Iterator[tuple[str, Change]]:
        count = 0
        pending: list[tuple[str, str | None, str | None, int]] = [("", old, new, 0)]
        while pending:
            path, was, now, depth = pending.pop()
            if was == now:
                continue
            before = self._entries(was, commit, path)
            after = self._entries(now, commit, path)
            self._spend(len(before) + len(after), commit, depth)
            for name in sorted({name for name, _ in before.items() ^ after.items()}):
                full = path + name.decode("utf-8", "surrogateescape")
                one, two = before.get(name), after.get(name)
                below = (f"{full}/", _folder(one), _folder(two), depth + 1)
                if below[1] is not None or below[2] is not None:
                    pending.append(below)
                change = (_file(one), _file(two))
                if change[0] == change[1]:
                    continue
                count += 1
                if count > self._limits.changes:
                    what = f"changes more than {self._limits.changes} paths"
                    raise refuse(Reason.TOO_LARGE, commit, what)
                yield full, change

    def _spend(self, entries: int, commit: str, depth: int = 0) -> None:
        self._visits += entries + 1
        if depth > self._limits.levels or self._visits > self._limits.visits:
            what = "has folders that are nested too deep, or too many to compare"
            raise refuse(Reason.TOO_LARGE, commit, what)

    def _entries(self, oid: str | None, commit: str, path: str) -> Nodes:
        return _NOTHING if oid is None else self.nodes(oid, commit, path)

    def _parse(self, oid: str, commit: str, path: str) -> Nodes:
        raw = self._objects.read("tree", oid, self._limits.tree_bytes)
        where = shown(path) or "the top folder"
        if raw is None:
            raise refuse(Reason.TOO_LARGE, commit, f"is refused: {where} is too large")
        found = _NODE.findall(raw)
        self._spend(len(found), commit)
        nodes = {name: (mode, id_.hex()) for mode, name, id_ in found}
        size = sum(len(mode) + len(name) + 22 for mode, name, _ in found)
        keys = [name + b"/" * (mode == DIRECTORY) for mode, name, _ in found]
        unsorted = any(one >= two for one, two in pairwise(keys))
        if size != len(raw) or unsorted or len(nodes) != len(found):
            what = f"is refused: {where} is not a well-formed folder"
            raise refuse(Reason.TREE_REFUSED, commit, what)
        return nodes


def shown(path: str) -> str:
    """A path as it may stand in a message: printable and short."""
    return ascii(path.rstrip("/"))[1:-1][:120]


def _folder(node: Leaf | None) -> str | None:
    return node[1] if node is not None and node[0] == DIRECTORY else None


def _file(node: Leaf | None) -> Leaf | None:
    return None if node is None or node[0] == DIRECTORY else node

"""Two versions of the attestations branch become one: what either side added stays.

Files are named by their content, so two people who sign at the same time never contradict each
other. Only a heartbeat is written over: of two, the one that counts higher is newer.
"""

import json
from base64 import b64decode

import pygit2

from reconciler.errors import EvidenceError
from reconciler.trust import envelope, statements
from reconciler.trust.statements import Heartbeat

_DIRECTORY = 0o40000

Node = tuple[int, pygit2.Oid] | None
"""Mode and object of one side; None if it has nothing there."""


class Merge:
    """One three-way merge of whole files."""

    def __init__(self, repository: pygit2.Repository) -> None:
        """Args: repository: Gets the new tree objects."""
        self._repository = repository

    def trees(self, base: pygit2.Oid | None, ours: pygit2.Oid, theirs: pygit2.Oid) -> pygit2.Oid:
        """The merged tree.

        Args:
            base: Tree that both come from, None if there is none.
            ours: One side.
            theirs: The other; it wins where two files have one name and cannot be compared.
        """
        before = None if base is None else (_DIRECTORY, base)
        merged = self._merge(before, (_DIRECTORY, ours), (_DIRECTORY, theirs))
        return self._repository.TreeBuilder().write() if merged is None else merged[1]

    def _merge(self, base: Node, ours: Node, theirs: Node) -> Node:
        if ours == theirs or base == theirs:
            return ours
        if base == ours:
            return theirs
        if ours is None or theirs is None:
            return ours or theirs
        if ours[0] == theirs[0] == _DIRECTORY:
            return self._folders(base, ours[1], theirs[1])
        return ours if self._counter(ours) > self._counter(theirs) else theirs

    def _folders(self, base: Node, ours: pygit2.Oid, theirs: pygit2.Oid) -> Node:
        before = self._nodes(base[1]) if base is not None and base[0] == _DIRECTORY else {}
        one, two = self._nodes(ours), self._nodes(theirs)
        builder = self._repository.TreeBuilder()
        for name in one.keys() | two.keys():
            node = self._merge(before.get(name), one.get(name), two.get(name))
            if node is not None:
                builder.insert(name, node[1], node[0])
        return (_DIRECTORY, builder.write()) if len(builder) else None

    def _nodes(self, tree: pygit2.Oid) -> dict[str, tuple[int, pygit2.Oid]]:
        found = self._repository[tree]
        if not isinstance(found, pygit2.Tree):
            return {}
        return {str(node.name): (int(node.filemode), node.id) for node in found}

    def _counter(self, node: tuple[int, pygit2.Oid]) -> int:
        blob = self._repository.get(node[1])
        return counter_of(blob.data) if isinstance(blob, pygit2.Blob) else 0


def counter_of(data: bytes) -> int:
    """The number of a heartbeat, 0 if it is none. Whether it may count is another question."""
    try:
        statement = statements.read(_payload(data))
    except (EvidenceError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return 0
    return statement.counter if isinstance(statement, Heartbeat) else 0


def _payload(data: bytes) -> bytes:
    if len(data) > envelope.MAX_ENVELOPE:
        return b""
    whole = json.loads(data)
    return b64decode(whole.get("dsseEnvelope", whole)["payload"], validate=True)

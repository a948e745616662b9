"""A new file in a tree: the objects that have to be written for it, and nothing else."""

from dataclasses import dataclass

from reconciler.evidence.source import object_id
from reconciler.evidence.tree import DIRECTORY, FILE, Nodes, Trees, encode


@dataclass(frozen=True, slots=True)
class Planted:
    """A tree with one more file.

    Attributes:
        root: Object id of the new root tree, 40 hex digits.
        objects: Type and content of the new objects: the file, then its trees from the leaf up.
    """

    root: str
    objects: tuple[tuple[str, bytes], ...]


def plant(trees: Trees, root: str | None, path: str, content: bytes) -> Planted:
    """Add a file to a tree.

    Args:
        trees: Reads the existing trees.
        root: Object id of the tree before, None for an empty one.
        path: Where, with ``/`` between names; a file of that name would be replaced.
        content: What the file holds.

    Raises:
        EvidenceError: A tree on the way cannot be read.
    """
    *directories, name = path.encode().split(b"/")
    levels = _levels(trees, root, directories)
    objects = [("blob", content)]
    oid, mode = object_id("blob", content), FILE
    for nodes in reversed(levels):
        grown = {**nodes, name: (mode, bytes.fromhex(oid))}
        raw = encode(grown)
        objects.append(("tree", raw))
        oid, mode = object_id("tree", raw), DIRECTORY
        trees.remember(oid, raw, grown)
        name = directories.pop() if directories else b""
    return Planted(oid, tuple(objects))


def _levels(trees: Trees, root: str | None, directories: list[bytes]) -> list[Nodes]:
    """The nodes at the root and at each directory below it, empty where there is none yet."""
    levels = [trees.read(root) if root is not None else {}]
    for directory in directories:
        found = levels[-1].get(directory)
        levels.append(trees.read(found[1].hex()) if found is not None else {})
    return levels

"""A repository written and read object by object, for commits that git would not make."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType

ROOTS = ("acknowledgements/", "approvals/", "hosts/", "policies/", "runbooks/")
Tree = dict[str, tuple[str, str]]
"""Mode and object id (hex) by path."""


class RawRepository:
    """Objects and whole trees of one repository.

    Attributes:
        path: Where it is.
        repository: It, opened.
    """

    def __init__(self, path: Path, branch: str = "main") -> None:
        """Open a repository, or make a bare one."""
        self.path = path
        exists = path.exists()
        self.repository = pygit2.Repository(str(path)) if exists else _init(path, branch)

    def store(self, raw: bytes, kind: ObjectType = ObjectType.COMMIT) -> str:
        """Store bytes as an object."""
        return str(self.repository.write(kind, raw))

    def read(self, oid: str) -> bytes:
        """The raw bytes of an object."""
        return bytes(self.repository.odb.read(oid)[1])

    def parents(self, commit: str) -> tuple[str, ...]:
        """Parents of a commit."""
        return tuple(str(one) for one in self.repository[commit].parent_ids)

    def tree_id(self, commit: str) -> str:
        """Id of a commit's tree."""
        return str(self.repository[commit].tree_id)

    def tree(self, commit: str) -> Tree:
        """Every path of a commit's tree."""
        return dict(_leaves(self.repository[commit].tree, ""))

    def desired(self, commit: str) -> list[tuple[str, bytes]]:
        """Path and content of every file under the four roots."""
        found = self.tree(commit).items()
        return [(path, self.read(oid)) for path, (_, oid) in found if path.startswith(ROOTS)]

    def changed(self, tree: Tree, changes: Mapping[str, str | bytes | None]) -> Tree:
        """A tree with files written or removed."""
        result = dict(tree)
        for path, content in changes.items():
            if content is None:
                del result[path]
                continue
            data = content.encode() if isinstance(content, str) else content
            result[path] = ("100644", str(self.repository.create_blob(data)))
        return result

    def write_tree(self, tree: Tree) -> str:
        """Store a tree and the folders below it."""
        folders: dict[str, Tree] = {}
        nodes: list[tuple[bytes, bytes, str]] = []
        for path, (mode, oid) in tree.items():
            name, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(name, {})[rest] = (mode, oid)
            else:
                nodes.append((name.encode(), mode.encode(), oid))
        for name, below in folders.items():
            nodes.append((name.encode() + b"/", b"40000", self.write_tree(below)))
        raw = b"".join(
            b"%b %b\x00%b" % (mode, name.rstrip(b"/"), bytes.fromhex(oid))
            for name, mode, oid in sorted(nodes)
        )
        return self.store(raw, ObjectType.TREE)


def _init(path: Path, branch: str) -> pygit2.Repository:
    return pygit2.init_repository(str(path), bare=True, initial_head=branch)


def _leaves(tree: pygit2.Tree, above: str) -> Iterable[tuple[str, tuple[str, str]]]:
    for node in tree:
        path = above + str(node.name)
        if isinstance(node, pygit2.Tree):
            yield from _leaves(node, path + "/")
        else:
            yield path, (f"{int(node.filemode):o}", str(node.id))


def well_formed(tree: Tree) -> Tree:
    """Without files that stand where others have a folder."""
    folders = {path[:at] for path in tree for at, char in enumerate(path) if char == "/"}
    return {path: entry for path, entry in tree.items() if path not in folders}

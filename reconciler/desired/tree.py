"""The files of a fleet commit, straight from its tree objects; there is no checkout.

Rule 1: Under the roots there are directories and plain files, nothing else: a symlink, a
        submodule or an odd mode means something else to whoever checks the tree out.
Rule 2: A name means the same on every system. Control and invisible characters, separators of
        other systems, ``.git`` in disguise, names that differ only in case or Unicode form and
        duplicates would let a reviewer see one file and a machine read another.
Rule 3: Sizes are looked at before content, and there are limits on all of them.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.desired.limits import ReadLimits
from reconciler.desired.objects import Objects
from reconciler.desired.refusal import Reason, refuse
from reconciler.desired.trees import DIRECTORY, Trees, shown
from reconciler.errors import IntentRefused

ROOTS = ("acknowledgements", "approvals", "hosts", "policies", "runbooks")
SIGNERS_PATH = ("policies", "trust", "allowed_signers")

FILES = (b"100644", b"100755")
"""Modes of plain files."""

_KINDS = {b"120000": "a symbolic link", b"160000": "a submodule"}
# What NTFS refuses or cuts off, its short names (GIT~1), and device names.
_FOREIGN = re.compile(
    r'[\\:*?"<>|]|~[0-9]|[. ]$|^ |^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)', re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of a tree: its mode as Git writes it, its name as bytes, its object id (hex)."""

    mode: bytes
    name: bytes
    oid: str

    @property
    def is_directory(self) -> bool:
        """Whether it is a tree."""
        return self.mode == DIRECTORY


class FleetTree:
    """The tree of one commit."""

    def __init__(
        self, objects: Objects, commit: str, limits: ReadLimits, trees: Trees | None = None
    ) -> None:
        """Nothing is read yet but the commit.

        Args:
            objects: Where it is.
            commit: Hex id; named in every refusal.
            limits: How much there may be.
            trees: Trees that were read before, if any were.
        """
        self._objects = objects
        self._commit = commit
        self._limits = limits
        self._trees = trees or Trees(objects, limits)
        self.oid = objects.commit(commit).tree

    def files(self) -> dict[str, bytes]:
        """Every file under the roots by path, in tree order.

        Raises:
            IntentRefused: ``tree-refused`` or ``too-large``.
            MirrorDamaged: An object is missing.
        """
        return {path: self._content(path, oid) for path, oid in self.listing().items()}

    def listing(self) -> dict[str, str]:
        """Object id of every file under the roots by path; every rule holds for each.

        Raises:
            IntentRefused: ``tree-refused`` or ``too-large``.
            MirrorDamaged: An object is missing.
        """
        found: dict[str, str] = {}
        left = self._limits.total_bytes
        for path, node in self._walk():
            size = self._objects.size("blob", node.oid)
            left -= size
            if size > self._limits.file_bytes:
                raise self._large(path)
            if left < 0 or len(found) >= self._limits.files:
                raise self._large("all files together")
            found[path] = node.oid
        return found

    def everything(self) -> Iterator[tuple[str, bool, bytes]]:
        """Path, whether it may be executed, and content of every file of the commit.

        The rules of the roots hold for all of it: what a link or a submodule means is decided by
        whoever reads the tree, and not by who signed it.

        Raises:
            IntentRefused: ``tree-refused`` or ``too-large``.
            MirrorDamaged: An object is missing.
        """
        left, count = self._limits.total_bytes, 0
        for top in self.children(self.oid, ""):
            for path, node in self._below(self._name("", top.name), top, self._limits.depth):
                content = self._content(path, node.oid)
                left, count = left - len(content), count + 1
                if left < 0 or count > self._limits.files:
                    raise self._large("all files together")
                yield path, node.mode == FILES[1], content

    def children(self, oid: str, path: str) -> tuple[Node, ...]:
        """The entries of one tree, sorted as Git sorts and without duplicates."""
        found = self._trees.nodes(oid, self._commit, path)
        return tuple(Node(mode, name, oid) for name, (mode, oid) in found.items())

    def _walk(self) -> Iterator[tuple[str, Node]]:
        for node in self.children(self.oid, ""):
            name = node.name.decode("utf-8", "replace")
            if name in ROOTS:
                yield from self._below(name, node, self._limits.depth)
            elif _fold(name) in ROOTS:
                raise self._odd(name, "can be taken for one of the roots")

    def _below(self, path: str, node: Node, depth: int) -> Iterator[tuple[str, Node]]:
        if node.mode in FILES:
            yield path, node
            return
        if not node.is_directory:
            raise self._odd(path, f"is {_KINDS.get(node.mode, 'of an odd mode')}")
        if depth == 0:
            raise self._odd(path, "is nested too deep")
        folded: set[str] = set()
        for child in self.children(node.oid, path):
            name = self._name(path, child.name)
            if _fold(name) in folded:
                raise self._odd(f"{path}/{name}", "differs from a neighbour only in case or form")
            folded.add(_fold(name))
            yield from self._below(f"{path}/{name}", child, depth - 1)

    def _name(self, path: str, raw: bytes) -> str:
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._odd(f"{path}/{raw!r}", "has a name that is not UTF-8") from error
        if problem := _problem(name):
            raise self._odd(f"{path}/{name}", problem)
        return name

    def _content(self, path: str, oid: str) -> bytes:
        content = self._objects.read("blob", oid, self._limits.file_bytes)
        if content is None:
            raise self._large(path)
        return content

    def _odd(self, path: str, what: str) -> IntentRefused:
        return refuse(Reason.TREE_REFUSED, self._commit, f"is refused: {shown(path)} {what}")

    def _large(self, path: str) -> IntentRefused:
        return refuse(Reason.TOO_LARGE, self._commit, f"is refused: {shown(path)} is too large")


def _problem(name: str) -> str | None:
    """Why a name is refused, None if it is a plain one."""
    if any(unicodedata.category(char).startswith("C") for char in name):
        return "has control or invisible characters in its name"
    if unicodedata.normalize("NFC", name) != name:
        return "has a name that is not in Unicode form C"
    if name in (".", "..") or _fold(name) == ".git":
        return "has a name that Git keeps for itself"
    if _FOREIGN.search(name):
        return "has a name that another system reads differently"
    return None


def _fold(name: str) -> str:
    """What case-blind and form-blind file systems compare."""
    visible = "".join(char for char in name if not unicodedata.category(char).startswith("C"))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    return folded.rstrip(". ")

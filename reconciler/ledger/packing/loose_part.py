"""Which loose objects a branch reaches, found without walking more of the branch than needed."""

import re
from collections.abc import Iterator
from contextlib import suppress
from os import scandir
from pathlib import Path

from reconciler.errors import EvidenceError
from reconciler.evidence.commit import parents_of
from reconciler.ledger import loose
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.packing.select import Chosen, added, links

_FANOUT = re.compile(r"[0-9a-f]{2}")
_REST = re.compile(r"[0-9a-f]{38}")


def loose_files(objects: Path) -> dict[str, Path]:
    """All files of loose objects by object id.

    Args:
        objects: The ``objects`` directory.

    Raises:
        OSError: It cannot be read.
    """
    found: dict[str, Path] = {}
    with scandir(objects) as directories:
        names = sorted(entry.name for entry in directories if _FANOUT.fullmatch(entry.name))
    for name in names:
        with scandir(objects / name) as files:
            found |= {
                name + file.name: objects / name / file.name
                for file in files
                if _REST.fullmatch(file.name)
            }
    return found


def unpacked(store: ObjectStore, tip: str, files: dict[str, Path]) -> Iterator[Chosen]:
    """Objects of a branch that are loose and in no pack, newest first.

    Args:
        store: Where they are.
        tip: Newest commit of the branch.
        files: The loose objects.

    Raises:
        EvidenceError: The part of the branch that has loose commits is not sound.
    """
    packs = store.packs()
    for one in added(store, tip, _before(store, tip, files)):
        name = bytes.fromhex(one.oid)
        if one.oid in files and not any(pack.holds(name) for pack in packs):
            yield one


def _before(store: ObjectStore, tip: str, files: dict[str, Path]) -> str | None:
    """The newest commit with no loose commit of the branch before it, None if there is none.

    The branch is linear: a loose commit whose parent is on it, but is followed by another, is not
    on it, and neither is what follows that. A crash between an entry and its branch leaves such.
    """
    children = _children(files)
    open_ = {oid for among in children.values() for oid in among}
    for link in links(store, tip):
        if not open_:
            return link.oid
        open_.discard(link.oid)
        lost = children.get(link.oid, [])
        while lost:
            oid = lost.pop()
            open_.discard(oid)
            lost += children.get(oid, [])
    return None


def _children(files: dict[str, Path]) -> dict[str | None, list[str]]:
    """Loose commits by their parent."""
    children: dict[str | None, list[str]] = {}
    for oid, path in files.items():
        # A damaged one is not packed; where the branch needs it, the walk says so.
        with suppress(EvidenceError, FileNotFoundError):
            kind, raw = loose.read(str(path), oid)
            if kind == "commit":
                parent = next(iter(parents_of(raw)), None)
                children.setdefault(parent, []).append(oid)
    return children

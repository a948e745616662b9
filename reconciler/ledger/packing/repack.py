"""Moving loose objects into packs, and small packs into larger ones, without losing one.

Rule 1: What is removed was read back out of the new pack before, byte by byte, from the disk.
Rule 2: Only what the branch reaches is moved; an append that is just being written is not touched.
Rule 3: A new pack swallows those that are not at least twice its size. So there are few packs, and
each object is copied a few times in its life: both grow with the logarithm of the history.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from reconciler.errors import EvidenceError, LedgerMissing
from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.lock import HostLock
from reconciler.ledger.objects import ObjectStore, prove, repository_directory
from reconciler.ledger.pack_reader import PackReader
from reconciler.ledger.packing.form import id_at
from reconciler.ledger.packing.loose_part import loose_files, unpacked
from reconciler.ledger.packing.merge import merge_packs
from reconciler.ledger.packing.placing import partial_pack, place_pack, remove_unfinished
from reconciler.ledger.packing.writer import write_pack
from reconciler.ledger.packs import check_pack
from reconciler.ledger.ref_files import read_ref

LOOSE = 2000
"""Loose objects that are worth packing: some 8 MB of disk, a second of work."""
PACKS = 30
"""Packs that are worth merging, on a hub that receives them from pushes."""

_LOCK = "writer.lock"
_FACTOR = 2
_SAMPLE = 16
_DAY_S = 86_400
_DERIVED = (".bitmap", ".rev")
_SPECIAL = (".keep", ".mtimes", ".promisor")
_HINT = "Nothing was removed. Run reconciler verify, and restore what it names from a clone."


@dataclass(frozen=True, slots=True)
class Repacked:
    """What was done.

    Attributes:
        moved: Loose objects that are in a pack now.
        removed: Loose files that were removed: what was moved, and what a pack held already.
        merged: Packs that became part of another.
        packs: How many packs there are now.
    """

    moved: int
    removed: int
    merged: int
    packs: int


def due(directory: Path, *, loose: int = LOOSE, packs: int = PACKS) -> bool:
    """Whether there is enough to do. Cheap: looks at a sixteenth of the directories.

    Args:
        directory: The repository.
        loose: How many loose objects are enough.
        packs: How many packs are enough.

    Raises:
        LedgerMissing: There is no repository.
        MachineError: It cannot be read.
    """
    objects = repository_directory(directory) / "objects"
    with on_disk(objects):
        sampled = (objects / f"{number:02x}" for number in range(0, 256, 256 // _SAMPLE))
        there = sum(sum(1 for _ in path.iterdir()) for path in sampled if path.is_dir())
        if there * (256 // _SAMPLE) >= loose:
            return True
        return sum(1 for _ in objects.glob("pack/*.idx")) >= packs


def repack(directory: Path, ref: str) -> Repacked:
    """Pack what is loose of a branch, and merge packs that are too many.

    A crash at any instant leaves a sound repository; the next repack goes on.

    Args:
        directory: The repository.
        ref: Full name of the branch whose loose objects are packed.

    Raises:
        Busy: Somebody is writing to the repository.
        LedgerMissing: There is no such branch.
        EvidenceError: Something that has to be packed is missing or damaged; nothing was removed.
        MachineError: Disk full, read-only, no permission; nothing was removed.
    """
    directory = repository_directory(directory)
    packs = directory / "objects/pack"
    with HostLock(directory / _LOCK):
        tip = read_ref(directory, ref)
        if tip is None:
            raise LedgerMissing(f"no branch {ref} in {directory}", hint=_HINT)
        _remove_half_done(packs, directory / _LOCK)
        store = ObjectStore(directory)
        moved = _pack_loose(store, directory, tip)
        removed = _remove_loose(store, directory)
        merged = _merge(store, packs)
        return Repacked(moved, removed, merged, len(store.packs()))


def _pack_loose(store: ObjectStore, directory: Path, tip: str) -> int:
    """Write a pack of the loose objects of a branch; how many there are."""
    with on_disk(directory):
        files = loose_files(directory / "objects")
        with partial_pack(directory / "objects/pack") as file:
            packed = write_pack(unpacked(store, tip, files), file)
            if packed.places:
                _forget_list(directory / "objects")
                place_pack(file, packed, partial(_prove_all, map(id_at, packed.places)))
    return len(packed.places)


def _remove_loose(store: ObjectStore, directory: Path) -> int:
    """Remove loose objects that a pack gives back as they are; how many."""
    packs = store.packs()
    removed = 0
    with on_disk(directory):
        # One that was killed may have given a pack its name, and nobody has synced that yet.
        flush(directory / "objects/pack")
        for oid, path in loose_files(directory / "objects").items():
            name = bytes.fromhex(oid)
            found = next(filter(None, (pack.read(name) for pack in packs)), None)
            if found is not None:
                prove(name, found)
                path.unlink()
                removed += 1
    return removed


def _merge(store: ObjectStore, directory: Path) -> int:
    """Make one pack of the smallest ones; how many they were."""
    indexes = [directory / f"{pack.name}.idx" for pack in _too_small(store.packs(), directory)]
    if indexes:
        with on_disk(directory), partial_pack(directory) as file:
            packed = merge_packs(indexes, file)
            _forget_list(directory.parent)
            placed = place_pack(file, packed, partial(_prove_all, _names(indexes)))
            # After a crash, what comes out may be what one of them is already.
            _remove_packs([index for index in indexes if index != placed])
    return len(indexes)


def _too_small(packs: list[PackReader], directory: Path) -> list[PackReader]:
    """The packs that have to become one, so that each of the others is twice all below it."""
    packs = [pack for pack in packs if not _is_special(directory / pack.name)]
    packs.sort(key=lambda pack: (pack.count, pack.name))
    total, last = 0, 0
    for number, pack in enumerate(packs):
        if number and pack.count < _FACTOR * total:
            last = number
        total += pack.count
    return packs[: last + 1] if last else []


def _is_special(pack: Path) -> bool:
    """Whether somebody asked git to keep a pack, or git keeps in it what nothing reaches."""
    return any(pack.with_suffix(suffix).exists() for suffix in _SPECIAL)


def _names(indexes: list[Path]) -> Iterator[bytes]:
    for index in indexes:
        yield from check_pack(index.with_suffix(".pack"))


def _prove_all(names: Iterable[bytes], pack: PackReader) -> None:
    """Read objects back out of a pack that is going to replace what holds them now."""
    for name in names:
        found = pack.read(name)
        if found is None:
            message = f"object {name.hex()} is not in the pack that was just written"
            raise EvidenceError(message, hint=_HINT)
        prove(name, found)


def _remove_packs(indexes: list[Path]) -> None:
    """Remove packs, and first whatever would miss them."""
    for index in indexes:
        _remove_durably(sorted(index.parent.glob("multi-pack-index*"), reverse=True))
        # A pack without an index is no part of a repository; an index without a pack is a fault.
        _remove_durably(index.with_suffix(suffix) for suffix in (*_DERIVED, ".idx"))
        _remove_durably([index.with_suffix(".pack")])


def _remove_durably(files: Iterable[Path]) -> None:
    """Remove files of one directory; they are gone for good before anything else goes."""
    there = [file for file in files if file.exists()]
    for file in there:
        file.unlink(missing_ok=True)
    if there:
        flush(there[0].parent)


def _forget_list(objects: Path) -> None:
    """Remove git's list of packs before it is wrong; ``git update-server-info`` makes it again."""
    _remove_durably([objects / "info/packs"])


def _remove_half_done(directory: Path, lock: Path) -> None:
    """Remove what a crash left, of ours at once, of others after a day: they may be at work."""
    remove_unfinished(directory)
    with on_disk(directory):
        # Taking the lock wrote to it, by the clock that stamped the packs as well.
        now = lock.stat().st_mtime
        for pack in directory.glob("pack-*.pack"):
            left = not pack.with_suffix(".idx").exists()
            if left and now - pack.stat().st_mtime > _DAY_S:
                pack.unlink()

"""The bundle of a kit: whole branches in one file that stock ``git clone`` takes.

`reconciler.ledger.packing.bundle` writes one branch; a kit has several, and a HEAD, without which a
plain clone would check out nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.kit.nouns import End
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.packing.bundle import MAGIC
from reconciler.ledger.packing.select import Chosen, added
from reconciler.ledger.packing.writer import write_pack


def write_kit_bundle(store: ObjectStore, ends: Sequence[End], target: Path) -> None:
    """Write whole branches: the same bytes for the same branches.

    Args:
        store: The repository.
        ends: The branches; HEAD is the first of them.
        target: The file; must not exist.

    Raises:
        EvidenceError: An object is missing or damaged, or a branch is no ledger.
        MachineError: Disk full, read-only, no permission.
    """
    lines = sorted((end.ref, end.newest.commit) for end in ends)
    head = "".join(f"{oid} {ref}\n" for ref, oid in lines) + f"{ends[0].newest.commit} HEAD\n"
    with on_disk(target), target.open("x+b") as file:
        file.write(MAGIC + head.encode() + b"\n")
        write_pack(_objects(store, ends), file)
        flush(file)


def _objects(store: ObjectStore, ends: Sequence[End]) -> Iterator[Chosen]:
    """Each object once, whichever branches it is on."""
    seen: set[str] = set()
    for end in ends:
        for one in added(store, end.newest.commit, None):
            if one.oid not in seen:
                seen.add(one.oid)
                yield one

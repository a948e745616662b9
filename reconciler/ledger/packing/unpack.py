"""A repository out of bundles, for an auditor who trusts none of them.

The result is an ordinary bare repository that `reconciler.ledger.verify` and stock git read. That
its objects hash to their names is proven here; whether they are evidence is for the audit to say.
"""

import mmap
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.ledger.durable import on_disk
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.packing.bundle import Header, read_bundle, refused
from reconciler.ledger.packing.form import HASH, HEADER
from reconciler.ledger.packing.indexer import Indexed, Limits, Outside, index_pack
from reconciler.ledger.packing.placing import partial_pack, place_pack
from reconciler.ledger.packing.select import links
from reconciler.ledger.packing.writer import Packed, extend_pack

_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
_PACKED_REFS = "# pack-refs with: peeled fully-peeled sorted \n"
_HINT = "Give a directory that is empty, or does not exist yet."


def unpack_bundle(
    paths: Sequence[Path], directory: Path, *, limits: Limits | None = None
) -> dict[str, str]:
    """Make a bare repository out of one full bundle, and incremental ones in their order.

    References are written last: where this raises, nothing takes the directory for a ledger.

    Args:
        paths: The bundles, oldest first.
        directory: Where; made if it is not there, else it must be empty.
        limits: What each bundle may cost to read.

    Returns:
        The references of the repository, with their object ids.

    Raises:
        InputError: A bundle cannot be opened, or the directory is not empty.
        EvidenceError: A bundle is damaged, beyond a limit, or does not continue those before it.
        MachineError: Disk full, read-only, no permission.
    """
    _lay_out(directory)
    references: dict[str, str] = {}
    for path in paths:
        header = read_bundle(path)
        _add(path, header, directory, limits)
        _follow(path, header, directory, references)
    branches = sorted(name for name in references if name.startswith("refs/heads/"))
    if not branches:
        raise EvidenceError("no bundle brings a branch", hint="Bundle a branch by its full name.")
    with on_disk(directory):
        lines = "".join(f"{references[name]} {name}\n" for name in sorted(references))
        (directory / "packed-refs").write_text(_PACKED_REFS + lines)
        (directory / "HEAD").write_text(f"ref: {branches[0]}\n")
    return references


def _lay_out(directory: Path) -> None:
    with on_disk(directory):
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise InputError("directory is not empty", hint=_HINT, where=Where(str(directory)))
        for name in ("objects/pack", "objects/info", "refs/heads", "refs/tags"):
            (directory / name).mkdir(parents=True)
        (directory / "config").write_text(_CONFIG)


def _add(path: Path, header: Header, directory: Path, limits: Limits | None) -> None:
    """Take over the objects of a bundle, after proving that what they stand on is there."""
    store = ObjectStore(directory)
    for oid in header.prerequisites:
        if not _is_commit(store, oid):
            raise refused(path, f"needs commit {oid}, which no bundle before it holds")
    with partial_pack(directory / "objects/pack") as file:
        with on_disk(directory), path.open("rb") as bundle:
            bundle.seek(header.pack_at)
            shutil.copyfileobj(bundle, file)
            file.flush()
        outside = _outside(store)
        indexed = _indexed(path, file, outside, limits)
        place_pack(file, _completed(file, indexed, outside))


def _indexed(path: Path, file: IO[bytes], outside: Outside, limits: Limits | None) -> Indexed:
    if file.tell() < HEADER + HASH:
        raise refused(path, "ends before its pack does")
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pack:
            return index_pack(pack, outside, limits)
    except EvidenceError as error:
        raise EvidenceError(f"bundle {path.name}: {error.message}", hint=error.hint) from error


def _completed(file: IO[bytes], indexed: Indexed, outside: Outside) -> Packed:
    """The pack with the bases that it lacks, so that it stands alone."""
    bases = [found for found in map(outside, indexed.bases) if found is not None]
    packed = Packed(indexed.places, indexed.checksum)
    return extend_pack(file, packed, bases) if bases else packed


def _outside(store: ObjectStore) -> Outside:
    def find(oid: bytes) -> tuple[str, bytes] | None:
        try:
            return store.read(oid.hex())
        except EvidenceError:
            # Not there, or not sound: either way there is nothing to build upon.
            return None

    return find


def _is_commit(store: ObjectStore, oid: str) -> bool:
    found = _outside(store)(bytes.fromhex(oid))
    return found is not None and found[0] == "commit"


def _follow(path: Path, header: Header, directory: Path, references: dict[str, str]) -> None:
    """Move the references, forwards only: two bundles that disagree are not one history."""
    store = ObjectStore(directory)
    for name, new in header.references.items():
        if _outside(store)(bytes.fromhex(new)) is None:
            raise refused(path, f"brings {name} without its object {new}")
        old = references.get(name)
        if old is not None and old != new:
            for _ in links(store, new, old):
                pass
        if name != "HEAD":
            references[name] = new

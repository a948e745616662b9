"""Two copies of an object: an audit reads one of them, stock git may show the other."""

import zlib
from pathlib import Path

import pytest

from reconciler.evidence.fault import Code
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.packing.form import (
    HASH,
    NUMBERS,
    encode_index,
    entry_head,
    pack_header,
    place,
)
from reconciler.ledger.packing.repack import repack
from reconciler.ledger.packing.writer import finish_pack
from reconciler.ledger.sweep import sweep
from reconciler.ledger.sweep_report import SweepReport
from tests.support.long_history import REF, git, make_history, put

pytestmark = pytest.mark.integration


@pytest.fixture
def base(tmp_path: Path) -> tuple[Path, list[str]]:
    path = tmp_path / "r.git"
    return path, make_history(path, 12, full_every=4)


def swept(path: Path, commits: list[str]) -> SweepReport:
    """As after an audit, which has read everything that the branch reaches."""
    seen: set[bytes] = set()
    store = ObjectStore(path, seen)
    listed = git(path, "rev-list", "--objects", commits[-1]).stdout.splitlines()
    for line in listed:
        store.read(line[:40])
    return sweep(path, store, seen, {REF}, {})


def planted(path: Path, oid: str, kind: str, raw: bytes) -> Path:
    """A pack, sound in every sum, that holds something else under an object's name."""
    directory = path / "objects/pack"
    with (directory / "new").open("w+b") as file:
        file.write(pack_header(0))
        entry = entry_head(NUMBERS[kind], len(raw)) + zlib.compress(raw)
        file.write(entry)
        checksum = finish_pack(file, 0, 1)
    pack = directory / f"pack-{checksum.hex()}.pack"
    (directory / "new").rename(pack)
    places = [place(bytes.fromhex(oid), zlib.crc32(entry), 12)]
    pack.with_suffix(".idx").write_bytes(encode_index(places, checksum))
    assert len(checksum) == HASH
    return pack


@pytest.mark.parametrize("packed", [False, True])
def test_a_forged_copy_in_another_pack_is_found(base: tuple[Path, list[str]], packed: bool) -> None:
    path, commits = base
    if packed:
        repack(path, REF)
    raw = ObjectStore(path).read(commits[5])[1]
    assert swept(path, commits).faults == []
    pack = planted(path, commits[5], "commit", raw.replace(b'"reached":true', b'"reached":null'))
    found = swept(path, commits).faults
    assert {(fault.code, fault.place.path) for fault in found} >= {
        (Code.FILE, f"objects/pack/{pack.name}")
    }
    assert any("does not hash to its name" in fault.message for fault in found)


def test_honest_copies_are_no_fault(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    assert git(path, "repack", "-q", "-a", "-n").returncode == 0
    kind, raw = ObjectStore(path).read(commits[5])
    planted(path, commits[5], kind, raw)
    found = swept(path, commits)
    assert (found.faults, found.unreferenced) == ([], 0)


def test_what_nothing_reaches_is_proven_as_well(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    repack(path, REF)
    honest = planted(path, put(path, "blob", b"left by a crash"), "blob", b"left by a crash")
    assert swept(path, commits).faults == []
    assert swept(path, commits).unreferenced == 2
    forged = planted(path, "ab" * 20, "blob", b"of another name")
    named = {fault.place.path for fault in swept(path, commits).faults}
    assert named == {f"objects/pack/{forged.name}"}
    assert honest.exists()


def test_half_a_pack_is_named_and_nobody_reads_it(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    pack = planted(path, "ab" * 20, "blob", b"never seen")
    pack.with_suffix(".idx").unlink()
    found = swept(path, commits)
    assert (found.faults, found.leftovers) == ([], [f"objects/pack/{pack.name}"])
    # libgit2 names the index before its pack, so a power cut leaves the one or the other.
    other = pack.with_name(f"pack-{'c' * 40}.idx")
    other.write_bytes(b"")
    found = swept(path, commits)
    assert (found.faults, sorted(found.leftovers)) == (
        [],
        sorted(f"objects/pack/{half.name}" for half in (pack, other)),
    )
    assert ObjectStore(path).read(commits[0])[0] == "commit"
    assert git(path, "fsck", "--full", "--strict").returncode == 0

"""One changed byte, anywhere in the store of a real repository, is found and its file is named."""

import hashlib
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence.fault import Code
from reconciler.evidence.source import framed, object_id
from reconciler.ledger import loose, packs
from tests.support.ledger_rig import Rig, filled

pytestmark = pytest.mark.integration

STORE = ("HEAD", "packed-refs", "refs", "objects")


def files(rig: Rig) -> list[Path]:
    found = []
    for name in STORE:
        path = rig.path / name
        found += [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
    return sorted(found)


@contextmanager
def byte(file: Path, at: int, flip: int) -> Iterator[None]:
    """The file with one byte changed, while the block lasts."""
    whole = file.read_bytes()
    changed = bytearray(whole)
    changed[at] ^= flip
    file.chmod(0o644)
    file.write_bytes(changed)
    try:
        yield
    finally:
        file.write_bytes(whole)


def places(size: int, count: int) -> list[int]:
    """Both ends, and an even spread between them."""
    spread = {round(number * (size - 1) / (count - 1)) for number in range(count)}
    return sorted({*range(min(3, size)), *range(max(0, size - 3), size), *spread})


def check_flips(rig: Rig, count: int) -> None:
    for file in files(rig):
        name = file.relative_to(rig.path).as_posix()
        for at in places(file.stat().st_size, count):
            flip = (0x01, 0x20, 0x80, 0xFF)[at % 4]
            with byte(file, at, flip):
                result = rig.verify()
            assert not result.ok, (name, at, flip)
            places_named = {fault.place.path for fault in result.faults}
            # Another name in packed-refs shows where HEAD misses the one it names.
            assert places_named & {name, "HEAD" if name == "packed-refs" else name}, (name, at)
    assert rig.verify().ok


def test_in_a_fresh_ledger(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=0)
    assert len(files(rig)) == 2 + 7 * 3
    check_flips(rig, 4)


def test_in_a_packed_ledger(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=1)
    assert rig.git("gc", "-q").returncode == 0
    assert rig.git("update-server-info").returncode == 0
    names = {file.suffix or file.name for file in files(rig)}
    assert {".pack", ".idx", "packed-refs", "HEAD"} <= names
    check_flips(rig, 60)


def test_in_a_ledger_with_loose_and_packed_parts(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=0)
    assert rig.git("gc", "-q").returncode == 0
    assert rig.git("repack", "-q", "-d").returncode == 0
    assert rig.git("commit-graph", "write", "--reachable").returncode == 0
    with rig.open() as ledger:
        rig.run(ledger)
    check_flips(rig, 12)


def test_every_value_of_every_byte_of_a_loose_object(tmp_path: Path) -> None:
    raw = b"100644 00000001.dsse.json\0" + bytes(range(20))
    raw += b"100644 00000002.dsse.json\0" + bytes(range(20))
    oid, good = object_id("tree", raw), zlib.compress(framed("tree", raw), 1)
    file = tmp_path / "object"
    file.write_bytes(good)
    loose.check(str(file), oid)
    for at in range(len(good)):
        edge = at < 4 or at > len(good) - 8
        for flip in range(1, 256) if edge else (1, 2, 4, 8, 16, 32, 64, 128, 255):
            changed = bytearray(good)
            changed[at] ^= flip
            file.write_bytes(changed)
            with pytest.raises(EvidenceError):
                loose.check(str(file), oid)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data + b"\0",
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data + data,
        lambda data: zlib.compress(b"blob 1\0xx", 1),
        lambda data: zlib.compress(b"blob 02\0xx", 1),
        lambda data: zlib.compress(b"xx", 1),
        lambda data: zlib.compress(b"blob 3\0abc", 1),
        lambda data: zlib.compress(b"blob 2\0xx", 9),
        lambda data: zlib.compress(b"blob 9999999999\0" + bytes(9 * 1024 * 1024), 1),
    ],
)
def test_loose_objects_have_one_form(tmp_path: Path, spoil) -> None:
    file = tmp_path / "object"
    good = zlib.compress(b"blob 2\0xx", 1)
    file.write_bytes(good)
    loose.check(str(file), object_id("blob", b"xx"))
    file.write_bytes(spoil(good))
    with pytest.raises(EvidenceError):
        loose.check(str(file), object_id("blob", b"xx"))


def test_another_encoder_than_ours_is_not_an_attack(tmp_path: Path) -> None:
    raw = bytes(range(256)) * 8
    file = tmp_path / "object"
    stored = zlib.compressobj(1, strategy=zlib.Z_HUFFMAN_ONLY)
    file.write_bytes(stored.compress(framed("blob", raw)) + stored.flush())
    loose.check(str(file), object_id("blob", raw))


# Files that should not be there, and links


@pytest.mark.parametrize(
    "name",
    [
        "objects/info/alternates",
        "objects/ab/readme",
        "objects/abc",
        "objects/pack/readme",
        "objects/pack/pack-" + "0" * 40 + ".keep",
        "shallow",
        "info/grafts",
    ],
)
def test_stray_files(tmp_path: Path, name: str) -> None:
    rig = filled(tmp_path, runs=0)
    file = rig.path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    result = rig.verify()
    assert (Code.STRAY_FILE, name) in {(f.code, f.place.path) for f in result.faults}


def test_links_are_refused_wherever_they_lead(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=0)
    file = next(file for file in files(rig) if "objects" in file.parts)
    shutil.move(file, tmp_path / "moved")
    file.symlink_to(tmp_path / "moved")
    result = rig.verify()
    name = file.relative_to(rig.path).as_posix()
    assert (Code.STRAY_FILE, name) in {(f.code, f.place.path) for f in result.faults}


def test_a_linked_object_directory_is_refused(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=0)
    shutil.move(rig.path / "objects", tmp_path / "moved")
    (rig.path / "objects").symlink_to(tmp_path / "moved")
    assert "objects" in {fault.place.path for fault in rig.verify().faults}


def test_another_branch_or_tag_is_a_fault(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=0)
    rig.git("tag", "v1", "smile/desk")
    rig.git("branch", "main", "smile/desk")
    names = {f.place.path for f in rig.verify().faults if f.code is Code.UNKNOWN_REF}
    assert names == {"refs/tags/v1", "refs/heads/main"}


def test_a_branch_nobody_may_sign_is_a_fault(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=0)
    rig.git("branch", "smile/xray", "smile/desk")
    codes = {fault.code for fault in rig.verify().faults}
    assert codes == {Code.PRINCIPAL, Code.BRANCH}


def test_packed_references_must_be_part_of_this_history(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=1)
    rig.git("pack-refs", "--all")
    with rig.open() as ledger:
        rig.run(ledger)
    assert rig.verify().ok
    file = rig.path / "packed-refs"
    lines = file.read_bytes().splitlines(keepends=True)
    blob = rig.git("hash-object", "-w", "--stdin").stdout.strip()
    file.write_bytes(lines[0] + blob.encode() + lines[1][40:])
    assert "packed-refs" in {fault.place.path for fault in rig.verify().faults}


# What a crash leaves is a note


def test_leftovers_of_a_crash_are_notes(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=0)
    directory = next(f for f in files(rig) if f.parent.parent.name == "objects").parent
    (directory / "tmp_obj_abcdef").write_text("half")
    (rig.path / "refs/heads/smile/desk.lock").write_text("")
    rig.git("hash-object", "-w", "-t", "blob", str(rig.signers_file))
    result = rig.verify()
    assert result.ok
    assert result.sweep.unreferenced == 1
    assert sorted(Path(name).name for name in result.sweep.leftovers) == [
        "desk.lock",
        "tmp_obj_abcdef",
    ]


def test_an_unreferenced_object_in_a_pack_is_checked_too(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=0)
    rig.git("hash-object", "-w", str(rig.signers_file))
    assert rig.git("repack", "-q", "-a", "-d", "-k").returncode == 0
    result = rig.verify()
    assert (result.ok, result.sweep.unreferenced) == (True, 1)


# Packs whose checksums were made to fit again


def resummed(data: bytes) -> bytes:
    return data[:-20] + hashlib.sha1(data[:-20]).digest()


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    rig = filled(tmp_path, runs=1)
    assert rig.git("gc", "-q").returncode == 0
    (pack,) = (rig.path / "objects/pack").glob("*.pack")
    for file in pack.parent.iterdir():
        file.chmod(0o644)
    packs.check_pack(pack)
    return pack


def test_an_index_that_lies_about_an_offset(pack: Path) -> None:
    index = pack.with_suffix(".idx")
    data = bytearray(index.read_bytes())
    count = struct.unpack(">I", data[8 + 255 * 4 : 8 + 256 * 4])[0]
    at = 8 + 1024 + count * 24
    data[at : at + 4], data[at + 4 : at + 8] = data[at + 4 : at + 8], data[at : at + 4]
    index.write_bytes(resummed(bytes(data)))
    with pytest.raises(EvidenceError, match="damaged object at offset"):
        packs.check_pack(pack)


def test_an_index_with_swapped_names(pack: Path) -> None:
    index = pack.with_suffix(".idx")
    data = bytearray(index.read_bytes())
    one, two = slice(1032, 1052), slice(1052, 1072)
    data[one], data[two] = data[two], data[one]
    index.write_bytes(resummed(bytes(data)))
    with pytest.raises(EvidenceError, match=r"fan-out|sorted"):
        packs.check_pack(pack)


def test_an_index_with_a_wrong_fan_out(pack: Path) -> None:
    index = pack.with_suffix(".idx")
    data = bytearray(index.read_bytes())
    data[8 + 100 * 4 + 3] ^= 1
    index.write_bytes(resummed(bytes(data)))
    with pytest.raises(EvidenceError, match="fan-out"):
        packs.check_pack(pack)


def test_an_index_of_another_pack(pack: Path) -> None:
    index = pack.with_suffix(".idx")
    data = bytearray(index.read_bytes())
    data[-40] ^= 1
    index.write_bytes(resummed(bytes(data)))
    with pytest.raises(EvidenceError, match="another pack"):
        packs.check_pack(pack)


@pytest.mark.parametrize("keep", [0, 10, 40, 1000, 1100, -41])
def test_a_pack_or_index_that_is_cut_off(pack: Path, keep: int) -> None:
    for file in (pack, pack.with_suffix(".idx")):
        whole = file.read_bytes()
        for cut in (whole[:keep], resummed(whole[:keep] + bytes(20))):
            file.write_bytes(cut)
            with pytest.raises(EvidenceError):
                packs.check_pack(pack)
        file.write_bytes(whole)
    packs.check_pack(pack)


def test_a_pack_without_its_index(pack: Path) -> None:
    pack.with_suffix(".idx").rename(pack.with_suffix(".gone"))
    with pytest.raises(EvidenceError, match="not there"):
        packs.check_pack(pack)


def test_a_damaged_object_under_a_new_checksum(pack: Path) -> None:
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    new = resummed(bytes(data))
    pack.write_bytes(new)
    index = bytearray(pack.with_suffix(".idx").read_bytes())
    index[-40:-20] = new[-20:]
    pack.with_suffix(".idx").write_bytes(resummed(bytes(index)))
    with pytest.raises(EvidenceError, match="damaged object at offset"):
        packs.check_pack(pack)

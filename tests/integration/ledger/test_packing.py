"""Packs that we write, held against stock git: sound, small, shallow, and the same every time."""

import os
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.errors import Busy, EvidenceError, LedgerMissing
from reconciler.ledger.lock import HostLock
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.packing.form import encode_index
from reconciler.ledger.packing.loose_part import loose_files, unpacked
from reconciler.ledger.packing.repack import Repacked, due, repack
from reconciler.ledger.packing.select import Chosen, added
from reconciler.ledger.packing.writer import DEEPEST, Packed, write_pack
from reconciler.ledger.packs import check_pack
from reconciler.ledger.sweep import sweep
from tests.support.long_history import REF, git, lengthen, make_history, put, read_all

pytestmark = pytest.mark.integration


@pytest.fixture
def base(tmp_path: Path) -> tuple[Path, list[str]]:
    """A loose history, a tenth of it with files; and its commits."""
    path = tmp_path / "r.git"
    return path, make_history(path, 300)


def packs(path: Path) -> list[Path]:
    return sorted((path / "objects/pack").glob("*.pack"))


def loose(path: Path) -> int:
    return len(loose_files(path / "objects"))


def sound(path: Path, commits: list[str]) -> None:
    """Stock git and we find every commit, and every byte is as it must be."""
    assert git(path, "symbolic-ref", "HEAD", REF).returncode == 0
    checked = git(path, "fsck", "--strict", "--full", "--no-dangling")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert git(path, "rev-list", "--reverse", REF).stdout.split() == commits
    assert sum(1 for _ in read_all(ObjectStore(path), commits)) == len(commits)
    for pack in packs(path):
        assert check_pack(pack)


def written(path: Path, tip: str, file: Path, old: str | None = None) -> Packed:
    with file.open("w+b") as opened:
        packed = write_pack(added(ObjectStore(path), tip, old), opened)
    file.with_suffix(".idx").write_bytes(encode_index(packed.places, packed.checksum))
    return packed


def depths(pack: Path) -> list[int]:
    """Of each delta, how deep it lies, as git counts."""
    shown = git(pack.parent, "verify-pack", "-v", pack.with_suffix(".idx").name)
    assert shown.returncode == 0, shown.stderr
    return [int(found) for found in re.findall(r"(?m)^\w{40} \w+ .* (\d+) \w{40}$", shown.stdout)]


def test_a_pack_is_smaller_than_that_of_git_and_as_shallow_as_promised(
    base: tuple[Path, list[str]], tmp_path: Path
) -> None:
    path, commits = base
    packed = written(path, commits[-1], tmp_path / "ours.pack")
    assert len(packed.places) == loose(path)
    found = depths(tmp_path / "ours.pack")
    assert len(found) > 0.9 * len(packed.places)
    assert max(found) <= DEEPEST
    assert git(path, "repack", "-q", "-adf").returncode == 0
    assert (tmp_path / "ours.pack").stat().st_size < packs(path)[0].stat().st_size


def test_the_same_objects_are_the_same_bytes_however_they_are_stored(
    base: tuple[Path, list[str]], tmp_path: Path
) -> None:
    path, commits = base
    written(path, commits[-1], tmp_path / "one.pack", commits[40])
    assert git(path, "gc", "-q").returncode == 0
    written(path, commits[-1], tmp_path / "two.pack", commits[40])
    assert (tmp_path / "one.pack").read_bytes() == (tmp_path / "two.pack").read_bytes()


def test_a_slim_entry_is_a_few_hundred_bytes(tmp_path: Path) -> None:
    path = tmp_path / "r.git"
    commits = make_history(path, 600, full_every=1_000_000)
    written(path, commits[-1], tmp_path / "slim.pack")
    assert (tmp_path / "slim.pack").stat().st_size < 600 * 275


def test_large_and_strange_objects_go_through(tmp_path: Path) -> None:
    source = random.Random(1)
    noise = source.randbytes(300_000)
    raws = [noise, noise[:-1], b"", b"x", bytes(70_000), bytes(70_001), noise[:1000], noise[500:]]
    path = tmp_path / "r.git"
    assert git(tmp_path, "init", "-q", "--bare", "r.git").returncode == 0
    objects = [Chosen("blob", put(path, "blob", raw), raw, "") for raw in raws]
    with (path / "objects/pack/x.pack").open("w+b") as file:
        packed = write_pack(objects, file)
    index = path / "objects/pack/x.idx"
    index.write_bytes(encode_index(packed.places, packed.checksum))
    for file in loose_files(path / "objects").values():
        file.unlink()
    store = ObjectStore(path)
    assert [store.read(one.oid) for one in objects] == [("blob", raw) for raw in raws]
    assert git(path, "fsck", "--strict", "--full").returncode == 0


def test_a_merge_is_not_packed(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    raw = ObjectStore(path).read(commits[-1])[1]
    merge = raw.replace(b"\nauthor", f"\nparent {commits[3]}\nauthor".encode(), 1)
    (path / REF).write_text(put(path, "commit", merge) + "\n")
    before = loose(path)
    with pytest.raises(EvidenceError, match="not one of a ledger"):
        repack(path, REF)
    assert (loose(path), packs(path)) == (before, [])


def test_loose_objects_move_and_nothing_else_does(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    there = loose(path)
    stray = put(path, "blob", b"being written right now")
    raw = ObjectStore(path).read(commits[-1])[1]
    aside = raw.replace(commits[-2].encode(), commits[7].encode(), 1)
    further = raw.replace(commits[-2].encode(), put(path, "commit", aside).encode(), 1)
    put(path, "commit", further)
    assert repack(path, REF) == Repacked(moved=there, removed=there, merged=0, packs=1)
    assert loose(path) == 3
    assert ObjectStore(path).read(stray) == ("blob", b"being written right now")
    assert repack(path, REF) == Repacked(moved=0, removed=0, merged=0, packs=1)
    sound(path, commits)


def test_packs_stay_few_and_objects_are_seldom_copied(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    copied = moved = 0
    for _ in range(20):
        done = repack(path, REF)
        moved += done.moved
        copied += done.merged
        assert done.packs <= 6
        assert loose(path) == 0
        commits = lengthen(path, commits, 40)
    repack(path, REF)
    assert moved > 1500
    assert 0 < copied < 60
    sound(path, commits)


def test_a_walk_ends_where_nothing_is_loose(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    repack(path, REF)
    commits = lengthen(path, commits, 5)
    seen: set[bytes] = set()
    store = ObjectStore(path, seen)
    chosen = list(unpacked(store, commits[-1], loose_files(path / "objects")))
    assert sum(one.kind == "commit" for one in chosen) == 5
    assert len(seen) < 60


def test_packs_of_git_and_of_pushes_with_shared_objects_become_one(
    base: tuple[Path, list[str]], tmp_path: Path
) -> None:
    path, commits = base
    hub = tmp_path / "hub.git"
    assert git(tmp_path, "init", "-q", "--bare", "hub.git").returncode == 0
    assert git(hub, "config", "transfer.unpackLimit", "1").returncode == 0
    for tip in (commits[99], commits[199], commits[204], commits[-1]):
        pushed = git(path, "push", "-q", str(hub), f"{tip}:{REF}")
        assert pushed.returncode == 0, pushed.stderr
    assert len(packs(hub)) == 4
    held = [oid for pack in packs(hub) for oid in check_pack(pack)]
    assert len(held) > len(set(held))
    done = repack(hub, REF)
    assert (done.moved, done.packs) == (0, 1)
    assert set(check_pack(packs(hub)[0])) == set(held)
    sound(hub, commits)


def test_a_reader_that_was_open_before_goes_on(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    before = ObjectStore(path)
    assert sum(1 for _ in read_all(before, commits)) == len(commits)
    for _ in range(3):
        repack(path, REF)
        assert sum(1 for _ in read_all(before, commits)) == len(commits)
        commits = lengthen(path, commits, 100)


def test_a_sweep_meanwhile_finds_no_fault(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    repack(path, REF)
    commits = lengthen(path, commits, 200)
    seen: set[bytes] = set()
    assert sum(1 for _ in read_all(ObjectStore(path, seen), commits)) == len(commits)
    swept = 0
    with ThreadPoolExecutor(1) as pool:
        repacked = pool.submit(repack, path, REF)
        while not repacked.done() or not swept:
            found = sweep(path, ObjectStore(path), seen, {REF}, {})
            assert found.faults == []
            swept += 1
    assert repacked.result().packs == 1


def test_what_git_derives_from_packs_goes_before_them(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    for _ in range(2):
        assert git(path, "repack", "-q", "-d").returncode == 0
        commits = lengthen(path, commits, 300)
    assert git(path, "repack", "-q", "-d", "--write-midx").returncode == 0
    assert git(path, "update-server-info").returncode == 0
    assert (path / "objects/pack/multi-pack-index").exists()
    assert repack(path, REF).packs < 3
    assert not (path / "objects/pack/multi-pack-index").exists()
    assert not (path / "objects/info/packs").exists()
    sound(path, commits)


def test_a_pack_that_is_to_be_kept_is_kept(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    assert git(path, "repack", "-q", "-d").returncode == 0
    (kept,) = packs(path)
    kept.with_suffix(".keep").touch()
    commits = lengthen(path, commits, 300)
    assert repack(path, REF).packs == 2
    assert kept in packs(path)
    sound(path, commits)


def test_objects_that_a_pack_holds_already_are_only_removed(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    there = loose(path)
    assert git(path, "repack", "-q", "-a").returncode == 0
    assert loose(path) == there
    assert repack(path, REF) == Repacked(moved=0, removed=there, merged=0, packs=1)
    sound(path, commits)


def damaged(path: Path, at: int) -> bytes:
    before = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(before[:at] + bytes((before[at] ^ 0x10,)) + before[at + 1 :])
    return before


def test_nothing_is_removed_where_something_is_damaged(base: tuple[Path, list[str]]) -> None:
    path, commits = base
    there = loose(path)
    file = path / "objects" / commits[150][:2] / commits[150][2:]
    whole = damaged(file, 60)
    with pytest.raises(EvidenceError, match=commits[150]):
        repack(path, REF)
    assert (loose(path), packs(path)) == (there, [])
    file.write_bytes(whole)
    repack(path, REF)
    (pack,) = packs(path)
    commits = lengthen(path, commits, 300)
    whole = damaged(pack, 5000)
    with pytest.raises(EvidenceError):
        repack(path, REF)
    assert pack in packs(path)
    pack.write_bytes(whole)
    repack(path, REF)
    sound(path, commits)


def test_leftovers_of_a_crash_go_and_a_pack_being_received_stays(
    base: tuple[Path, list[str]],
) -> None:
    path, commits = base
    directory = path / "objects/pack"
    ours = directory / "tmp_pack_ledger_0123"
    received = directory / f"pack-{'a' * 40}.pack"
    forgotten = directory / f"pack-{'b' * 40}.pack"
    for file in (ours, received, forgotten):
        file.write_bytes(b"PACK")
    os.utime(forgotten, (1, 1))
    repack(path, REF)
    assert not ours.exists()
    assert not forgotten.exists()
    assert received.exists()
    received.unlink()
    sound(path, commits)


def test_it_waits_for_no_writer_and_knows_its_branch(base: tuple[Path, list[str]]) -> None:
    path, _ = base
    with HostLock(path / "writer.lock"), pytest.raises(Busy):
        repack(path, REF)
    with pytest.raises(LedgerMissing, match="no branch"):
        repack(path, "refs/heads/nobody/here")
    with pytest.raises(LedgerMissing, match="no ledger"):
        due(path / "nowhere")


@pytest.fixture
def counts(tmp_path: Path) -> Iterator[Path]:
    assert git(tmp_path, "init", "-q", "--bare", "r.git").returncode == 0
    yield tmp_path / "r.git"


def test_it_is_due_on_many_loose_objects_or_many_packs(counts: Path) -> None:
    assert not due(counts)
    for number in range(400):
        put(counts, "blob", b"%d" % number)
    assert not due(counts)
    assert due(counts, loose=250)
    for number in range(5):
        (counts / f"objects/pack/pack-{number}.idx").touch()
    assert not due(counts, packs=6)
    assert due(counts, packs=5)

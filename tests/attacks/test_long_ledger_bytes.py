"""One changed byte in a long ledger with packs and loose parts: its file is named, and its entry.

`test_evidence_bytes` tries every file of small ledgers in many places; here each kind of file and
each kind of object is changed once where the ledger is long.
"""

import random
from pathlib import Path

import pytest

from reconciler.evidence.commit import parse as parse_commit
from reconciler.evidence.fault import Code
from reconciler.evidence.tree import parse as parse_tree
from reconciler.ledger.verify import Verification
from tests.attacks.test_long_ledger import blob_of
from tests.support.attack_ledger import AttackLedger
from tests.support.attacking import Scene, named, path_of

pytestmark = pytest.mark.integration


def flipped(scene: Scene, file: Path, seed: int = 0) -> str:
    """Change one bit of a file; the name of the file."""
    chance = random.Random(f"{file.name} {seed}")
    data = bytearray(file.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    scene.write(file, bytes(data))
    return file.relative_to(scene.path).as_posix()


def files_named(result: Verification) -> set[str]:
    return {fault.place.path for fault in result.faults if fault.place.path is not None}


@pytest.mark.parametrize("name", ["HEAD", "packed-refs", "refs/heads/smile/desk"])
def test_a_file_of_references(scene: Scene, name: str) -> None:
    flipped(scene, scene.path / name)
    result = scene.verify_again()
    assert not result.ok
    assert files_named(result) & {name, "HEAD" if name == "packed-refs" else name}


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_each_pack_and_index(scene: Scene, suffix: str) -> None:
    """All of them at once; none hides another."""
    packs = sorted((scene.path / "objects/pack").glob(f"*{suffix}"))
    assert len(packs) == 4
    expected = {flipped(scene, file) for file in packs}
    result = scene.verify()
    assert not result.ok
    if suffix == ".idx":
        # The index of a pack is what makes it one; either of the two is named.
        expected = {name.removesuffix(suffix) for name in expected}
        found = {name.removesuffix(".idx").removesuffix(".pack") for name in files_named(result)}
        assert expected <= found
    else:
        assert expected <= files_named(result)


def test_every_loose_object(scene: Scene) -> None:
    objects = scene.path / "objects"
    loose = sorted(file for file in objects.glob("??/*") if file.is_file())
    assert len(loose) > 50
    expected = {flipped(scene, file) for file in loose}
    result = scene.verify()
    assert expected <= {fault.place.path for fault in named(result, Code.FILE)}


@pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
def test_the_content_under_the_name_of_another(
    long_ledger: AttackLedger, scene: Scene, kind: str
) -> None:
    """A sound file with other content: nothing but its name is wrong."""
    desk = long_ledger.desk
    seq = max(entry.seq for entry in desk.entries if not entry.slim)
    commit = desk.commits[seq]
    oid = {"commit": commit, "tree": tree_of(long_ledger, seq), "blob": blob_of(desk, seq)}[kind]
    raw = bytearray(desk.read(oid)[1])
    raw[len(raw) // 2] ^= 1
    scene.write_loose(oid, kind, bytes(raw))
    result = scene.verify()
    assert named(result, Code.FILE, path=f"objects/{oid[:2]}/{oid[2:]}")


@pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
def test_an_object_is_gone(long_ledger: AttackLedger, scene: Scene, kind: str) -> None:
    desk = long_ledger.desk
    seq = len(desk.commits) - 1
    forged = desk.fork(len(desk.commits))
    forged.at = desk.at
    added = forged.append(body={"pass": 1})
    scene.show(forged)
    oid = {"commit": added, "tree": parse_commit(forged.read(added)[1]).tree}.get(kind)
    oid = oid or blob_of(forged, seq + 1)
    (scene.path / "objects" / oid[:2] / oid[2:]).unlink()
    result = scene.verify_again()
    assert not result.ok
    wanted = {"commit": Code.OBJECT, "tree": Code.TREE, "blob": Code.OBJECT}[kind]
    path = path_of(forged, seq + 1) if kind == "blob" else None
    assert named(result, wanted, commit=added, path=path)


def test_a_stray_object_is_counted(scene: Scene) -> None:
    put_aside = b"what nothing leads to"
    oid = scene.ledger.desk.fork(0).put("blob", put_aside)
    scene.write_loose(oid, "blob", put_aside)
    result = scene.verify()
    assert result.ok
    assert result.sweep.unreferenced == 1


def tree_of(ledger: AttackLedger, seq: int) -> str:
    """A tree that only this entry has: the directory of its day."""
    desk = ledger.desk
    oid = parse_commit(desk.read(desk.commits[seq])[1]).tree
    for name in path_of(desk, seq).split("/")[:-1]:
        oid = parse_tree(desk.read(oid)[1])[name.encode()][1].hex()
    return oid

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence.planting import plant
from reconciler.evidence.tree import DIRECTORY, FILE, Trees, encode, parse
from tests.support.forge import Forge

A, B = b"a" * 20, b"b" * 20


def node(mode: bytes, name: bytes, oid: bytes = A) -> bytes:
    return mode + b" " + name + b"\0" + oid


def test_reads_what_it_writes_in_gits_order() -> None:
    # Git compares directories as if their names ended in a slash: "a.b" < "a/" < "a0".
    nodes = {b"a": (DIRECTORY, A), b"a.b": (FILE, B), b"a0": (FILE, A)}
    raw = encode(nodes)
    assert raw == node(FILE, b"a.b", B) + node(DIRECTORY, b"a") + node(FILE, b"a0")
    assert parse(raw) == nodes


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (node(b"100755", b"x"), "mode 100755"),
        (node(b"120000", b"x"), "mode 120000"),
        (node(b"160000", b"x"), "mode 160000"),
        (node(b"040000", b"x"), "mode 040000"),
        (node(b"100664", b"x"), "mode 100664"),
        (node(b"0100644", b"x"), "mode 0100644"),
        (node(FILE, b"."), "name"),
        (node(FILE, b".."), "name"),
        (node(FILE, b".git"), "name"),
        (node(FILE, b""), "name"),
        (node(FILE, b"a/b"), "name"),
        (node(FILE, b"a b"), "name"),
        (node(FILE, b"git~1"), "name"),
        (node(FILE, b"\xe2\x80\x8cx"), "name"),
        (node(FILE, b"x" * 65), "name"),
        (node(FILE, b"b") + node(FILE, b"a"), "sorted"),
        (node(FILE, b"a") + node(FILE, b"a"), "twice"),
        (node(FILE, b"a") + node(DIRECTORY, b"a"), "twice"),
        (node(FILE, b"a") + b"x", "name|mode"),
        (node(FILE, b"a")[:-1], "name"),
        (b"garbage", "mode"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_refuses_everything_that_is_not_plain(raw: bytes, says: str) -> None:
    with pytest.raises(EvidenceError, match=says):
        parse(raw)


def planted(*paths: str) -> tuple[Forge, list[str]]:
    forge, roots = Forge(), []
    for path in paths:
        result = plant(Trees(forge), roots[-1] if roots else None, path, path.encode())
        for kind, raw in result.objects:
            forge.put(kind, raw)
        roots.append(result.root)
    return forge, roots


def test_planting_adds_exactly_one_file() -> None:
    forge, roots = planted("e/2026/01/a", "e/2026/01/b", "e/2026/02/c", "f")
    trees = Trees(forge)
    for before, after, path in zip(
        [None, *roots], roots, ["e/2026/01/a", "e/2026/01/b", "e/2026/02/c", "f"], strict=False
    ):
        (change,) = trees.changes(before, after)
        assert (change.kind, change.path) == ("added", path)
        assert forge.read(change.oid or "") == ("blob", path.encode())


def test_removed_and_changed_files_are_told_apart() -> None:
    forge, (first, second) = planted("e/a", "e/b")
    trees = Trees(forge)
    assert [(c.kind, c.path) for c in trees.changes(second, first)] == [("removed", "e/b")]
    result = plant(trees, second, "e/a", b"other")
    for kind, raw in result.objects:
        forge.put(kind, raw)
    assert [(c.kind, c.path) for c in trees.changes(second, result.root)] == [("changed", "e/a")]


def test_a_directory_in_the_place_of_a_file_is_a_change() -> None:
    forge, (first,) = planted("e")
    oid = forge.put("tree", node(FILE, b"x"))
    after = forge.put("tree", node(DIRECTORY, b"e", bytes.fromhex(oid)))
    assert [(c.kind, c.path) for c in Trees(forge).changes(first, after)] == [("changed", "e")]


def test_equal_subtrees_are_not_read() -> None:
    forge, (first, second) = planted("a/x", "b/y")
    del forge.objects[Trees(forge).read(first)[b"a"][1].hex()]
    assert [c.path for c in Trees(forge).changes(first, second)] == ["b/y"]

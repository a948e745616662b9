import json
from pathlib import Path

import pytest

from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.restic import MAX_SAMPLE, Listing, Node, _literal
from reconciler.targets.linux.restore import fitting, restored_digest


def listing(*nodes: dict[str, object], piece: int = 7) -> Listing:
    data = b"".join(json.dumps(node).encode() + b"\n" for node in nodes)
    made = Listing()
    for at in range(0, len(data), piece):
        made.feed(data[at : at + piece])
    return made


def files(count: int) -> list[dict[str, object]]:
    return [{"type": "file", "path": f"/srv/{n}", "size": n} for n in range(count)]


class TestListing:
    @pytest.mark.parametrize(
        ("count", "percent", "picked"),
        [(1, 1, 1), (10, 25, 3), (10, 100, 10), (1000, 100, MAX_SAMPLE)],
    )
    def test_size_of_the_sample(self, count: int, percent: int, picked: int) -> None:
        sample = listing(*files(count), piece=4096).pick(percent)
        assert len(sample) == len(set(sample)) == picked
        assert all(node.path == f"/srv/{node.size}" for node in sample)

    def test_chance_picks(self) -> None:
        samples = {tuple(n.path for n in listing(*files(50), piece=999).pick(10)) for _ in range(5)}
        assert len(samples) > 1

    def test_only_regular_files_that_can_be_named(self) -> None:
        sample = listing(
            {"struct_type": "snapshot", "id": "x"},
            {"type": "dir", "path": "/srv"},
            {"type": "symlink", "path": "/srv/l"},
            {"type": "file", "path": "/srv/bad\ufffd"},
            {"type": "file", "path": "-rf"},
            {"type": "file", "path": "/srv/empty"},
        ).pick(100)
        assert sample == [Node("/srv/empty", 0)]

    def test_nothing_to_pick(self) -> None:
        with pytest.raises(NoAnswer, match="holds no file"):
            listing({"type": "dir", "path": "/"}).pick(100)

    @pytest.mark.parametrize("line", [b"garbage\n", b"[1]\n", b'{"type": "file"}\n'])
    def test_nonsense(self, line: bytes) -> None:
        with pytest.raises(NoAnswer, match="not as expected"):
            Listing().feed(line)

    def test_a_line_without_an_end(self) -> None:
        with pytest.raises(NoAnswer, match="has no end"):
            Listing().feed(b"x" * 2_000_000)


def test_what_does_not_fit_is_left_out() -> None:
    nodes = [Node("/a", 50), Node("/b", 60), Node("/c", 40)]
    assert fitting(nodes, 100) == [nodes[0], nodes[2]]
    with pytest.raises(NoAnswer, match="fits"):
        fitting(nodes, 10)


def test_a_pattern_means_one_path_only() -> None:
    assert _literal("/a/[b]*?\\c") == "/a/\\[b]\\*\\?\\\\c"


class TestRestoredDigest:
    def test_type_and_size_must_be_those_of_the_snapshot(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"1234")
        (tmp_path / "link").symlink_to("f")
        assert restored_digest(str(tmp_path), Node("/f", 4)).startswith("03ac674216f3e15c")
        for node in (Node("/f", 5), Node("/link", 4), Node("/nope", 4)):
            with pytest.raises(NoAnswer):
                restored_digest(str(tmp_path), node)

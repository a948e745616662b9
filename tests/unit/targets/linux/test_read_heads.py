import os
from pathlib import Path

import pytest

from reconciler.model.answer import Answer
from reconciler.model.probe import ReadHeads
from reconciler.targets.linux.target import LinuxTarget


def ask(root: Path, probe: ReadHeads) -> Answer:
    return LinuxTarget(root=str(root)).ask([probe], 5)[probe]


def test_heads_are_hexadecimal_in_order_of_their_paths(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var/b.journal").write_bytes(b"LPKSHHRH" + b"\xff" * 5000)
    (tmp_path / "var/a.journal").write_bytes(b"\x00\x01")
    (tmp_path / "var/c.text").write_bytes(b"another")

    answer = ask(tmp_path, ReadHeads("/var/*.journal", length=10))

    assert answer.status == "ok"
    assert answer.data == [
        {"path": "/var/a.journal", "status": "ok", "hex": "0001"},
        {"path": "/var/b.journal", "status": "ok", "hex": b"LPKSHHRH\xff\xff".hex()},
    ]


def test_a_directory_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "a.journal").mkdir()
    os.mkfifo(tmp_path / "b.journal")

    assert ask(tmp_path, ReadHeads("/*.journal", length=10)).data == []


def test_a_link_out_of_an_image_stays_inside_it(tmp_path: Path) -> None:
    root = tmp_path / "image"
    root.mkdir()
    (tmp_path / "secret").write_text("outside")
    (root / "a.journal").symlink_to(tmp_path / "secret")

    assert ask(root, ReadHeads("/*.journal", length=10)).data == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.journal").write_bytes(b"x")
    (tmp_path / "a.journal").chmod(0)

    answer = ask(tmp_path, ReadHeads("/*.journal", length=10))

    assert answer.data == [{"path": "/a.journal", "status": "denied", "hex": ""}]


def test_more_files_than_allowed_is_an_error(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.journal").touch()

    assert ask(tmp_path, ReadHeads("/*.journal", length=10, max_files=3)).status == "error"

import os
import socket
from pathlib import Path
from tempfile import gettempdir

import pytest

from reconciler.model.answer import Answer
from reconciler.model.probe import ReadFile, ReadGlob, ReadHeads, ReadLink, StatPaths
from tests.support.asking import as_nobody, ask


@pytest.fixture
def open_dir(tmp_path: Path) -> Path:
    """A directory that everybody may enter."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent == Path(gettempdir()):
            break
        parent.chmod(0o755)
    return tmp_path


class TestReadFile:
    def test_text(self, tmp_path: Path) -> None:
        path = tmp_path / "f"
        path.write_bytes("Praxis Müller\n".encode() + b"\xff")
        assert ask(ReadFile(str(path))) == Answer("ok", "Praxis Müller\n\udcff")

    def test_bytes(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"\0\xff")
        assert ask(ReadFile(str(tmp_path / "f"), binary=True)) == Answer("ok", b"\0\xff")

    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "f").touch()
        assert ask(ReadFile(str(tmp_path / "f"))) == Answer("ok", "")

    def test_links_are_followed(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_text("content")
        (tmp_path / "link").symlink_to("f")
        assert ask(ReadFile(str(tmp_path / "link"))).data == "content"

    @pytest.mark.parametrize("size", [9, 10, 11, 5000])
    def test_more_than_the_limit_is_an_error_not_a_cut(self, tmp_path: Path, size: int) -> None:
        (tmp_path / "f").write_bytes(b"x" * size)
        answer = ask(ReadFile(str(tmp_path / "f"), limit=10))
        if size <= 10:
            assert answer == Answer("ok", "x" * size)
        else:
            assert answer == Answer("error", reason="larger than 10 bytes")

    def test_a_file_of_proc_that_says_it_is_empty_is_read(self) -> None:
        assert ask(ReadFile("/proc/self/mountinfo")).data.count("\n") > 1

    def test_a_file_of_proc_keeps_the_limit(self) -> None:
        answer = ask(ReadFile("/proc/self/mountinfo", limit=20))
        assert answer == Answer("error", reason="larger than 20 bytes")

    def test_absent(self, tmp_path: Path) -> None:
        (tmp_path / "f").touch()
        for path in ("nope", "f/below"):
            answer = ask(ReadFile(str(tmp_path / path)))
            assert answer == Answer("absent", reason="no such file")

    def test_a_fifo_cannot_hang_it(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        answer = ask(ReadFile(str(tmp_path / "fifo")))
        assert answer == Answer("error", reason="not a regular file but a FIFO")

    def test_what_is_no_file_is_said(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(tmp_path / "socket"))
            reasons = [
                ask(ReadFile(p)).reason for p in (str(tmp_path / "socket"), "/dev/null", "/")
            ]
        assert [reason.rpartition(" ")[2] for reason in reasons] == [
            "socket",
            "device",
            "directory",
        ]

    def test_denied_names_the_way_out(self, open_dir: Path) -> None:
        (open_dir / "f").write_text("secret")
        (open_dir / "f").chmod(0)
        with as_nobody():
            answer = ask(ReadFile(str(open_dir / "f")))
        assert answer == Answer("denied", reason="permission denied; needs root")

    @pytest.mark.parametrize("path", ["relative", "", "/nul\0"])
    def test_only_absolute_paths(self, path: str) -> None:
        assert ask(ReadFile(path)) == Answer("error", reason="not an absolute path")

    def test_a_link_to_itself_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "loop").symlink_to("loop")
        assert ask(ReadFile(str(tmp_path / "loop"))).status == "error"


class TestReadGlob:
    def test_regular_files_sorted(self, tmp_path: Path) -> None:
        for name in ("b.conf", "a.conf", ".hidden.conf", "c.txt"):
            (tmp_path / name).write_text(name)
        (tmp_path / "dir.conf").mkdir()
        os.mkfifo(tmp_path / "fifo.conf")
        (tmp_path / "dangling.conf").symlink_to("nowhere")
        (tmp_path / "link.conf").symlink_to("c.txt")
        assert ask(ReadGlob(f"{tmp_path}/*.conf")).data == [
            {"path": f"{tmp_path}/a.conf", "status": "ok", "text": "a.conf"},
            {"path": f"{tmp_path}/b.conf", "status": "ok", "text": "b.conf"},
            {"path": f"{tmp_path}/link.conf", "status": "ok", "text": "c.txt"},
        ]

    def test_nothing_matches(self, tmp_path: Path) -> None:
        assert ask(ReadGlob(f"{tmp_path}/none/*.conf")) == Answer("ok", [])

    def test_a_file_that_may_not_be_read_says_so_by_itself(self, open_dir: Path) -> None:
        (open_dir / "a").write_text("open")
        (open_dir / "b").write_text("closed")
        (open_dir / "b").chmod(0)
        (open_dir / "c").write_text("x" * 20)
        with as_nobody():
            answer = ask(ReadGlob(f"{open_dir}/*", limit=10))
        assert [item["status"] for item in answer.data] == ["ok", "denied", "error"]
        assert [item["text"] for item in answer.data] == ["open", "", ""]

    def test_a_directory_that_may_not_be_listed_is_not_empty(self, open_dir: Path) -> None:
        (open_dir / "closed").mkdir(mode=0o700)
        with as_nobody():
            answer = ask(ReadGlob(f"{open_dir}/*/key"))
            listed = ask(ReadGlob(f"{open_dir}/closed/*"))
        # A literal name below it is a file that cannot be looked at.
        assert [item["status"] for item in answer.data] == ["denied"]
        assert listed.status == "denied"
        assert listed.reason == f"permission denied; needs root: {open_dir}/closed"

    def test_too_many_is_an_error(self, tmp_path: Path) -> None:
        for number in range(4):
            (tmp_path / str(number)).touch()
        answer = ask(ReadGlob(f"{tmp_path}/*", max_files=3))
        assert answer == Answer("error", reason="more than 3 paths match")


class TestReadHeads:
    def test_first_bytes_in_hexadecimal(self, tmp_path: Path) -> None:
        (tmp_path / "a.journal").write_bytes(b"LPKSHHRH" + b"\0" * 100)
        (tmp_path / "b.journal").write_bytes(b"LP")
        data = ask(ReadHeads(f"{tmp_path}/*.journal", length=4)).data
        assert [item["hex"] for item in data] == ["4c504b53", "4c50"]


class TestReadLink:
    def test_the_target_as_written(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("../up")
        assert ask(ReadLink(str(tmp_path / "link"))) == Answer("ok", "../up")

    def test_no_link_there(self, tmp_path: Path) -> None:
        (tmp_path / "f").touch()
        assert ask(ReadLink(str(tmp_path / "f"))) == Answer("absent", reason="not a symbolic link")
        assert ask(ReadLink(str(tmp_path / "nope"))) == Answer("absent", reason="no such file")


class TestStatPaths:
    def test_facts_of_each_kind(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"1234")
        (tmp_path / "f").chmod(0o4640)
        os.utime(tmp_path / "f", ns=(0, 1_999_999_999))
        (tmp_path / "link").symlink_to("f")
        (tmp_path / "sub").mkdir()
        os.mkfifo(tmp_path / "z")
        data = ask(StatPaths((f"{tmp_path}/*", f"{tmp_path}/f", f"{tmp_path}/nope"))).data
        assert [item["type"] for item in data] == ["file", "link", "dir", "other"]
        assert data[0] == {
            "path": f"{tmp_path}/f",
            "type": "file",
            "mode": 0o4640,
            "uid": os.geteuid(),
            "gid": os.getegid(),
            "size": 4,
            "mtime": 1,
        }

    def test_what_may_not_be_looked_at_is_not_left_out(self, open_dir: Path) -> None:
        (open_dir / "closed").mkdir(mode=0o700)
        with as_nobody():
            answer = ask(StatPaths((f"{open_dir}/closed/key",)))
        assert answer.status == "denied"
        assert answer.reason == f"permission denied; needs root: {open_dir}/closed/key"

    def test_too_many_is_an_error(self, tmp_path: Path) -> None:
        for number in range(4):
            (tmp_path / str(number)).touch()
        patterns = (f"{tmp_path}/[01]", f"{tmp_path}/[23]")
        assert ask(StatPaths(patterns, max_paths=3)).status == "error"
        assert len(ask(StatPaths(patterns, max_paths=4)).data) == 4

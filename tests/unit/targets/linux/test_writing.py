import os
import stat
from pathlib import Path

import pytest

from reconciler.model.operation import SetAccess, WriteFile, WriteSysctl
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.writing import set_access, write_file, write_sysctl
from tests.support.asking import as_nobody, session

ME = {"uid": os.geteuid(), "gid": os.getegid()}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")


def write(path: Path | str, content: bytes | None, **other: int) -> None:
    write_file(WriteFile(str(path), content, **(ME | other)), session())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestWriteFile:
    def test_new_file_with_exact_mode_whatever_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0o077)
        try:
            write(tmp_path / "f", b"content", mode=0o664)
        finally:
            os.umask(before)
        assert (tmp_path / "f").read_bytes() == b"content"
        assert mode(tmp_path / "f") == 0o664
        assert [entry.name for entry in tmp_path.iterdir()] == ["f"]

    def test_replacing_keeps_open_readers_on_the_old_file(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"old")
        with (tmp_path / "f").open("rb") as reader:
            write(tmp_path / "f", b"new", mode=0o600)
            assert reader.read() == b"old"
        assert ((tmp_path / "f").read_bytes(), mode(tmp_path / "f")) == (b"new", 0o600)

    def test_empty_and_large_content(self, tmp_path: Path) -> None:
        write(tmp_path / "f", b"")
        assert (tmp_path / "f").read_bytes() == b""
        write(tmp_path / "f", b"x" * 3_000_000)
        assert (tmp_path / "f").stat().st_size == 3_000_000

    def test_removing(self, tmp_path: Path) -> None:
        (tmp_path / "f").touch()
        write(tmp_path / "f", None)
        assert not (tmp_path / "f").exists()
        write(tmp_path / "f", None)

    @pytest.mark.parametrize("content", [b"new", None])
    def test_a_link_is_refused_and_left_alone(self, tmp_path: Path, content: bytes | None) -> None:
        (tmp_path / "victim").write_bytes(b"precious")
        (tmp_path / "f").symlink_to("victim")
        with pytest.raises(NoAnswer, match="is a symbolic link; not followed"):
            write(tmp_path / "f", content)
        assert (tmp_path / "victim").read_bytes() == b"precious"
        assert (tmp_path / "f").is_symlink()

    @needs_root
    def test_a_directory_that_a_user_swapped_for_a_link_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "target").mkdir()
        (tmp_path / "home").symlink_to("target")
        os.chown(tmp_path / "home", 1000, 1000, follow_symlinks=False)
        with pytest.raises(NoAnswer, match="symbolic link of another user"):
            write(tmp_path / "home/f", b"x")
        assert list((tmp_path / "target").iterdir()) == []

    def test_a_link_of_our_own_on_the_way_is_fine(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "way").symlink_to(tmp_path / "real")
        write(tmp_path / "way/f", b"x")
        assert (tmp_path / "real/f").read_bytes() == b"x"

    def test_other_things_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "dir").mkdir()
        os.mkfifo(tmp_path / "fifo")
        for name in ("dir", "fifo"):
            with pytest.raises(NoAnswer, match="is not a regular file"):
                write(tmp_path / name, b"x")

    def test_parents_only_when_asked(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            write(tmp_path / "a/b/f", b"x")
        before = os.umask(0o077)
        try:
            write(tmp_path / "a/b/f", b"x", parents=True)
        finally:
            os.umask(before)
        assert [mode(tmp_path / "a"), mode(tmp_path / "a/b")] == [0o755, 0o755]

    @pytest.mark.parametrize(
        "path", ["f", "/a/../etc/x", "/a/./x", "/a//x", "/a/", "/", "", "/a\0"]
    )
    def test_paths_that_are_none(self, path: str) -> None:
        with pytest.raises(NoAnswer):
            write(path, b"x", parents=True)

    def test_nothing_is_left_when_it_fails(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"old")
        tmp_path.chmod(0o777)
        for parent in tmp_path.parents[:2]:
            parent.chmod(0o755)
        with as_nobody(), pytest.raises(PermissionError):
            write(tmp_path / "f", b"new", uid=0, gid=0)
        assert [entry.name for entry in tmp_path.iterdir()] == ["f"]
        assert (tmp_path / "f").read_bytes() == b"old"

    def test_a_long_name_has_room_for_the_file_beside_it(self, tmp_path: Path) -> None:
        write(tmp_path / ("n" * 255), b"x")
        assert (tmp_path / ("n" * 255)).read_bytes() == b"x"


class TestSetAccess:
    def set(self, path: Path, mode: int, **other: int) -> None:
        set_access(SetAccess(str(path), mode, **(ME | other)), session())

    def test_mode_and_owner(self, tmp_path: Path) -> None:
        (tmp_path / "f").touch()
        self.set(tmp_path / "f", 0o640)
        assert mode(tmp_path / "f") == 0o640

    @needs_root
    def test_giving_away(self, tmp_path: Path) -> None:
        (tmp_path / "f").touch()
        self.set(tmp_path / "f", 0o400, uid=12, gid=34)
        facts = (tmp_path / "f").stat()
        assert (facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)) == (12, 34, 0o400)

    def test_links_and_second_names_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "victim").touch(mode=0o600)
        (tmp_path / "link").symlink_to("victim")
        (tmp_path / "name").hardlink_to(tmp_path / "victim")
        with pytest.raises(NoAnswer, match="symbolic link"):
            self.set(tmp_path / "link", 0o777)
        with pytest.raises(NoAnswer, match="2 names"):
            self.set(tmp_path / "name", 0o777)
        assert mode(tmp_path / "victim") == 0o600

    def test_only_regular_files_that_exist(self, tmp_path: Path) -> None:
        with pytest.raises(NoAnswer, match="not a regular file"):
            self.set(tmp_path, 0o777)
        with pytest.raises(FileNotFoundError):
            self.set(tmp_path / "nope", 0o777)


class TestWriteSysctl:
    @pytest.mark.parametrize(
        "name",
        ["", "kernel", "../etc/passwd", "net/ipv4/x", "net..x", "net.ipv4.", "a.b\n", "/a.b"],
    )
    def test_names(self, name: str) -> None:
        with pytest.raises(NoAnswer, match="not the name of a kernel parameter"):
            write_sysctl(WriteSysctl(name, "1"), session())

    @pytest.mark.parametrize("value", ["", "1\n0", "\0", "é", "x" * 300, " 1"])
    def test_values(self, value: str) -> None:
        with pytest.raises(NoAnswer, match="one line of printable ASCII"):
            write_sysctl(WriteSysctl("kernel.kptr_restrict", value), session())

    def test_a_parameter_that_does_not_exist(self) -> None:
        with pytest.raises(FileNotFoundError):
            write_sysctl(WriteSysctl("kernel.no_such_parameter", "1"), session())

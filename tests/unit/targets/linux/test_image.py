"""A directory tree judged as a machine: nothing in it can lead out of it."""

import os
from pathlib import Path

import pytest

from reconciler.errors import InputError
from reconciler.model.probe import (
    ClockState,
    Command,
    Internal,
    ReadFile,
    ReadGlob,
    ReadHeads,
    ReadLink,
    StatFilesystem,
    StatPaths,
    UnitStatus,
)
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.target import LinuxTarget
from reconciler.targets.linux.walk import Walk
from tests.support.asking import ask

SECRET = "the host's own secret"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """``image`` beside a secret of the host."""
    (tmp_path / "secret").write_text(SECRET)
    root = tmp_path / "image"
    (root / "etc/ssh").mkdir(parents=True)
    (root / "etc/hostname").write_text("image\n")
    return root


def text(image: Path, path: str) -> str | None:
    return ask(ReadFile(path), root=str(image)).data


class TestInside:
    def test_plain_files(self, image: Path) -> None:
        assert text(image, "/etc/hostname") == "image\n"
        assert text(image, "/etc/./ssh/../hostname") == "image\n"

    def test_absolute_links_start_at_the_root_of_the_image(self, image: Path) -> None:
        (image / "etc/name").symlink_to("/etc/hostname")
        (image / "conf").symlink_to("/etc")
        assert text(image, "/etc/name") == "image\n"
        assert text(image, "/conf/hostname") == "image\n"
        assert text(image, "/conf/ssh/../name") == "image\n"

    def test_dots_stop_at_the_root_of_the_image(self, image: Path) -> None:
        (image / "etc/up").symlink_to("../../../../../../../etc/hostname")
        assert text(image, "/etc/up") == "image\n"
        assert text(image, "/../../etc/hostname") == "image\n"

    def test_globs_and_heads_and_facts(self, image: Path) -> None:
        (image / "conf").symlink_to("/etc")
        root = str(image)
        found = ask(ReadGlob("/conf/host*"), root=root).data
        assert found == [{"path": "/conf/hostname", "status": "ok", "text": "image\n"}]
        assert ask(ReadHeads("/etc/host*", 2), root=root).data[0]["hex"] == "696d"
        assert [item["type"] for item in ask(StatPaths(("/*",)), root=root).data] == ["link", "dir"]
        assert ask(ReadLink("/conf"), root=root).data == "/etc"
        assert ask(ReadLink("/etc"), root=root).status == "absent"


class TestEscapes:
    @pytest.mark.parametrize(
        "target",
        ["{host}/secret", "../../secret", "/../../secret", "../../../../../../..{host}/secret"],
    )
    def test_no_link_leads_out(self, image: Path, target: str) -> None:
        (image / "etc/out").symlink_to(target.format(host=image.parent))
        (image / "way").symlink_to(target.format(host=image.parent).removesuffix("/secret"))
        root = str(image)
        assert ask(ReadFile("/etc/out"), root=root).status == "absent"
        assert ask(ReadFile("/way/secret"), root=root).status in {"absent", "error"}
        assert SECRET not in str(ask(ReadGlob("/way/*"), root=root))
        assert ask(ReadHeads("/etc/out", 4), root=root).data == []

    def test_a_loop_ends(self, image: Path) -> None:
        (image / "a").symlink_to("b")
        (image / "b").symlink_to("a")
        answer = ask(ReadFile("/a"), root=str(image))
        assert (answer.status, answer.reason) == ("error", "too many levels of symbolic links")

    def test_fifos_and_files_used_as_directories(self, image: Path) -> None:
        os.mkfifo(image / "fifo")
        assert ask(ReadFile("/fifo"), root=str(image)).reason == "not a regular file but a FIFO"
        assert ask(ReadFile("/etc/hostname/x"), root=str(image)).status == "absent"

    def test_a_root_that_vanished_is_no_absence(self, image: Path) -> None:
        assert ask(ReadFile("/etc/hostname"), root=f"{image}/gone").status == "error"

    def test_no_descriptor_is_left_open(self, image: Path) -> None:
        (image / "etc/up").symlink_to("../../etc/hostname")
        before = len(list(Path("/proc/self/fd").iterdir()))
        for path in ("/etc/up", "/etc/nope", "/nope/x", "/etc"):
            ask(ReadFile(path), root=str(image))
        assert len(list(Path("/proc/self/fd").iterdir())) == before


class TestWhatATreeCannotAnswer:
    @pytest.mark.parametrize(
        "probe",
        [
            UnitStatus(("ssh.service",)),
            ClockState(),
            StatFilesystem("/"),
            Command(("sshd", "-T")),
            ReadFile("/proc/sys/kernel/kptr_restrict"),
            ReadGlob("/run/*"),
            StatPaths(("/dev/sda",)),
        ],
    )
    def test_it_is_unsupported_never_absent(self, image: Path, probe: ReadFile) -> None:
        answer = ask(probe, root=str(image))
        assert answer.status == "unsupported"
        assert answer.reason == "a directory tree has no running system"

    def test_the_engine_still_answers(self, image: Path) -> None:
        assert ask(Internal("now"), root=str(image)).status == "ok"

    def test_nothing_is_carried_out(self, image: Path) -> None:
        from reconciler.model.operation import WriteFile

        result = LinuxTarget(root=str(image)).carry_out(WriteFile("/etc/hostname", b""))
        assert (result.ok, result.reason) == (False, "a directory tree is only looked at")

    def test_the_root_must_be_there(self, image: Path) -> None:
        with pytest.raises(InputError, match="no such directory"):
            LinuxTarget(root=f"{image}/nope")


class TestTrustedLinks:
    @pytest.mark.skipif(os.geteuid() != 0, reason="gives a link to another user")
    def test_a_link_of_another_user_is_not_followed(self, image: Path) -> None:
        (image / "trap").symlink_to("/etc")
        os.chown(image / "trap", 12_345, 12_345, follow_symlinks=False)
        walk = Walk(str(image), only_trusted_links=True)
        with pytest.raises(NoAnswer, match="another user"):
            walk.to("/trap/hostname")
        walk.close()
        walk = Walk(str(image))
        assert os.fstat(walk.to("/trap/hostname")).st_size == 6
        walk.close()

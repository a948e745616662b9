"""Files of a work tree: links are not followed, and nothing is passed over in silence."""

from pathlib import Path

import pytest

from reconciler.desired.gate import worktree
from reconciler.desired.gate.worktree import every_file, named_files
from reconciler.errors import InputError, MachineError


def test_every_regular_file_counts_outside_of_a_repository_too(tmp_path: Path) -> None:
    (tmp_path / "hosts" / "b").mkdir(parents=True)
    (tmp_path / "hosts" / "b" / "c.txt").write_text("x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("secret")
    (tmp_path / "link").symlink_to("hosts/b/c.txt")
    (tmp_path / "folder").symlink_to("hosts")
    assert every_file(tmp_path) == {"hosts/b/c.txt": b"x"}


def test_folders_that_are_no_part_of_a_fleet_are_left_to_the_comparison(tmp_path: Path) -> None:
    for name in ("flake.nix", "tests/keys.txt", "nix/tests/host.nix", ".github/workflows/gate.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert sorted(every_file(tmp_path)) == [
        ".github/workflows/gate.yml",
        "flake.nix",
        "nix/tests/host.nix",
    ]


def test_large_files_are_cut_off_so_that_they_are_said_to_be_large(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (worktree.MAX_FILE + 10))
    assert len(every_file(tmp_path)["large"]) == worktree.MAX_FILE + 1


def test_there_is_an_end_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"12345")
    monkeypatch.setattr(worktree, "MAX_FILES", 2)
    with pytest.raises(InputError, match="more than 2 files"):
        every_file(tmp_path)
    monkeypatch.setattr(worktree, "MAX_FILES", 20)
    monkeypatch.setattr(worktree, "MAX_TOTAL", 12)
    with pytest.raises(InputError, match="MiB"):
        every_file(tmp_path)


def test_a_named_file_may_be_absent_but_no_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    assert named_files(tmp_path, ["real", "absent"]) == {"real": b"x"}
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(MachineError, match="cannot be read"):
        named_files(tmp_path, ["link"])


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="cannot be read"):
        every_file(tmp_path / "absent")

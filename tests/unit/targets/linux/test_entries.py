from pathlib import Path

import pytest

from reconciler.model.answer import Answer
from reconciler.model.nixos_probe import Entries, RealPath
from tests.support.asking import as_nobody, ask


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "dir/below/deep").mkdir(parents=True)
    (tmp_path / "dir/below/deep/file").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("/nix/store/x/file")
    (tmp_path / "linked").symlink_to("dir")
    return tmp_path


def listed(directory: Path, depth: int) -> dict[str, str]:
    found = ask(Entries((str(directory),), depth=depth)).data
    return {path.removeprefix(f"{directory}/"): kind for path, kind in found.items()}


def test_each_entry_says_what_it_is_and_a_link_where_it_points(etc: Path) -> None:
    assert listed(etc, 1) == {
        "dir": "dir",
        "file": "file",
        "link": "-> /nix/store/x/file",
        "linked": "-> dir",
    }


def test_directories_are_looked_into_as_deep_as_asked_and_links_never(etc: Path) -> None:
    assert set(listed(etc, 2)) == {"dir", "dir/below", "file", "link", "linked"}
    assert "dir/below/deep/file" in listed(etc, 4)
    assert not any(path.startswith("linked/") for path in listed(etc, 9))


def test_what_is_not_there_or_is_a_link_has_no_entries(etc: Path) -> None:
    assert listed(etc / "nope", 3) == {}
    assert listed(etc / "linked", 3) == {}
    assert listed(etc / "file", 3) == {}


def test_more_than_the_bound_is_an_error_not_a_cut(etc: Path) -> None:
    answer = ask(Entries((str(etc),), depth=1, most=3))
    assert answer == Answer("error", reason="more than 3 entries")


def test_what_may_not_be_listed_is_no_empty_directory(etc: Path) -> None:
    for parent in (etc, *etc.parents):
        if parent == Path("/tmp"):
            break
        parent.chmod(0o755)
    (etc / "dir").chmod(0o700)
    with as_nobody():
        answer = ask(Entries((str(etc),), depth=2))
    assert answer.status == "denied"
    assert str(etc / "dir") in answer.reason


def test_a_path_leads_to_where_its_links_end(etc: Path) -> None:
    assert ask(RealPath(str(etc / "linked/below"))).data == str((etc / "dir/below").resolve())
    assert ask(RealPath(str(etc / "link"))).status == "absent"
    (etc / "round").symlink_to("round")
    assert ask(RealPath(str(etc / "round"))).status == "error"

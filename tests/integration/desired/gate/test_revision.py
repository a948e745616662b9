"""Revisions are resolved strictly, and the whole tree is compared."""

from pathlib import Path

import pytest

from reconciler.desired.gate.revision import Revisions
from reconciler.errors import InputError
from tests.support.fleet_git import FleetRepo

pytestmark = pytest.mark.integration


@pytest.fixture
def repo(tmp_path: Path) -> FleetRepo:
    repo = FleetRepo(tmp_path)
    repo.commit(None, {"README": "one\n", "hosts/c/h.yaml": "id: h\n"})
    repo.commit(None, {"README": "two\n", "nix/a/b.nix": "{}\n"})
    repo.git("tag", "v1", "HEAD")
    repo.git("tag", "-a", "-m", "x", "v2", "HEAD~1")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD~1")
    return repo


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("main", "HEAD"),
        ("HEAD", "HEAD"),
        ("refs/heads/main", "HEAD"),
        ("v1", "HEAD"),
        ("v2", "HEAD~1"),
        ("HEAD~1", "HEAD~1"),
        ("main^", "HEAD~1"),
        ("origin/main", "HEAD~1"),
    ],
)
def test_names_mean_what_git_takes_them_for(repo: FleetRepo, name: str, same: str) -> None:
    found = Revisions(repo.work).resolve(name)
    assert found.commit == repo.git("rev-parse", same).strip()
    assert found.tree == repo.git("rev-parse", f"{same}^{{tree}}").strip()
    assert found.name == name


def test_commit_ids_whole_and_short(repo: FleetRepo) -> None:
    revisions = Revisions(repo.work)
    assert revisions.resolve(repo.head()).commit == repo.head()
    assert revisions.resolve(repo.head()[:9]).commit == repo.head()


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "HEAD@{1}",
        ":/two",
        "main^{tree}",
        "main..HEAD",
        "-v",
        "HEAD~9",
        "../x",
        "",
        "a b",
        "main\n",
        "0" * 40,
        "deadbeef",
        "refs/heads/nothing",
    ],
)
def test_what_is_no_name_of_one_commit_is_refused(repo: FleetRepo, name: str) -> None:
    with pytest.raises(InputError) as refused:
        Revisions(repo.work).resolve(name)
    assert refused.value.hint


def test_the_id_of_a_tree_or_a_file_is_no_revision(repo: FleetRepo) -> None:
    for what in ("HEAD^{tree}", "HEAD:README"):
        oid = repo.git("rev-parse", what).strip()
        for name in (oid, oid[:8]):
            with pytest.raises(InputError):
                Revisions(repo.work).resolve(name)


def test_a_branch_and_a_tag_of_one_name_are_ambiguous(repo: FleetRepo) -> None:
    repo.git("tag", "main", "HEAD~1")
    with pytest.raises(InputError, match="names 2 different commits"):
        Revisions(repo.work).resolve("main")
    assert Revisions(repo.work).resolve("refs/heads/main").commit == repo.head()


def test_a_branch_that_looks_like_another_commit_is_ambiguous(repo: FleetRepo) -> None:
    short = repo.git("rev-parse", "HEAD~1").strip()[:8]
    repo.git("branch", short, "HEAD")
    with pytest.raises(InputError, match="names 2 different commits"):
        Revisions(repo.work).resolve(short)


def test_every_path_of_the_tree_counts(repo: FleetRepo) -> None:
    revisions = Revisions(repo.work)
    one, two = revisions.resolve("HEAD~1"), revisions.resolve("HEAD")
    assert sorted(revisions.differing(one, two)) == ["README", "nix/a/b.nix"]
    assert revisions.differing(two, two) == {}


def test_history_is_asked_for(repo: FleetRepo) -> None:
    revisions = Revisions(repo.work)
    old, new = revisions.resolve("HEAD~1").commit, revisions.resolve("HEAD").commit
    assert revisions.descends(new, old)
    assert not revisions.descends(old, new)


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Git repository"):
        Revisions(tmp_path)

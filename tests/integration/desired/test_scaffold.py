"""A scaffolded fleet repository is one that stock git, and an appliance, accept."""

import pytest

from reconciler.desired.scaffold import commit_signed, init_fleet
from reconciler.desired.source import FleetSource
from reconciler.errors import InputError, MachineError
from tests.support.commands import MINIMAL_ENV, host
from tests.support.evidence_keys import test_key
from tests.support.fleet_git import SIGNERS, FleetRepo, allowed, at, signers_text

pytestmark = pytest.mark.integration

AUTHOR = {"name": "Alice", "email": "alice@msp.example"}


@pytest.fixture
def key_file(tmp_path):
    return FleetRepo(tmp_path / "keys only").key_file("alice")


@pytest.fixture
def fleet(tmp_path, key_file):
    work = tmp_path / "fleet"
    for path, content in {
        SIGNERS: signers_text("alice"),
        "hosts/example-clinic/client.yaml": "id: example-clinic\n",
        ".gitignore": "*.tmp\n",
        "notes.tmp": "ignored\n",
    }.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text(content)
    init_fleet(work, key_file=key_file, **AUTHOR)
    return work


def git(work, *arguments):
    env = {**MINIMAL_ENV, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    return host("git", "-C", str(work), *arguments, env=env)


def commit(work, message="First state"):
    return commit_signed(work, message, key=test_key("alice"), at=at(1), **AUTHOR)


def test_stock_git_verifies_the_first_commit_and_sees_a_clean_work_tree(fleet):
    first = commit(fleet)
    git(fleet, "verify-commit", first)
    git(fleet / "hosts", "verify-commit", first)
    assert git(fleet, "log", "--format=%G? %GS %an <%ae> %s") == (
        "G alice@msp.example Alice <alice@msp.example> First state\n"
    )
    assert git(fleet, "status", "--porcelain") == ""
    assert git(fleet, "ls-files").split() == [
        ".gitignore",
        "hosts/example-clinic/client.yaml",
        SIGNERS,
    ]
    assert git(fleet, "branch", "--show-current") == "main\n"
    git(fleet, "fsck", "--strict")


def test_next_plain_commit_of_an_engineer_is_signed_and_followed_by_an_appliance(fleet, tmp_path):
    first = commit(fleet)
    mirrored = FleetSource(tmp_path / "state/fleet.git", str(fleet), "main")
    pinned, now = allowed("alice"), at(60 * 24 * 365 * 50)
    accepted = mirrored.verify_new(accepted=None, head=mirrored.fetch(), pinned=pinned, now=now)
    assert accepted.commit == first

    (fleet / "hosts/new.yaml").write_text("id: new\n")
    git(fleet, "add", "-A")
    git(fleet, "commit", "-q", "-m", "Add a host")
    assert git(fleet, "log", "-1", "--format=%G? %GS") == "G alice@msp.example\n"

    head = mirrored.fetch()
    assert mirrored.verify_new(accepted=first, head=head, pinned=pinned, now=now).commit == head
    assert mirrored.read_files(head)["hosts/new.yaml"] == b"id: new\n"


def test_second_scaffolded_commit_follows_the_first(fleet):
    first = commit(fleet)
    (fleet / "hosts/new.yaml").write_text("id: new\n")
    (fleet / "hosts/example-clinic/client.yaml").unlink()
    second = commit(fleet, "Second state")
    assert git(fleet, "rev-parse", "HEAD^", "HEAD").split() == [first, second]
    assert git(fleet, "status", "--porcelain") == ""
    assert "client.yaml" not in git(fleet, "ls-files")


def test_existing_repository_is_left_alone(fleet, key_file):
    with pytest.raises(InputError, match="already"):
        init_fleet(fleet, key_file=key_file, **AUTHOR)


def test_author_that_would_break_the_commit(fleet):
    author = {"name": "A <b>\ngpgsig x", "email": "a@msp.example"}
    with pytest.raises(InputError, match="author"):
        commit_signed(fleet, "m", key=test_key("alice"), at=at(1), **author)


def test_directory_that_is_no_repository(tmp_path):
    with pytest.raises(MachineError):
        commit(tmp_path)

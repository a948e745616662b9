"""Pushes to the fleet repository that take history back, sideways, or out of its time."""

from datetime import timedelta

import pygit2
import pytest

from reconciler.desired.limits import FetchLimits, ReadLimits
from reconciler.desired.source import FleetSource
from reconciler.errors import IntentRefused, MachineError
from tests.support.fleet_git import FleetRepo, allowed, at
from tests.support.git_servers import http_server


@pytest.fixture
def fleet(tmp_path):
    return FleetRepo(tmp_path)


def refusal(fleet, accepted, head, **options):
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(accepted, head, **options)
    return caught.value


def test_force_push_to_an_older_signed_commit(fleet):
    root, accepted = fleet.root(), fleet.commit("alice")
    error = refusal(fleet, accepted, root)
    assert (error.reason, error.commit) == ("rewound", root)
    assert accepted[:12] in error.message


def test_fork_from_an_older_commit(fleet):
    root, accepted = fleet.root(), fleet.commit("alice")
    fleet.reset(root)
    forked = fleet.commit("alice", {"hosts/other.yaml": "id: other\n"})
    error = refusal(fleet, accepted, forked)
    assert (error.reason, error.commit) == ("not-fast-forward", forked)


def test_unrelated_history_in_place_of_the_branch(fleet, tmp_path):
    accepted = fleet.root()
    fleet.git("checkout", "-q", "--orphan", "other")
    other = fleet.root()
    assert other != accepted
    assert refusal(fleet, accepted, other).reason == "not-fast-forward"


def test_accepted_commit_that_is_gone_everywhere(fleet):
    head = fleet.root()
    error = refusal(fleet, "1" * 40, head)
    assert error.reason == "not-fast-forward"
    assert "gone" in error.message


def test_merge_of_branches_from_before_the_accepted_commit_is_accepted(fleet):
    root = fleet.root()
    fleet.branch("side", root)
    side = fleet.commit("alice", {"hosts/side.yaml": "id: side\n"})
    fleet.checkout("main")
    accepted = fleet.commit("alice")
    tip = fleet.merge("alice", "side")
    assert {one.commit for one in fleet.verify(accepted, tip).commits} == {side, tip}


def test_octopus_merge_is_accepted(fleet):
    root = fleet.root()
    for name in ("one", "two"):
        fleet.branch(name, root)
        fleet.commit("alice", {f"hosts/{name}.yaml": "x: 1\n"})
    fleet.checkout("main")
    fleet.commit("alice")
    assert len(fleet.verify(root, fleet.merge("alice", "one", "two")).commits) == 4


def test_back_dated_commit(fleet):
    root = fleet.root()
    tip = fleet.commit("alice", minutes=-600)
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("time-went-back", tip)


def test_merge_dated_before_one_of_its_parents(fleet):
    root = fleet.root()
    fleet.branch("side", root)
    fleet.commit("alice", minutes=500)
    fleet.checkout("main")
    fleet.commit("alice", minutes=10)
    tip = fleet.merge("alice", "side", minutes=20)
    assert refusal(fleet, root, tip).reason == "time-went-back"


def test_commit_from_the_future(fleet):
    root, tip = fleet.root(), fleet.commit("alice", minutes=60)
    error = refusal(fleet, root, tip, now=at(54))
    assert (error.reason, error.commit) == ("from-the-future", tip)
    assert fleet.verify(root, tip, now=at(55)).commit == tip


def test_clock_that_jumped_back_a_year_refuses_and_says_so(fleet):
    root, tip = fleet.root(), fleet.commit("alice")
    error = refusal(fleet, root, tip, now=at(0) - timedelta(days=365))
    assert error.reason == "from-the-future"
    assert "clock" in error.hint


def test_more_new_commits_than_allowed(fleet):
    root = fleet.root()
    tip = [fleet.commit("alice") for _ in range(4)][-1]
    assert refusal(fleet, root, tip, limits=ReadLimits(commits=3)).reason == "too-many-commits"
    assert len(fleet.verify(root, tip, limits=ReadLimits(commits=4)).commits) == 4


def source(fleet, tmp_path, **limits):
    return FleetSource(tmp_path / "state/fleet.git", str(fleet.work), "main", FetchLimits(**limits))


def test_deleted_branch(fleet, tmp_path):
    root = fleet.root()
    mirrored = source(fleet, tmp_path)
    assert mirrored.fetch() == root
    fleet.git("checkout", "-q", "-b", "elsewhere")
    fleet.git("branch", "-q", "-D", "main")
    with pytest.raises(IntentRefused) as caught:
        mirrored.fetch()
    assert caught.value.reason == "missing-branch"
    assert "hosts/example-clinic/client.yaml" in mirrored.read_files(root)


def test_branch_that_points_to_a_file(fleet, tmp_path):
    root = fleet.root()
    blob = fleet.store("blob", b"no commit")
    (fleet.work / ".git/refs/heads/main").write_text(blob + "\n")
    mirrored = source(fleet, tmp_path)
    with pytest.raises(IntentRefused) as caught:
        mirrored.verify_new(
            accepted=root, head=mirrored.fetch(), pinned=allowed("alice"), now=at(60)
        )
    assert caught.value.reason == "malformed-commit"


def test_thousands_of_other_references_are_ignored(fleet, tmp_path):
    root = fleet.root()
    commands = "".join(f"create refs/heads/noise/{n} {root}\n" for n in range(3000))
    fleet.git("update-ref", "--stdin", input=commands.encode())
    mirrored = source(fleet, tmp_path)
    assert mirrored.fetch() == root
    repository = pygit2.Repository(str(tmp_path / "state/fleet.git"))
    assert list(repository.references) == ["refs/incoming/main"]


def test_rewound_server_leaves_the_accepted_state_readable(fleet, tmp_path):
    root, accepted = fleet.root(), fleet.commit("alice", {"hosts/new.yaml": "id: new\n"})
    mirrored = source(fleet, tmp_path)
    mirrored.verify_new(accepted=None, head=mirrored.fetch(), pinned=allowed("alice"), now=at(60))
    fleet.reset(root)
    head = mirrored.fetch()
    assert head == root
    with pytest.raises(IntentRefused, match="rewound"):
        mirrored.verify_new(accepted=accepted, head=head, pinned=allowed("alice"), now=at(60))
    assert mirrored.read_files(accepted)["hosts/new.yaml"] == b"id: new\n"


def test_graft_that_hides_an_unsigned_commit_from_the_walk(fleet):
    root = fleet.root()
    fleet.commit(None)
    tip = fleet.commit("alice")
    (fleet.work / ".git/info/grafts").write_text(f"{tip} {root}\n")
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("malformed-commit", tip)


@pytest.mark.parametrize("transport", ["path", "http"])
def test_server_with_a_shallow_history_enrols_nobody(fleet, tmp_path, transport):
    fleet.root()
    fleet.commit(None)
    fleet.commit("alice")
    shallow = tmp_path / "shallow"
    fleet.git("clone", "-q", "--bare", "--depth", "1", f"file://{fleet.work}", str(shallow))
    with http_server(tmp_path) as address:
        url = str(shallow) if transport == "path" else f"http://{address}/shallow"
        mirrored = FleetSource(tmp_path / "state/fleet.git", url, "main")
        with pytest.raises(MachineError):
            mirrored.verify_new(
                accepted=None, head=mirrored.fetch(), pinned=allowed("alice"), now=at(60)
            )

"""Fleet servers that hang, drip, flood or lie: a fetch ends in time, the state stays."""

import resource
import time

import pytest

from reconciler.desired.limits import MIB, FetchLimits
from reconciler.desired.source import FleetSource
from reconciler.errors import MachineError
from tests.support.fleet_git import FleetRepo, allowed, at
from tests.support.git_servers import http_server


@pytest.fixture
def fleet(tmp_path):
    repo = FleetRepo(tmp_path / "msp")
    repo.root()
    return repo


def source(tmp_path, url, **limits):
    return FleetSource(tmp_path / "state/fleet.git", url, "main", FetchLimits(**limits))


def enrolled(fleet, tmp_path, address, **limits):
    """A source that has accepted the root, and the root."""
    mirrored = source(tmp_path, str(fleet.work))
    head = mirrored.fetch()
    mirrored.verify_new(accepted=None, head=head, pinned=allowed("alice"), now=at(60))
    return source(tmp_path, f"http://{address}/fleet/.git", **limits), head


@pytest.mark.parametrize("how", ["hang", "drip", "stall"])
def test_server_that_never_finishes_is_left_in_time(fleet, tmp_path, how):
    with http_server(fleet.work.parent, "--misbehave", how) as address:
        mirrored, accepted = enrolled(fleet, tmp_path, address, timeout_s=1.0)
        tip = fleet.commit("alice", {"hosts/new.yaml": "id: new\n"})
        begin = time.monotonic()
        with pytest.raises(MachineError, match="took too long"):
            mirrored.fetch()
        assert time.monotonic() - begin < 5
    assert "hosts/new.yaml" not in mirrored.read_files(accepted)
    assert source(tmp_path, str(fleet.work)).fetch() == tip


def test_server_that_floods_references_costs_a_child_and_not_the_daemon(fleet, tmp_path):
    with http_server(fleet.work.parent, "--misbehave", "flood") as address:
        limits = {"timeout_s": 20.0, "memory_bytes": 48 * MIB}
        mirrored, accepted = enrolled(fleet, tmp_path, address, **limits)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(MachineError, match="more than is allowed"):
            mirrored.fetch()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024
    assert mirrored.read_files(accepted)


def test_error_text_of_a_server_goes_nowhere(fleet, tmp_path):
    with http_server(fleet.work.parent, "--misbehave", "banner") as address:
        mirrored, _ = enrolled(fleet, tmp_path, address)
        with pytest.raises(MachineError) as caught:
            mirrored.fetch()
    assert "the server reported an error of its own" in caught.value.message
    assert "Jane" not in caught.value.message


def test_server_that_advertises_what_it_does_not_have(fleet, tmp_path):
    with http_server(fleet.work.parent, "--misbehave", "wrong-commit") as address:
        mirrored, accepted = enrolled(fleet, tmp_path, address)
        with pytest.raises(MachineError):
            mirrored.fetch()
    assert mirrored.read_files(accepted)


def noise(count):
    """Bytes that do not compress: the hex digits of a counter run through a hash."""
    import hashlib

    return b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(count // 32))


@pytest.mark.parametrize("transport", ["path", "http"])
@pytest.mark.parametrize(
    ("limits", "words"),
    [({"max_bytes": 100_000}, "100000 bytes"), ({"objects": 20}, "objects")],
)
def test_pack_over_the_limit(fleet, tmp_path, transport, limits, words):
    files = {f"hosts/{n}.yaml": f"id: h{n}\n" for n in range(40)}
    fleet.commit("alice", {**files, "hosts/noise.bin": noise(400_000)})
    with http_server(fleet.work.parent) as address:
        url = str(fleet.work) if transport == "path" else f"http://{address}/fleet/.git"
        with pytest.raises(MachineError, match="more than is allowed") as caught:
            source(tmp_path, url, **limits).fetch()
        assert words in caught.value.message
        assert source(tmp_path, url).fetch() == fleet.head()


def test_more_references_than_a_fleet_ever_has(fleet, tmp_path):
    commands = "".join(f"create refs/heads/noise/{n} {fleet.head()}\n" for n in range(200))
    fleet.git("update-ref", "--stdin", input=commands.encode())
    with pytest.raises(MachineError, match="more than is allowed"):
        source(tmp_path, str(fleet.work), refs=100).fetch()


def test_mirror_that_a_server_fills_is_built_anew_without_the_waste(fleet, tmp_path):
    root = fleet.head()
    mirrored = source(tmp_path, str(fleet.work), mirror_bytes=300_000)
    accepted = mirrored.fetch()
    mirrored.verify_new(accepted=None, head=accepted, pinned=allowed("alice"), now=at(60))
    fleet.commit(None, {"hosts/noise.bin": noise(400_000)})
    wasteful = mirrored.fetch()
    fleet.reset(root)
    tip = fleet.commit("alice")
    assert mirrored.fetch() == tip
    with pytest.raises(MachineError):
        mirrored.tree_of(wasteful)
    assert mirrored.read_files(root)


def test_server_that_drops_the_accepted_commit_does_not_take_it_away(fleet, tmp_path):
    mirrored = source(tmp_path, str(fleet.work), mirror_bytes=1)
    accepted = fleet.commit("alice", {"hosts/new.yaml": "id: new\n"})
    head = mirrored.fetch()
    mirrored.verify_new(accepted=None, head=head, pinned=allowed("alice"), now=at(60))
    fleet.git("checkout", "-q", "--orphan", "other")
    fleet.root()
    fleet.git("branch", "-M", "other", "main")
    fleet.git("reflog", "expire", "--expire=now", "--all")
    fleet.git("gc", "-q", "--prune=now")
    with pytest.raises(MachineError, match="no longer has"):
        mirrored.fetch()
    assert mirrored.read_files(accepted)["hosts/new.yaml"] == b"id: new\n"

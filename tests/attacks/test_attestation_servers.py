"""Whoever may push can fill the attestations branch; it costs the attestations and nothing else."""

import time

import pytest

from reconciler.desired.attestations import AttestationLimits, Attestations
from reconciler.desired.limits import FetchLimits
from reconciler.desired.source import FleetSource
from reconciler.errors import MachineError
from tests.attacks.test_fleet_servers import noise
from tests.integration.desired.test_fetch_attestations import BEAT, SEALED, attest, beats
from tests.support.fleet_git import FleetRepo
from tests.support.git_servers import http_server

pytestmark = pytest.mark.integration


@pytest.fixture
def fleet(tmp_path):
    repo = FleetRepo(tmp_path / "msp")
    repo.root()
    return repo


def source(tmp_path, url, **limits):
    limits = FetchLimits(**{"timeout_s": 20.0, **limits})
    return FleetSource(tmp_path / "state/fleet.git", url, "main", limits)


def url_of(fleet, address, transport):
    return str(fleet.work) if transport == "path" else f"http://{address}/fleet/.git"


@pytest.mark.parametrize("limits", [{"max_bytes": 100_000}, {"objects": 30}])
def test_a_branch_that_is_too_large_does_not_keep_a_commit_away(fleet, tmp_path, limits) -> None:
    good = attest(fleet, {BEAT: SEALED})
    with http_server(fleet.work.parent) as address:
        mirrored = source(tmp_path, url_of(fleet, address, "http"), **limits)
        mirrored.fetch()
        bad = {f"approvals/{n}": b"%d" % n for n in range(40)}
        tip = attest(fleet, {**bad, "approvals/noise": noise(400_000)})
        head = fleet.commit("alice")
        assert mirrored.fetch() == head
    found = mirrored.attestations()
    assert (found.commit, found.unread) == (good, (("attestations", "too-large"),))
    assert beats(mirrored) == [7]
    assert tip not in mirrored._mirror.open()


def test_a_tip_that_was_in_the_way_is_left_alone_until_it_moves(fleet, tmp_path) -> None:
    bad = attest(fleet, {"approvals/noise": noise(400_000)})
    log = tmp_path / "requests"
    with http_server(fleet.work.parent, "--log", str(log)) as address:
        mirrored = source(tmp_path, f"http://{address}/fleet/.git", max_bytes=100_000)
        mirrored.fetch()
        asked = []
        for _ in range(11):
            log.write_text("")
            mirrored.fetch()
            asked.append("POST" in log.read_text())
            assert mirrored.attestations().unread == (("attestations", "too-large"),)
        # Once in a while somebody may have raised a limit, or the line may be better.
        assert asked == [False] * 10 + [True]
        fleet.git("update-ref", "-d", "refs/heads/attestations")
        good = attest(fleet, {BEAT: SEALED})
        assert bad != good
        mirrored.fetch()
    assert mirrored.attestations().unread == ()
    assert beats(mirrored) == [7]


def test_a_server_that_stalls_with_both_is_asked_for_the_branch_that_counts(
    fleet, tmp_path
) -> None:
    attest(fleet, {BEAT: SEALED})
    with http_server(fleet.work.parent, "--misbehave", "stall-both") as address:
        mirrored = source(tmp_path, f"http://{address}/fleet/.git", timeout_s=2.0)
        begin = time.monotonic()
        assert mirrored.fetch() == fleet.head()
        assert time.monotonic() - begin < 10
    assert mirrored.attestations().unread == (("attestations", "timeout"),)


def test_a_server_that_hangs_is_not_asked_twice(fleet, tmp_path) -> None:
    attest(fleet, {BEAT: SEALED})
    with http_server(fleet.work.parent, "--misbehave", "hang") as address:
        mirrored = source(tmp_path, f"http://{address}/fleet/.git", timeout_s=2.0)
        begin = time.monotonic()
        with pytest.raises(MachineError, match="took too long"):
            mirrored.fetch()
        assert time.monotonic() - begin < 3.9


@pytest.mark.parametrize("transport", ["path", "http"])
@pytest.mark.parametrize("kind", ["blob", "tree", "tag"])
def test_a_branch_that_is_no_commit(fleet, tmp_path, transport, kind) -> None:
    oid = {
        "blob": lambda: fleet.store("blob", b"x"),
        "tree": lambda: fleet.git("write-tree").strip(),
        "tag": lambda: fleet.store("tag", _tag(fleet.head())),
    }[kind]()
    ref = fleet.work / ".git/refs/heads/attestations"
    ref.write_text(f"{oid}\n")
    with http_server(fleet.work.parent) as address:
        mirrored = source(tmp_path, url_of(fleet, address, transport))
        assert mirrored.fetch() == fleet.head()
    assert beats(mirrored) == []
    found = mirrored.attestations()
    found.recoveries()
    assert found.commit is None or found.unread == (("", "is not a commit"),)


def _tag(commit: str) -> bytes:
    return f"object {commit}\ntype commit\ntag v1\ntagger A <a@msp.example> 1 +0000\n\n".encode()


def test_a_tree_of_a_hundred_thousand_files_costs_one_look(fleet, tmp_path) -> None:
    oid = fleet.store("blob", b"x")
    lines = "".join(f"100644 blob {oid}\t{n:064x}.dsse.json\n" for n in range(100_000))
    folder = fleet.git("mktree", input=lines.encode()).strip()
    names = "".join(f"040000 tree {folder}\t{n:040x}\n" for n in range(2_000))
    recoveries = fleet.git("mktree", input=names.encode()).strip()
    approvals = fleet.git("mktree", input=f"040000 tree {folder}\t{'a' * 40}\n".encode()).strip()
    top = f"040000 tree {approvals}\tapprovals\n040000 tree {recoveries}\trecoveries\n"
    tip = tipped(fleet, top)
    with http_server(fleet.work.parent) as address:
        mirrored = source(tmp_path, url_of(fleet, address, "http"))
        assert mirrored.fetch() == fleet.head()
    repository = mirrored._mirror.open()
    for limits in (
        AttestationLimits(files=8),
        AttestationLimits(files=8, tree_bytes=1_000_000),
        AttestationLimits(files=8, total_bytes=20_000_000),
    ):
        found = Attestations(repository, tip, limits)
        begin = time.monotonic()
        assert found.approvals("a" * 40) == ()
        assert found.recoveries() == ()
        assert time.monotonic() - begin < 10
        assert 1 < len(found.unread) <= 9 * 10


def tipped(fleet, top: str) -> str:
    """A commit of some folders at the tip of the branch."""
    tree = fleet.git("mktree", input=top.encode()).strip()
    tip = fleet.git("commit-tree", "-m", "m", tree).strip()
    fleet.git("update-ref", "refs/heads/attestations", tip)
    return tip


@pytest.mark.parametrize("transport", ["path", "http"])
def test_folders_within_folders_that_unfold_without_end(fleet, tmp_path, transport) -> None:
    mirrored = source(tmp_path, str(fleet.work))
    mirrored.fetch()
    top = f"100644 blob {fleet.store('blob', b'x')}\tx\n"
    for _ in range(8):
        oid = fleet.git("mktree", input=top.encode()).strip()
        top = "".join(f"040000 tree {oid}\t{name:040x}\n" for name in range(40))
    oid = fleet.git("mktree", input=top.encode()).strip()
    tipped(fleet, f"040000 tree {oid}\tapprovals\n040000 tree {oid}\trecoveries\n")
    with http_server(fleet.work.parent) as address:
        mirrored = source(tmp_path, url_of(fleet, address, transport), timeout_s=3.0)
        begin = time.monotonic()
        assert mirrored.fetch() == fleet.head()
        assert mirrored.attestations().recoveries() == ()
        assert time.monotonic() - begin < 12


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_links_and_modules_are_not_followed(fleet, tmp_path, mode) -> None:
    oid = fleet.head() if mode == "160000" else fleet.store("blob", b"../../etc/passwd")
    fleet.git("read-tree", "--empty")
    for path in (BEAT, f"approvals/{'a' * 40}", "recoveries"):
        fleet.git("update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}")
    tip = fleet.git("commit-tree", "-m", "m", fleet.git("write-tree").strip()).strip()
    fleet.git("update-ref", "refs/heads/attestations", tip)
    mirrored = source(tmp_path, str(fleet.work))
    assert mirrored.fetch() == fleet.head()
    found = mirrored.attestations()
    assert found.heartbeats("main") == found.approvals("a" * 40) == found.recoveries() == ()
    assert len(found.unread) == 3


def test_a_branch_whose_objects_are_missing(fleet, tmp_path) -> None:
    person = "A <a@msp.example> 1 +0000"
    raw = f"tree {'1' * 40}\nauthor {person}\ncommitter {person}\n\nm\n".encode()
    mirrored = source(tmp_path, str(fleet.work))
    mirrored.fetch()
    repository = mirrored._mirror.open()
    tip = str(repository.odb.write(1, raw))
    repository.references.create("refs/beside/attestations", tip)
    assert beats(mirrored) == []
    assert mirrored.fetch() == fleet.head()
    found = Attestations(repository, tip)
    assert found.approvals("a" * 40) == ()
    assert dict(found.unread)[""] == "is missing or damaged in the mirror"

"""The attestations branch comes along in the same connection, and never in the way."""

from pathlib import Path

import pytest

from reconciler.desired.limits import FetchLimits
from reconciler.desired.source import FleetSource
from reconciler.errors import InputError
from reconciler.trust import envelope, statements
from tests.support.attested import HEARTBEAT
from tests.support.evidence_keys import test_key as key_of
from tests.support.fleet_git import FleetRepo
from tests.support.git_servers import http_server

pytestmark = pytest.mark.integration

BEAT = "heartbeats/main/heartbeat.dsse.json"
SEALED = envelope.seal(statements.write(HEARTBEAT), key_of("ci"))


@pytest.fixture
def fleet(tmp_path):
    repo = FleetRepo(tmp_path / "msp")
    repo.root()
    return repo


def attest(fleet: FleetRepo, files: dict[str, bytes], branch: str = "attestations") -> str:
    """Put files on a branch beside the one that is checked out; its new tip."""
    parent = fleet.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}").strip()
    fleet.git("read-tree", "--empty")
    if parent:
        fleet.git("read-tree", parent)
    for path, content in files.items():
        blob = fleet.git("hash-object", "-w", "--stdin", input=content).strip()
        fleet.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    tree = fleet.git("write-tree").strip()
    tip = fleet.git("commit-tree", "-m", "m", tree, *(("-p", parent) if parent else ())).strip()
    fleet.git("update-ref", f"refs/heads/{branch}", tip)
    fleet.git("read-tree", "HEAD")
    return tip


def source(tmp_path, url, limits=FetchLimits(timeout_s=20), **options):  # noqa: B008
    return FleetSource(tmp_path / "state/fleet.git", url, "main", limits, **options)


def beats(mirrored: FleetSource) -> list[int]:
    return [signed.statement.counter for signed in mirrored.attestations().heartbeats("main")]


def test_without_the_branch_there_is_nothing(fleet, tmp_path):
    mirrored = source(tmp_path, str(fleet.work))
    assert mirrored.fetch() == fleet.head()
    assert mirrored.attestations().commit is None
    assert mirrored.attestations().unread == ()


def test_a_branch_that_nobody_names_is_not_asked_for(fleet, tmp_path):
    attest(fleet, {BEAT: SEALED})
    mirrored = source(tmp_path, str(fleet.work), attestations=None)

    assert mirrored.fetch() == fleet.head()
    assert mirrored.attestations().commit is None
    assert beats(mirrored) == []
    assert beats(source(tmp_path, str(fleet.work))) == []


@pytest.mark.parametrize("transport", ["path", "http"])
def test_it_comes_along_grows_is_rewritten_and_goes(fleet, tmp_path, transport):
    tip = attest(fleet, {BEAT: SEALED})
    with http_server(fleet.work.parent) as address:
        url = str(fleet.work) if transport == "path" else f"http://{address}/fleet/.git"
        mirrored = source(tmp_path, url)
        assert mirrored.fetch() == fleet.head()
        assert mirrored.attestations().commit == tip
        assert beats(mirrored) == [7]

        grown = attest(fleet, {"approvals/x": b"x"})
        head = fleet.commit("alice")
        assert (mirrored.fetch(), mirrored.attestations().commit) == (head, grown)

        fleet.git("update-ref", "refs/heads/attestations", tip)
        assert (mirrored.fetch(), mirrored.attestations().commit) == (head, tip)

        fleet.git("update-ref", "-d", "refs/heads/attestations")
        assert (mirrored.fetch(), mirrored.attestations().commit) == (head, None)
        assert beats(mirrored) == []


def test_another_name(fleet, tmp_path):
    attest(fleet, {BEAT: SEALED})
    tip = attest(fleet, {BEAT: SEALED}, "review/attested")
    mirrored = source(tmp_path, str(fleet.work), attestations="review/attested")
    mirrored.fetch()
    assert mirrored.attestations().commit == tip


def test_a_branch_cannot_hold_its_own_attestations(tmp_path):
    with pytest.raises(InputError, match="its own attestations"):
        source(tmp_path, "/nowhere", attestations="main")
    with pytest.raises(InputError, match="plain"):
        source(tmp_path, "/nowhere", attestations="../main")


def test_nothing_new_is_one_advertisement_and_news_of_both_is_one_fetch(fleet, tmp_path):
    attest(fleet, {BEAT: SEALED})
    log = tmp_path / "requests"
    with http_server(fleet.work.parent, "--log", str(log)) as address:
        mirrored = source(tmp_path, f"http://{address}/fleet/.git")
        counts = []
        for change in (lambda: None, lambda: None, lambda: attest(fleet, {"a": b"a"}), both(fleet)):
            change()
            log.write_text("")
            mirrored.fetch()
            counts.append([line.split()[0] for line in log.read_text().splitlines()])
    assert counts[0][:1] == ["GET"] and counts[0].count("GET") == 1
    assert counts[1] == ["GET"]
    assert counts[2].count("GET") == counts[3].count("GET") == 1
    assert "POST" in counts[2] and "POST" in counts[3]


def both(fleet):
    def change():
        attest(fleet, {"b": b"b"})
        fleet.commit("alice")

    return change


def test_a_mirror_that_is_built_anew_has_it_too(fleet, tmp_path):
    attest(fleet, {BEAT: SEALED})
    mirrored = source(tmp_path, str(fleet.work))
    mirrored.fetch()
    mirrored.rebuild()
    assert beats(mirrored) == [7]


def test_what_was_fetched_before_is_read_while_the_server_is_away(fleet, tmp_path):
    attest(fleet, {BEAT: SEALED})
    source(tmp_path, str(fleet.work)).fetch()
    assert beats(source(tmp_path, str(Path("/nowhere")))) == [7]

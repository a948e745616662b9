"""A machine that is new, or was restored from an old copy, takes its ledger up from the server."""

import shutil
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError, InputError, LedgerMissing, MachineError
from reconciler.ledger.remote.push import PushState, push
from reconciler.ledger.remote.resume import Resumed, resume
from tests.support.evidence_server import EvidenceServer, outbox
from tests.support.git_servers import http_server
from tests.support.ledger_rig import Rig, git

pytestmark = pytest.mark.integration

REF = "refs/heads/smile/desk"


def take_up(rig: Rig, url: str) -> Resumed:
    return resume(
        outbox(rig, url).server,
        "smile",
        "desk",
        rig.path,
        signers=rig.signers,
        signers_file=rig.signers_file,
        home=rig.directory / "home",
    )


def grow(rig: Rig, **body: object) -> str:
    with rig.open() as ledger:
        rig.at = ledger.tip.time
        return rig.run(ledger, **body).commit


def other_machine(rig: Rig, name: str = "new") -> Rig:
    """A machine with the same key and trust, and no ledger."""
    directory = rig.directory.with_name(name)
    directory.mkdir()
    shutil.copy(rig.signers_file, directory)
    return Rig(directory, rig.key, rig.at)


@pytest.mark.parametrize("way", ["path", "http"])
def test_a_new_machine_resumes_continues_and_pushes(
    rig: Rig, server: EvidenceServer, way: str
) -> None:
    push(outbox(rig, server.url))
    new = other_machine(rig)
    with http_server(server.path.parent) as address:
        url = server.url if way == "path" else f"http://{address}/server.git"
        done = take_up(new, url)
        assert (done.changed, done.aside, done.tip) == (True, None, server.tip(REF))
        assert "6 entries" in done.sentence
        tip = grow(new)
        assert new.verify().ok
        result = push(outbox(new, url))
    assert (result.state, result.pushed) == (PushState.PUSHED, 1)
    assert server.tip(REF) == tip
    assert not list(new.directory.glob("*.new"))
    assert git(new.path, "config", "receive.denyDeletes").stdout == "true\n"


def test_a_restored_copy_that_is_older_is_set_aside(rig: Rig, server: EvidenceServer) -> None:
    old = other_machine(rig, "restored")
    shutil.copytree(rig.path, old.path)
    before = git(old.path, "rev-parse", REF).stdout.strip()
    tip = grow(rig)
    push(outbox(rig, server.url))
    done = take_up(old, server.url)
    assert (done.changed, done.tip) == (True, tip)
    assert done.aside is not None
    assert git(done.aside, "rev-parse", REF).stdout.strip() == before
    assert take_up(old, server.url) == Resumed(tip, False, done.sentence, None)
    grow(old)
    assert push(outbox(old, server.url)).state is PushState.PUSHED


def test_a_ledger_with_entries_that_the_server_lacks_stays(
    rig: Rig, server: EvidenceServer
) -> None:
    push(outbox(rig, server.url))
    tip = grow(rig)
    with pytest.raises(EvidenceError, match="1 entries that the evidence server lacks"):
        take_up(rig, server.url)
    assert git(rig.path, "rev-parse", REF).stdout.strip() == tip
    assert push(outbox(rig, server.url)).pushed == 1


def test_two_histories_are_for_a_person(rig: Rig, server: EvidenceServer) -> None:
    old = other_machine(rig, "restored")
    shutil.copytree(rig.path, old.path)
    grow(rig)
    push(outbox(rig, server.url))
    tip = grow(old, restored=True)
    with pytest.raises(EvidenceError, match="different histories"):
        take_up(old, server.url)
    assert git(old.path, "rev-parse", REF).stdout.strip() == tip


def test_what_does_not_verify_is_not_used(rig: Rig, server: EvidenceServer) -> None:
    push(outbox(rig, server.url))
    new = other_machine(rig)
    new.signers_file.write_text(new.signers_file.read_text().replace("smile/desk", "smile/lab"))
    with pytest.raises(EvidenceError, match="does NOT verify"):
        take_up(new, server.url)
    assert not new.path.exists()
    assert not list(new.directory.glob("*.new"))


def test_a_damaged_server_is_not_used(rig: Rig, server: EvidenceServer) -> None:
    push(outbox(rig, server.url))
    (pack,) = (server.path / "objects/pack").glob("*.pack")
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(data)
    new = other_machine(rig)
    with pytest.raises((EvidenceError, MachineError)):
        take_up(new, server.url)
    assert not new.path.exists()


def test_a_killed_resume_leaves_nothing_that_is_used(rig: Rig, server: EvidenceServer) -> None:
    push(outbox(rig, server.url))
    new = other_machine(rig)
    half = new.directory / "smile.git.new"
    shutil.copytree(rig.path, half)
    (half / "HEAD").unlink()
    assert take_up(new, server.url).changed
    assert new.verify().ok


def test_server_without_the_branch(rig: Rig, server: EvidenceServer) -> None:
    with pytest.raises(LedgerMissing, match="no branch smile/desk"):
        take_up(other_machine(rig), server.url)


def test_server_that_is_away(rig: Rig, server: EvidenceServer) -> None:
    with http_server(server.path.parent) as address:
        url = f"http://{address}/server.git"
    with pytest.raises(MachineError, match="evidence server cannot be reached"):
        take_up(other_machine(rig), url)


@pytest.mark.parametrize("what", ["file", "ledger"])
def test_place_that_holds_something_else(rig: Rig, server: EvidenceServer, what: str) -> None:
    push(outbox(rig, server.url))
    new = other_machine(rig)
    if what == "file":
        new.path.mkdir()
        (new.path / "letter").write_text("keep me")
    else:
        shutil.copytree(rig.path, new.path)
        (new.path / REF).rename(new.path / "refs/heads/smile/lab")
    with pytest.raises(InputError, match=r"is not a ledger|of another branch"):
        take_up(new, server.url)
    assert sorted(Path(new.path).iterdir())

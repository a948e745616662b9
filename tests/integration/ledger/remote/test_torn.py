"""Files that a disk or a file system without ordered data has torn: said, never guessed, repaired.

No power cut leaves these if the disk keeps what it says it kept (`tests.crash.test_power_cut`).
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError, InputError
from reconciler.ledger.remote.push import push
from reconciler.ledger.remote.resume import Resumed, resume
from tests.support.evidence_server import EvidenceServer, evidence_server, outbox
from tests.support.ledger_rig import Rig, filled, make_rig

pytestmark = pytest.mark.integration

REF = "refs/heads/smile/desk"
WAY_OUT = "see docs/operating.md, When the branch is lost"


def overwrite(file: Path, data: bytes) -> None:
    file.chmod(0o644)
    file.write_bytes(data)


def newest(path: Path) -> Path:
    oid = (path / REF).read_text().strip()
    return path / "objects" / oid[:2] / oid[2:]


BRANCH: dict[str, Callable[[Path], None]] = {
    "empty": lambda path: overwrite(path / REF, b""),
    "cut off": lambda path: overwrite(path / REF, (path / REF).read_bytes()[:20]),
    "zeros": lambda path: overwrite(path / REF, bytes(41)),
    "gone": lambda path: (path / REF).unlink(),
}
OTHER: dict[str, Callable[[Path], None]] = {
    "newest object empty": lambda path: overwrite(newest(path), b""),
    "newest object zeros": lambda path: overwrite(newest(path), bytes(500)),
    "newest object gone": lambda path: newest(path).unlink(),
    "HEAD empty": lambda path: overwrite(path / "HEAD", b""),
}


@pytest.fixture
def rig(fast: Path) -> Rig:
    (fast / "desk").mkdir()
    return filled(fast / "desk", runs=1)


@pytest.fixture
def server(rig: Rig, fast: Path) -> EvidenceServer:
    """It holds all that the ledger holds; its hook is proven elsewhere."""
    made = evidence_server(fast, rig.signers_file.read_text())
    (made.path / "hooks/pre-receive").unlink()
    assert push(outbox(rig, made.url)).done
    return made


def take_up(rig: Rig, server: EvidenceServer) -> Resumed:
    return resume(
        outbox(rig, server.url).server,
        "smile",
        "desk",
        rig.path,
        signers=rig.signers,
        signers_file=rig.signers_file,
        home=rig.directory / "home",
    )


def name_again(rig: Rig) -> None:
    """What docs/operating.md says: the newest entry is the commit that nothing follows."""
    checked = rig.git("fsck", "--full", "--no-reflogs").stdout.split("\n")
    (found,) = [line.split()[-1] for line in checked if line.startswith("dangling commit")]
    (rig.path / REF).unlink(missing_ok=True)
    assert rig.git("update-ref", REF, found).returncode == 0


def goes_on(rig: Rig, entries: int) -> None:
    assert rig.verify().ok
    with rig.open() as ledger:
        rig.at = ledger.tip.time
        assert rig.run(ledger).seq == entries
    assert rig.verify().ok


@pytest.mark.parametrize("how", BRANCH)
def test_a_torn_branch_is_said_and_named_again_with_stock_git(rig: Rig, how: str) -> None:
    BRANCH[how](rig.path)
    with pytest.raises(EvidenceError, match=r"is torn: it names no commit|no branch") as caught:
        rig.open()
    assert str(rig.path) in caught.value.message
    assert "Do not delete it" in caught.value.hint
    assert not rig.verify().ok
    name_again(rig)
    goes_on(rig, 4)


@pytest.mark.parametrize("how", BRANCH)
def test_a_ledger_is_not_begun_again_over_a_torn_branch(rig: Rig, how: str) -> None:
    BRANCH[how](rig.path)
    with pytest.raises(InputError, match=r"there is a ledger already|whose branch is lost"):
        rig.create()
    assert rig.git("gc", "-q", "--prune=never").returncode == 0 or how != "gone"
    with pytest.raises(InputError, match=r"there is a ledger already|whose branch is lost"):
        rig.create()


def test_what_to_do_is_said(rig: Rig) -> None:
    BRANCH["empty"](rig.path)
    with pytest.raises(EvidenceError) as caught:
        rig.open()
    assert WAY_OUT in caught.value.hint
    (rig.path / REF).unlink()
    with pytest.raises(InputError) as refused:
        rig.create()
    assert WAY_OUT in refused.value.hint


@pytest.mark.parametrize("how", [*BRANCH, *OTHER])
def test_a_damaged_ledger_is_taken_up_from_the_server(
    rig: Rig, server: EvidenceServer, how: str
) -> None:
    (BRANCH | OTHER)[how](rig.path)
    assert not rig.verify().ok
    done = take_up(rig, server)
    assert done.changed
    assert done.aside is not None
    # It is set aside as it was, for whoever wants to know what happened.
    assert (done.aside / "objects").is_dir()
    goes_on(rig, 4)


@pytest.mark.parametrize("how", BRANCH)
@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_ledger_with_entries_that_exist_once_is_not_replaced(
    rig: Rig, server: EvidenceServer, how: str, packed: bool
) -> None:
    goes_on(rig, 4)
    goes_on(rig, 5)
    if packed:
        assert rig.git("repack", "-q", "-a", "-d").returncode == 0
    BRANCH[how](rig.path)
    with pytest.raises(EvidenceError, match="holds 2 entries that the evidence server") as caught:
        take_up(rig, server)
    assert "When the branch is lost" in caught.value.hint
    name_again(rig)
    assert push(outbox(rig, server.url)).pushed == 2
    assert not take_up(rig, server).changed
    goes_on(rig, 6)


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_half_a_pack_is_a_leftover_and_no_fault(rig: Rig, suffix: str) -> None:
    """libgit2 gives an index its name before its pack, so a power cut may leave the one alone."""
    copy = rig.directory / "copy.git"
    shutil.copytree(rig.path, copy)
    assert Rig(rig.directory, rig.key).git("-C", str(copy), "repack", "-q", "-a", "-d").stdout == ""
    (half,) = (copy / "objects/pack").glob(f"*{suffix}")
    shutil.copy(half, rig.path / "objects/pack")
    found = rig.verify()
    assert found.ok
    assert found.sweep.leftovers == [f"objects/pack/{half.name}"]
    assert rig.git("fsck", "--full", "--strict").returncode == 0
    goes_on(rig, 4)


def test_git_reads_the_settings_whatever_the_path_is(tmp_path: Path) -> None:
    odd = tmp_path / 'a "quoted" \\ back; #slash'
    odd.mkdir()
    rig = make_rig(odd)
    rig.create().close()
    asked = rig.git("config", "--get", "gpg.ssh.allowedSignersFile").stdout
    assert asked == f"{rig.signers_file}\n"
    assert rig.git("config", "--get", "receive.denyNonFastForwards").stdout == "true\n"
    assert rig.git("verify-commit", REF).returncode == 0
    assert rig.git("fsck", "--strict").returncode == 0

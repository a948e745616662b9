"""HOW-TO-CHECK.md of a kit, block by block, with stock tools and nothing of ours on the path."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.evidence import commit, sshsig
from tests.support.kit_rig import AUDIT, KitRig, full, told
from tests.support.ledger_rig import git
from tests.support.rigs import rig as needs
from tests.support.tsa import missing

pytestmark = [pytest.mark.conformance, pytest.mark.integration]

TOOLS = ("bash", "git", "ssh-keygen", "openssl", "sha256sum", "sed", "awk", "grep", "base64")


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("time stamping authority", missing())
    directory = tmp_path_factory.mktemp("kit")
    assert full(directory / "smile").export(directory / "kit", controls=(AUDIT,)).ok
    return directory / "kit"


def script(page: Path) -> str:
    found = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert len(found) >= 5
    return "".join(found)


def run(kit: Path, work: Path, first: str = "") -> "subprocess.CompletedProcess[str]":
    """All blocks in one shell, as a reader pastes them."""
    tools = work / "bin"
    tools.mkdir(parents=True)
    (work / "tmp").mkdir()
    for name in (*TOOLS, "mktemp", "cut", "tail", "tr", "sort", "uniq", "cat"):
        found = shutil.which(name)
        assert found is not None, name
        (tools / name).symlink_to(found)
    environment = {
        "PATH": str(tools),
        "HOME": "/nonexistent",
        "TMPDIR": str(work / "tmp"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_EXEC_PATH": subprocess.run(
            ["git", "--exec-path"], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip(),
        "TZ": "America/New_York",
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.run(
        [str(tools / "bash")],
        input=first + script(kit / "HOW-TO-CHECK.md"),
        cwd=kit,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.fixture
def copy(kit: Path, tmp_path: Path) -> Path:
    shutil.copytree(kit, tmp_path / "kit")
    return tmp_path / "kit"


def test_every_block_of_the_page_runs_and_says_what_it_should(kit: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in kit.rglob("*")}
    result = run(kit, tmp_path, "set -eu\n")
    assert result.returncode == 0, result.stdout + result.stderr
    said = result.stdout
    assert "all files are as listed" in said
    assert len(re.findall(r"^256 SHA256:.{43} .*\(ED25519\)$", said, re.MULTILINE)) == 2
    assert said.count('Good "git" signature for smile/desk with ED25519 key') == 4
    assert re.search(r"^ +15 G smile/desk$", said, re.MULTILINE)
    assert re.search(r"^ +2 G witness/hub$", said, re.MULTILINE)
    assert re.search(r"^the chain is [0-9a-f]{64} at [0-9a-f]{40}$", said, re.MULTILINE)
    assert "Verification: OK" in said + result.stderr
    assert "entry 12 holds this note" in said
    assert not re.search("BROKEN|DIFFER|NOT", said)
    assert {path: path.stat().st_mtime_ns for path in kit.rglob("*")} == before


def test_a_plain_clone_of_the_bundle_works(kit: Path, tmp_path: Path) -> None:
    result = git(tmp_path, "clone", "-q", str(kit / "evidence.bundle"), "clone")
    assert (result.returncode, result.stderr) == (0, "")
    assert git(tmp_path / "clone", "branch", "--show-current").stdout == "smile/desk\n"
    assert list((tmp_path / "clone/entries").rglob("*.dsse.json"))
    assert git(tmp_path / "clone", "bundle", "verify", str(kit / "evidence.bundle")).returncode == 0
    assert git(tmp_path / "clone", "fsck", "--strict").stderr == ""


def test_a_changed_file_is_found(copy: Path, tmp_path: Path) -> None:
    with (copy / "verification.txt").open("a") as file:
        file.write("all is well\n")
    result = run(copy, tmp_path)
    assert "verification.txt: FAILED" in result.stdout
    assert "files DIFFER" in result.stdout


def test_another_key_is_found(copy: Path, tmp_path: Path) -> None:
    """Whoever puts another key into a kit has no signature by it."""
    keys = copy / "keys/allowed_signers"
    first, *rest = keys.read_text().splitlines(keepends=True)
    other = told(tmp_path / "other" / "rig").rig.signers_file.read_text()
    assert first.split()[0] == "smile/desk"
    keys.write_text("".join([other, *rest]))
    result = run(copy, tmp_path)
    assert "keys/allowed_signers: FAILED" in result.stdout
    assert re.search(r"^ +15 U ?$", result.stdout, re.MULTILINE)
    assert 'Good "git" signature for smile/desk' not in result.stdout


def test_an_entry_that_was_taken_out_is_found_by_the_chain(tmp_path: Path) -> None:
    """The tip put onto an older commit: signed by the appliance, but not of this chain."""
    rig = told(tmp_path / "smile")
    assert rig.export(tmp_path / "kit").ok
    _splice(rig, tmp_path / "kit/evidence.bundle")
    result = run(tmp_path / "kit", tmp_path / "work")
    assert "evidence.bundle: FAILED" in result.stdout
    assert re.search(r"^the chain is BROKEN at [0-9a-f]{40}$", result.stdout, re.MULTILINE)


def _splice(rig: KitRig, bundle: Path) -> None:
    tip = rig.rig.git("rev-parse", "smile/desk").stdout.strip()
    older = rig.rig.git("rev-parse", "smile/desk~2").stdout.strip()
    parsed = commit.parse(rig.rig.git("cat-file", "commit", tip).stdout.encode())
    raw = commit.unsigned(parsed.tree, (older,), parsed.author, parsed.committer, parsed.message)
    signed = commit.with_signature(raw, sshsig.sign(rig.rig.key, raw, "git"))
    made = subprocess.run(
        ["git", "-C", str(rig.path), "hash-object", "-t", "commit", "-w", "--stdin"],
        input=signed,
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout.decode()
    assert rig.rig.git("update-ref", "refs/heads/smile/desk", made.strip()).returncode == 0
    bundle.unlink()
    result = rig.rig.git("bundle", "create", str(bundle), "smile/desk", "HEAD")
    assert result.returncode == 0, result.stderr

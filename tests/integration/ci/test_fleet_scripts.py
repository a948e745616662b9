"""The scripts of a new fleet, run as any CI system would: `sh ci/NAME.sh` in a clone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import execute as run
from reconciler.engine.scaffold.make import scaffold
from reconciler.engine.scaffold.trust import person
from reconciler.errors import ExitCode
from reconciler.evidence import sshsig
from tests.support.evidence_keys import test_key as key_of

pytestmark = pytest.mark.integration

DONE = "subprocess.CompletedProcess[str]"
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


class Fleet:
    """A fleet of two people, as `reconciler init` makes it, and a server that it is pushed to."""

    def __init__(self, directory: Path) -> None:
        self.work = directory / "site" / "fleet"
        self.settings = directory / "site" / "reconciler.yaml"
        self.evidence = directory / "site" / "evidence" / "elm-street.git"
        self.server = directory / "server.git"
        self.env = {
            "PATH": PATH,
            "HOME": str(directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }

    @classmethod
    def make(cls, directory: Path) -> "Fleet":
        key = directory / "bob.pub"
        key.write_text(sshsig.public_line(sshsig.raw_public(key_of("bob"))) + "\n")
        others = [person(f"bob={key}")]
        scaffold(directory / "site", "elm-street", "desk", engineer="alice", people=others)
        fleet = cls(directory)
        fleet.git("clone", "-q", "--bare", ".", str(fleet.server))
        fleet.git("remote", "add", "origin", "../../server.git")
        return fleet

    def git(self, *arguments: str, at: Path | None = None) -> str:
        command = ["git", "-C", str(at or self.work), *arguments]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def script(self, name: str, *arguments: str, **environment: str) -> DONE:
        command = ["sh", f"ci/{name}.sh", *arguments]
        return subprocess.run(
            command, cwd=self.work, env=self.env | environment, capture_output=True, text=True
        )

    def commit(self, path: str, text: str) -> None:
        file = self.work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Change")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("fleet")
    Fleet.make(directory)
    return directory


@pytest.fixture
def fleet(made: Path, tmp_path: Path) -> Fleet:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True, symlinks=True)
    return Fleet(tmp_path)


def gate(fleet: Fleet, base: str = "main", head: str = "HEAD") -> tuple[DONE, str]:
    report = fleet.work.parent / "gate.md"
    done = fleet.script("gate", base, head, str(report))
    return done, report.read_text()


def change(fleet: Fleet, old: str, new: str, path: str = "policies/rules/firewall.yaml") -> None:
    fleet.git("switch", "-q", "-c", "change")
    text = (fleet.work / path).read_text()
    assert old in text
    fleet.commit(path, text.replace(old, new, 1))


def test_the_gate_says_what_a_change_does_and_who_must_agree(fleet: Fleet) -> None:
    change(fleet, "severity: high", "severity: low")
    done, report = gate(fleet)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "severity: high -> low" in report
    assert "elm-street/desk" in report
    assert "1 approval by other people" in report


def test_the_gate_fails_a_fleet_that_is_broken_and_says_where(fleet: Fleet) -> None:
    change(fleet, "severity: high", "severity: none-of-these")
    done, report = gate(fleet)
    assert done.returncode == ExitCode.INPUT
    assert "policies/rules/firewall.yaml" in report
    assert "policies/rules/firewall.yaml" in done.stdout


def test_the_gate_fails_a_secret_and_repeats_it_nowhere(fleet: Fleet) -> None:
    fleet.git("switch", "-q", "-c", "change")
    secret = "AKIA" + "Z7Q4XWM2PLK9TRBC"
    fleet.commit("hosts/elm-street/notes.txt", f"aws_access_key_id = {secret}\n")
    done, report = gate(fleet)
    assert done.returncode == ExitCode.INPUT
    assert "hosts/elm-street/notes.txt" in report
    assert secret not in report + done.stdout + done.stderr


@pytest.mark.parametrize("base", ["no-such-branch", "0" * 40, "--help", ""])
def test_the_gate_never_passes_what_it_could_not_look_at(fleet: Fleet, base: str) -> None:
    report = fleet.work.parent / "gate.md"
    done = fleet.script("gate", base, "HEAD", str(report))
    assert done.returncode != 0
    assert not report.exists() or "could not read" in report.read_text()


def test_evidence_is_verified_with_the_keys_that_the_fleet_names(fleet: Fleet) -> None:
    run(["run", "--once", "--config", str(fleet.settings)])
    signers = fleet.work / "policies/trust/evidence_signers"
    done = fleet.script("verify-evidence", str(fleet.evidence))
    assert done.returncode == ExitCode.INPUT, "nobody is trusted by default"
    shutil.copy(fleet.settings.parent / "trust/evidence_signers", signers)

    done = fleet.script("verify-evidence", str(fleet.evidence))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VERIFIED" in done.stdout

    other = sshsig.public_text(sshsig.raw_public(key_of("bob")))
    signers.write_text(f'elm-street/desk namespaces="git" {other}\n')
    done = fleet.script("verify-evidence", str(fleet.evidence))
    assert done.returncode == ExitCode.EVIDENCE


@pytest.mark.parametrize(
    ("script", "arguments"),
    [("gate", ["main", "HEAD"]), ("attest", ["release"]), ("publish", []), ("verify-evidence", [])],
)
def test_a_script_that_is_not_told_enough_says_how_it_is_used(
    fleet: Fleet, script: str, arguments: list[str]
) -> None:
    done = fleet.script(script, *arguments)
    assert done.returncode != 0
    assert f"usage: sh ci/{script}.sh" in done.stderr


def attested(directory: Path, path: str, text: str = "{}") -> Path:
    file = directory / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return directory


def on_server(fleet: Fleet) -> list[str]:
    return fleet.git("ls-tree", "-r", "--name-only", "attestations", at=fleet.server).splitlines()


def test_attestations_are_pushed_beside_what_is_there(fleet: Fleet, tmp_path: Path) -> None:
    release = attested(tmp_path / "one", "releases/aa/11.sigstore.json")
    heartbeat = attested(tmp_path / "two", "heartbeats/main/heartbeat.sigstore.json", "1")
    newer = attested(tmp_path / "three", "heartbeats/main/heartbeat.sigstore.json", "2")
    for files in (release, heartbeat, newer):
        done = fleet.script("publish", str(files))
        assert done.returncode == 0, done.stderr

    assert on_server(fleet) == [
        "heartbeats/main/heartbeat.sigstore.json",
        "releases/aa/11.sigstore.json",
    ]
    assert fleet.git("rev-list", "--count", "attestations", at=fleet.server) == "3"
    assert (
        fleet.git("show", "attestations:heartbeats/main/heartbeat.sigstore.json", at=fleet.server)
        == "2"
    )
    # Neither the branch that is checked out, nor what is in it, has changed.
    assert fleet.git("status", "--porcelain") == ""
    assert fleet.git("branch", "--show-current") == "main"
    fleet.git("fsck", "--strict", at=fleet.server)


def test_a_push_that_comes_second_goes_on_top(fleet: Fleet, tmp_path: Path) -> None:
    """A hook lets somebody else push between our fetch and our push, once."""
    other = attested(tmp_path / "other", "releases/bb/22.sigstore.json")
    hook = fleet.work / ".git/hooks/pre-push"
    hook.write_text(
        f"#!/bin/sh\n[ -e '{tmp_path}/raced' ] && exit 0\ntouch '{tmp_path}/raced'\n"
        f"unset GIT_DIR GIT_INDEX_FILE\ncd '{fleet.work}' && exec sh ci/publish.sh '{other}'\n"
    )
    hook.chmod(0o755)
    mine = attested(tmp_path / "mine", "releases/aa/11.sigstore.json")

    done = fleet.script("publish", str(mine))

    assert done.returncode == 0, done.stderr
    assert "push 1 was refused" in done.stderr
    assert on_server(fleet) == ["releases/aa/11.sigstore.json", "releases/bb/22.sigstore.json"]
    assert fleet.git("rev-list", "--count", "attestations", at=fleet.server) == "2"


def test_nothing_to_push_is_not_success(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = fleet.script("publish", str(tmp_path / "empty"))
    assert done.returncode == ExitCode.INPUT
    assert "there is no attestation" in done.stderr


def test_a_server_that_is_not_there_is_not_success(fleet: Fleet, tmp_path: Path) -> None:
    files = attested(tmp_path / "one", "releases/aa/11.sigstore.json")
    done = fleet.script("publish", str(files), str(tmp_path / "nowhere.git"))
    assert done.returncode != 0

"""From merge to machine: CI attests what two people landed, and the appliance asks for both.

Real git, real scripts, an unmodified sigstore against a private one, and the real command line.
"""

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.cli import execute as run
from reconciler.errors import ExitCode
from reconciler.evidence import sshsig
from tests.support.evidence_keys import test_key as key_of
from tests.support.sigstore import Fault, TestSigstore

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

POSTURE = {ExitCode.CLEAN, ExitCode.DRIFT, ExitCode.UNKNOWN}
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
ISSUER = "https://token.actions.githubusercontent.com"
POLICY, ROOT = "policies/trust/policy.yaml", "policies/trust/trusted_root.json"
CLIENT = "hosts/elm-street/client.yaml"
SUBJECT = "repo:msp/fleet:ref:refs/heads/main"


def claims(workflow: str = "attest", ref: str = "main", owner: str = "msp") -> dict[str, str]:
    path = f"{owner}/fleet/.github/workflows/{workflow}.yml@refs/heads/{ref}"
    return {"job_workflow_ref": path, "repository": f"{owner}/fleet"}


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestSigstore]:
    with TestSigstore(tmp_path_factory.mktemp("sigstore"), ISSUER) as running:
        yield running


class Site:
    """Two people, a server, an appliance."""

    def __init__(self, directory: Path, sigstore: TestSigstore) -> None:
        self.directory, self.sigstore = directory, sigstore
        self.server = directory / "server.git"
        self.work, self.settings = directory / "site/fleet", directory / "site/reconciler.yaml"
        self.env = {
            "PATH": PATH,
            "HOME": str(directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }

    def begin(self) -> None:
        public, private = self.directory / "bob.pub", self.directory / "bob"
        public.write_text(sshsig.public_line(sshsig.raw_public(key_of("bob"))) + "\n")
        form = (Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        private.touch(mode=0o600)
        private.write_bytes(key_of("bob").private_bytes(*form))
        told = ["--client", "elm-street", "--host", "desk", "--engineer", "alice"]
        assert run(["init", str(self.work.parent), *told, "--person", f"bob={public}"]) == 0
        self.git("clone", "-q", "--bare", ".", str(self.server))
        self.git("remote", "add", "origin", "../../server.git")
        text = self.settings.read_text()
        self.settings.write_text(text.replace("url: fleet", "url: ../server.git"))
        assert self.tick() in POSTURE

    def require_releases(self) -> None:
        text = (self.work / POLICY).read_text()
        head, mark, rest = text.partition("# identities:")
        used = head + (mark + rest).replace("# ", "").replace("OWNER/FLEET", "msp/fleet")
        used = used.replace("require: [ssh]", "require: [ssh, release]")
        self.land(**{POLICY: used, ROOT: self.sigstore.trusted_root.read_text()})
        # By the policy before it, which asks for no release yet.
        assert self.tick() in POSTURE

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.work), *arguments]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def land(self, **files: str) -> str:
        """Alice changes files on a branch, bob merges."""
        self.git("switch", "-q", "-c", "change")
        for name, text in files.items():
            (self.work / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Change")
        self.git("switch", "-q", "main")
        bob = ("-c", f"user.signingkey={self.directory / 'bob'}", "-c", "user.name=bob")
        self.git(*bob, "merge", "-q", "--no-ff", "-m", "Merge", "change")
        self.git("branch", "-q", "-d", "change")
        self.git("push", "-q", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def rename(self, name: str) -> str:
        text = (self.work / CLIENT).read_text()
        (line,) = [line for line in text.splitlines() if line.startswith("name: ")]
        return self.land(**{CLIENT: text.replace(line, f"name: {name}")})

    def script(self, *arguments: str, **told: str) -> "subprocess.CompletedProcess[str]":
        environment = self.env | self.sigstore.ci_environment(SUBJECT, **told)
        command = ["sh", *arguments]
        return subprocess.run(
            command, cwd=self.work, env=environment, capture_output=True, text=True
        )

    def attest(self, kind: str = "release", **told: str) -> "subprocess.CompletedProcess[str]":
        """The two jobs of the workflow: sign, publish."""
        out = self.directory / f"out-{len(list(self.directory.iterdir()))}"
        config = str(self.sigstore.client_trust_config())
        told = told or claims("attest" if kind == "release" else kind)
        self.git("fetch", "-q", "origin")
        signed = self.script(
            "ci/attest.sh", kind, str(out), "--keyless", "--trust-config", config, **told
        )
        if signed.returncode:
            return signed
        return self.script("ci/publish.sh", str(out))

    def tick(self) -> int:
        return run(["run", "--once", "--config", str(self.settings)])

    def accepted(self, capsys: pytest.CaptureFixture[str]) -> str:
        capsys.readouterr()
        run(["run", "--once", "--config", str(self.settings), "--json"])
        said = json.loads(capsys.readouterr().out)
        return str(said["desired"]["commit"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, sigstore: TestSigstore) -> Path:
    site = Site(tmp_path_factory.mktemp("site"), sigstore)
    site.begin()
    site.require_releases()
    return site.directory


@pytest.fixture
def site(made: Path, tmp_path: Path, sigstore: TestSigstore) -> Site:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True, symlinks=True)
    return Site(tmp_path, sigstore)


def test_an_appliance_waits_for_ci_and_for_people(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    before = site.git("rev-parse", "HEAD")
    head = site.rename("Elm Street Dental")
    assert site.tick() == ExitCode.REFUSED
    said = capsys.readouterr()
    assert "release-missing" in said.out + said.err
    assert site.accepted(capsys) == before

    done = site.attest()
    assert done.returncode == 0, done.stderr
    assert site.tick() in POSTURE
    assert site.accepted(capsys) == head


@pytest.mark.parametrize(
    "told",
    [claims("gate"), claims(ref="try"), claims(owner="mallory")],
    ids=["workflow", "branch", "fork"],
)
def test_what_another_job_attests_changes_nothing(
    site: Site, capsys: pytest.CaptureFixture[str], told: dict[str, str]
) -> None:
    before = site.git("rev-parse", "HEAD")
    site.rename("Elm Street Dental")
    done = site.attest(**told)
    assert done.returncode == ExitCode.EVIDENCE
    assert "somebody other than ci-release signed" in done.stderr
    assert site.tick() == ExitCode.REFUSED
    said = capsys.readouterr()
    assert "release-" in said.out + said.err
    assert site.accepted(capsys) == before


@pytest.mark.parametrize(
    "fault",
    [Fault.UNKNOWN_AUTHORITY, Fault.CHECKPOINT_BY_OTHER_KEY],
    ids=lambda fault: fault.name.lower(),
)
def test_a_lying_service_changes_nothing(
    site: Site, sigstore: TestSigstore, capsys: pytest.CaptureFixture[str], fault: Fault
) -> None:
    before = site.git("rev-parse", "HEAD")
    head = site.rename("Elm Street Dental")
    with sigstore.corrupted(fault):
        done = site.attest()
    assert done.returncode == ExitCode.EVIDENCE
    assert "does not verify" in done.stderr
    assert site.tick() == ExitCode.REFUSED
    assert site.accepted(capsys) == before
    assert site.attest().returncode == 0
    assert site.tick() in POSTURE
    assert site.accepted(capsys) == head


def test_heartbeats_count_up_and_keep_an_appliance_acting(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (site.work / CLIENT).read_text()
    head = site.land(**{CLIENT: f"{text}freshness_h: 24\n"})
    assert site.attest().returncode == 0

    assert site.tick() == ExitCode.REFUSED
    said = capsys.readouterr()
    assert "heartbeat-missing" in said.out + said.err
    # It is accepted, and held: nothing acts on what may be old.
    assert site.accepted(capsys) == head

    for counter in (1, 2):
        done = site.attest("heartbeat")
        assert done.returncode == 0, done.stderr
        assert site.tick() in POSTURE
        site.git("fetch", "-q", "origin")
        file = "origin/attestations:heartbeats/main/heartbeat.sigstore.json"
        bundle = json.loads(site.git("show", file))
        said = json.loads(b64decode(bundle["dsseEnvelope"]["payload"]))
        assert said["predicate"]["counter"] == counter
        assert said["predicate"]["commit"] == head


def test_a_job_that_gets_no_identity_attests_nothing(site: Site) -> None:
    site.rename("Elm Street Dental")
    out = site.directory / "out"
    environment = site.env | {"GITHUB_ACTIONS": "true"}
    done = subprocess.run(
        ["sh", "ci/attest.sh", "release", str(out), "--keyless"],
        cwd=site.work, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == ExitCode.INPUT
    assert "id-token: write" in done.stderr
    assert not out.exists()

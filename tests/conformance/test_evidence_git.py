"""Stock git and ssh-keygen agree with us about what we write, and about who may sign when."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.evidence import commit, sshsig
from reconciler.evidence.signers import Signer, parse, render
from reconciler.ledger import keys
from reconciler.ledger.verify import verify
from tests.support.ledger_rig import filled, git

pytestmark = [pytest.mark.conformance, pytest.mark.integration]

UTC_ENVIRONMENT = {**os.environ, "TZ": "UTC"}


def ssh_keygen(*arguments: str, message: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        ["ssh-keygen", *arguments],
        input=message,
        capture_output=True,
        env=UTC_ENVIRONMENT,
        check=False,
        timeout=30,
    )


def test_git_verifies_every_commit(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    commits = rig.git("rev-list", "smile/desk").stdout.split()
    assert len(commits) == 6
    result = rig.git("verify-commit", "--raw", *commits)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count('Good "git" signature for smile/desk with ED25519 key') == 6


def test_git_log_shows_good_signatures_by_our_fingerprint(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    lines = rig.git("log", "--format=%G? %GS %GF", "smile/desk").stdout.splitlines()
    name = sshsig.fingerprint(keys.public(rig.key))
    assert lines == [f"G smile/desk {name}"] * 6
    shown = rig.git("log", "--show-signature", "smile/desk")
    assert (shown.stdout + shown.stderr).count(f"ED25519 key {name}") == 6


def test_git_reads_our_trailers(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    form = "--format=%(trailers:key=Evidence-Seq,valueonly,separator=)"
    lines = rig.git("log", "--reverse", form, "smile/desk").stdout.split()
    assert lines == ["0", "1", "2", "3", "4", "5"]


def test_git_fsck_finds_nothing(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    for options in (("--strict", "--full"), ("--strict", "--unreachable")):
        result = rig.git("fsck", *options)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_honest_copies_verify(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    assert rig.verify().ok
    for name, options in (
        ("bare.git", ("--bare", "--no-local")),
        ("linked.git", ("--bare",)),
        ("mirror.git", ("--mirror", "--no-local")),
        ("work", ("--no-local",)),
    ):
        assert git(tmp_path, "clone", "-q", *options, str(rig.path), name).returncode == 0
        result = verify(tmp_path / name, rig.signers)
        assert (name, result.faults) == (name, ())
        assert result.ok
    assert rig.git("gc", "-q", "--aggressive").returncode == 0
    assert rig.git("commit-graph", "write", "--reachable").returncode == 0
    assert rig.git("multi-pack-index", "write").returncode == 0
    assert rig.git("update-server-info").returncode == 0
    result = rig.verify()
    assert result.faults == ()
    assert result.ok


def test_a_push_by_stock_git_verifies(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    assert git(tmp_path, "init", "-q", "--bare", "hub.git").returncode == 0
    assert rig.git("push", "-q", str(tmp_path / "hub.git"), "smile/desk").returncode == 0
    git(tmp_path / "hub.git", "symbolic-ref", "HEAD", "refs/heads/smile/desk")
    assert verify(tmp_path / "hub.git", rig.signers).faults == ()


def test_ssh_keygen_verifies_what_we_sign(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=0)
    (tmp_path / "signature").write_text(sshsig.sign(rig.key, b"message", "git") + "\n")
    arguments = ("-f", str(rig.signers_file), "-I", "smile/desk", "-n", "git")
    verified = ssh_keygen(
        "-Y", "verify", *arguments, "-s", str(tmp_path / "signature"), message=b"message"
    )
    assert verified.returncode == 0
    assert b'Good "git" signature for smile/desk' in verified.stdout


def test_we_verify_what_ssh_keygen_signs(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=0)
    signed = ssh_keygen("-Y", "sign", "-n", "git", "-f", str(tmp_path / "key"), message=b"message")
    armor = signed.stdout.decode().removesuffix("\n")
    assert sshsig.verify(armor, b"message", "git") == keys.public(rig.key)
    assert armor == sshsig.sign(rig.key, b"message", "git")


def test_we_read_commits_that_stock_git_signs(tmp_path: Path) -> None:
    key = keys.generate(tmp_path / "key", "alice@msp.example")
    repository = tmp_path / "fleet"
    assert git(tmp_path, "init", "-q", "fleet").returncode == 0
    for setting, value in (
        ("user.name", "Alice Ångström"),
        ("user.email", "alice@msp.example"),
        ("gpg.format", "ssh"),
        ("user.signingkey", str(tmp_path / "key")),
    ):
        git(repository, "config", setting, value)
    assert git(repository, "commit", "-q", "-S", "--allow-empty", "-m", "one\n\ntwo").stderr == ""
    git(repository, "checkout", "-q", "-b", "side")
    git(repository, "commit", "-q", "-S", "--allow-empty", "-m", "side")
    git(repository, "checkout", "-q", "-")
    git(repository, "commit", "-q", "-S", "--allow-empty", "-m", "main")
    assert git(repository, "merge", "-q", "-S", "--no-ff", "-m", "merge", "side").returncode == 0
    parents = []
    for oid in git(repository, "rev-list", "HEAD").stdout.split():
        raw = subprocess.run(
            ["git", "-C", str(repository), "cat-file", "commit", oid],
            check=True,
            capture_output=True,
            timeout=30,
        ).stdout
        read = commit.parse(raw, max_parents=2, utc_only=False)
        assert read.signed_by() == keys.public(key)
        assert read.author.name == "Alice Ångström"
        parents.append(len(read.parents))
    assert sorted(parents) == [0, 1, 1, 2]


AFTER, BEFORE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, 12, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    "at",
    [AFTER - SECOND, AFTER, AFTER + SECOND, BEFORE - SECOND, BEFORE, BEFORE + SECOND],
    ids=str,
)
@pytest.mark.parametrize("namespace", ["git", "file"])
@pytest.mark.parametrize("line", [0, 1, 2])
def test_ssh_keygen_agrees_about_windows_and_namespaces(
    tmp_path: Path, at: datetime, namespace: str, line: int
) -> None:
    key = keys.generate(tmp_path / "key", "desk")
    public = keys.public(key)
    signer = Signer("smile/desk", public, ("git", "other"), AFTER, BEFORE, "the desk", 1)
    text = [
        render(signer),
        f'smile/desk valid-after="20260301Z" {sshsig.public_text(public)}',
        f'smile/desk valid-before="202604011230Z",namespaces="git" {sshsig.public_text(public)}',
    ][line]
    (tmp_path / "signers").write_text(text + "\n")
    (tmp_path / "signature").write_text(sshsig.sign(key, b"message", namespace) + "\n")
    theirs = ssh_keygen(
        *("-Y", "verify", "-f", str(tmp_path / "signers"), "-I", "smile/desk"),
        *("-n", namespace, "-s", str(tmp_path / "signature")),
        f"-Overify-time={at:%Y%m%d%H%M%S}Z",
        message=b"message",
    )
    ours = parse(text.encode(), "signers").find(public, namespace, at)
    assert isinstance(ours, Signer) == (theirs.returncode == 0), theirs.stderr

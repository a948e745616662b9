"""An evidence repository as an administrator makes it, and what auditors read in it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import InputError, MachineError
from reconciler.ledger.remote.init import init_server, templates
from reconciler.ledger.remote.push import push
from reconciler.ledger.verify import verify
from tests.support.evidence_server import ROOT, EvidenceServer, outbox
from tests.support.ledger_rig import Rig, git

pytestmark = pytest.mark.integration


def test_repository_is_one_that_git_and_the_audit_accept(rig: Rig, server: EvidenceServer) -> None:
    assert git(server.path, "rev-parse", "--is-bare-repository").stdout == "true\n"
    assert git(server.path, "symbolic-ref", "HEAD").stdout == "refs/heads/smile/desk\n"
    assert (server.path / "hooks/pre-receive").stat().st_mode & stat.S_IXUSR
    for name, value in {
        "receive.denyNonFastForwards": "true",
        "receive.denyDeletes": "true",
        "receive.fsckObjects": "true",
        "core.logAllRefUpdates": "always",
        "core.hooksPath": "hooks",
        "gc.pruneExpire": "never",
        "gc.reflogExpire": "never",
    }.items():
        assert git(server.path, "config", name).stdout == f"{value}\n", name
    push(outbox(rig, server.url))
    assert git(server.path, "fsck", "--strict").returncode == 0
    assert verify(server.path, rig.signers).ok
    assert git(server.path, "verify-commit", "HEAD").returncode == 0
    assert "smile/desk" in git(server.path, "reflog", "show", "smile/desk").stdout


def test_housekeeping_forgets_nothing(rig: Rig, server: EvidenceServer) -> None:
    push(outbox(rig, server.url))
    tip = server.tip("refs/heads/smile/desk")
    git(server.path, "update-ref", "refs/heads/smile/desk", "refs/heads/smile/desk~3")
    assert git(server.path, "gc", "--quiet", "--prune=now").returncode == 0
    assert git(server.path, "cat-file", "-e", str(tip)).returncode == 0


def test_names_with_spaces_and_quotes(rig: Rig, fast: Path) -> None:
    place = fast / "it's a server.git"
    program = fast / "it's the program"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m reconciler "$@"\n')
    program.chmod(0o755)
    init_server(place, templates(), rig.signers_file, program=program)
    done = git(rig.path, "push", str(place), "smile/desk")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("signers", "words"), [("", "no appliance"), ("x\n", "no key"), (None, "cannot be read")]
)
def test_signers_that_are_none(signers: str | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "allowed_signers"
    if signers is not None:
        file.write_text(signers)
    with pytest.raises(InputError, match=words):
        init_server(tmp_path / "server.git", templates(), file)
    assert not (tmp_path / "server.git").exists()


def test_place_that_is_taken_or_cannot_be_written(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("keep me")
    with pytest.raises(InputError, match="is not empty"):
        init_server(tmp_path, templates(), rig.signers_file)
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]
    with pytest.raises(MachineError, match="cannot write"):
        init_server(tmp_path / "letter" / "server.git", templates(), rig.signers_file)


def reconciler(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "reconciler", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_commands_from_a_new_server_to_a_resumed_machine(tmp_path: Path) -> None:
    home, server = tmp_path / "home", tmp_path / "server.git"
    config = str(home / "reconciler.yaml")
    assert reconciler("init", str(home)).returncode == 0
    signers = str(home / "trust/evidence_signers")
    made = reconciler("evidence", "init", str(server), "--signers", signers)
    assert made.returncode == 0, made.stderr
    pushed = reconciler("evidence", "push", str(server), "--config", config)
    assert (pushed.returncode, pushed.stdout) == (0, "pushed: 1 pushed, 0 waiting\n")
    again = reconciler("evidence", "push", str(server), "--config", config, "--json")
    assert '"state": "up_to_date"' in again.stdout
    away = reconciler("evidence", "push", str(tmp_path / "away.git"), "--config", config, "--now")
    assert away.returncode == 7
    assert "there is no repository at this address" in away.stderr
    soon = reconciler("evidence", "push", str(server), "--config", config)
    assert soon.stdout.startswith("deferred: "), soon
    ledger = home / "evidence/example-clinic.git"
    ledger.rename(home / "lost")
    resumed = reconciler("evidence", "resume", str(server), "--config", config)
    assert resumed.returncode == 0, resumed.stderr
    assert "resumed at" in resumed.stdout
    assert reconciler("verify", str(ledger), "--signers", signers).returncode == 0


def test_readable_diffs_in_a_clone(
    rig: Rig, server: EvidenceServer, fast: Path, tmp_path: Path
) -> None:
    push(outbox(rig, server.url))
    clone = tmp_path / "clone"
    assert git(tmp_path, "clone", "-q", str(server.path), str(clone)).returncode == 0
    plain = git(clone, "show", "HEAD").stdout
    assert '"payload"' in plain
    (clone / ".git/info/attributes").write_text("*.dsse.json diff=dsse\n")
    readme = (ROOT / "evidence-repo/README.md").read_text().splitlines()
    (line,) = [one for one in readme if one.startswith("git config") and "python3" in one]
    subprocess.run(["sh", "-c", line], cwd=clone, check=True)
    by_python = git(clone, "show", "HEAD").stdout
    git(clone, "config", "diff.dsse.textconv", f"{fast}/reconciler evidence textconv")
    by_reconciler = git(clone, "show", "HEAD").stdout
    for shown in (by_python, by_reconciler):
        assert '+  "predicateType": "urn:reconciler:attestation:run:v1"' in shown
        assert '"payload"' not in shown

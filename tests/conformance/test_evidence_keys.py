"""Stock OpenSSH agrees about the keys we make, the lines we write, and who signed what."""

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.evidence import key_change, signers, sshsig
from reconciler.evidence.key_change import Action, Announcement
from reconciler.evidence.signer_lines import added, appliance_line, closed
from reconciler.ledger import keys, sealed_keys
from reconciler.ledger.sealed_keys import KeyFile, Protection
from tests.support.key_records import FIRST, PERSON, RECOVERY, SECOND, line, public
from tests.support.key_site import key_rig
from tests.support.tpm import NoSealer

pytestmark = [pytest.mark.conformance, pytest.mark.integration]

ANNOUNCEMENT = Announcement("refs/heads/elm/front", 42, "a" * 64, public(SECOND), Action.REPLACE)
DATA = ANNOUNCEMENT.to_bytes()
BOUND = closed(
    line("elm/front", FIRST, 'namespaces="git"', "the desk").encode(),
    "f",
    public(FIRST),
    41,
    "revoked: stolen",
)
SIGNERS = added(BOUND, "f", appliance_line("elm/front", public(SECOND), 42))
SIGNERS += line("recovery@msp.example", PERSON, RECOVERY).encode()


def ssh_keygen(*arguments: object, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        ["ssh-keygen", *map(str, arguments)],
        input=given,
        capture_output=True,
        env={**os.environ, "TZ": "UTC"},
        check=False,
        timeout=30,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "evidence_signers"
    path.write_bytes(SIGNERS)
    return path


def verified(file: Path, armor: str, data: bytes, principal: str, namespace: str) -> bool:
    signature = file.with_name("signature")
    signature.write_text(armor + "\n")
    done = ssh_keygen(
        "-Y", "verify", "-f", file, "-I", principal, "-n", namespace, "-s", signature, given=data
    )
    return done.returncode == 0


def test_a_range_is_a_comment_for_openssh(file: Path) -> None:
    """What stock tools do not see, `reconciler verify` does; nothing else is lost on them."""
    for key, principal in ((FIRST, "elm/front"), (SECOND, "elm/front")):
        armor = sshsig.sign(key, b"a commit", "git")
        assert verified(file, armor, b"a commit", principal, "git")
        assert not verified(file, armor, b"a commit", "elm/back", "git")
    assert signers.parse(SIGNERS, "f").signers[0].positions == (0, 41)


def test_openssh_finds_the_principal_of_a_bound_key(file: Path) -> None:
    signature = file.with_name("signature")
    signature.write_text(sshsig.sign(SECOND, b"a commit", "git") + "\n")
    found = ssh_keygen("-Y", "find-principals", "-f", file, "-s", signature)
    assert found.stdout.decode().split() == ["elm/front"]


def test_openssh_verifies_an_authorization(file: Path) -> None:
    armor = key_change.authorize(ANNOUNCEMENT, PERSON)
    namespace = key_change.RECOVERY_NAMESPACE
    assert verified(file, armor, DATA, "recovery@msp.example", namespace)
    assert not verified(file, armor, DATA, "recovery@msp.example", "git")
    assert not verified(file, armor, DATA + b"\n", "recovery@msp.example", namespace)


def test_openssh_refuses_an_authorization_by_an_appliance(file: Path) -> None:
    armor = key_change.authorize(ANNOUNCEMENT, FIRST)
    assert not verified(file, armor, DATA, "elm/front", key_change.RECOVERY_NAMESPACE)


def test_openssh_checks_a_proof(tmp_path: Path) -> None:
    signature = tmp_path / "signature"
    signature.write_text(key_change.prove(ANNOUNCEMENT, SECOND) + "\n")
    done = ssh_keygen(
        "-Y", "check-novalidate", "-n", key_change.CHANGE_NAMESPACE, "-s", signature, given=DATA
    )
    assert done.returncode == 0
    assert sshsig.fingerprint(public(SECOND)) in done.stdout.decode()


def test_we_verify_an_authorization_that_openssh_made(tmp_path: Path) -> None:
    keys.write_new(tmp_path / "person", keys.private_text(PERSON), 0o600)
    request = tmp_path / "request.json"
    request.write_bytes(DATA)
    made = ssh_keygen(
        "-Y", "sign", "-n", key_change.RECOVERY_NAMESPACE, "-f", tmp_path / "person", request
    )
    assert made.returncode == 0, made.stderr
    armor = (tmp_path / "request.json.sig").read_text().removesuffix("\n")
    assert armor == key_change.authorize(ANNOUNCEMENT, PERSON)


def test_the_public_half_beside_a_key_is_its_own(tmp_path: Path) -> None:
    place = KeyFile.at(tmp_path / "appliance")
    key = sealed_keys.make(place, "elm/front", Protection.FILE, NoSealer())
    shown = ssh_keygen("-l", "-f", place.public).stdout.decode()
    assert shown.startswith(f"256 {sshsig.fingerprint(keys.public(key))} elm/front")
    derived = ssh_keygen("-y", "-f", place.path).stdout.decode().split()[:2]
    assert derived == place.public.read_text().split()[:2]


def test_git_log_names_both_keys_of_a_rotated_ledger(tmp_path: Path) -> None:
    desk = key_rig(tmp_path, runs=0)
    changed = desk.rotate()
    desk.run()
    lines = desk.rig.git("log", "--format=%G? %GS %GF", "smile/desk").stdout.splitlines()
    old, new = map(sshsig.fingerprint, (changed.old, changed.new))
    assert lines == [f"G smile/desk {new}", *[f"G smile/desk {old}"] * 4]

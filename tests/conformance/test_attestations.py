"""Stock OpenSSH, git and securesystemslib agree about what people sign, hardware keys included."""

import json
from base64 import b64decode
from pathlib import Path

import pytest
from securesystemslib.dsse import Envelope

from reconciler.errors import EvidenceError
from reconciler.evidence import commit as commits
from reconciler.evidence import sshsig
from reconciler.trust import envelope, statements
from tests.support.attested import APPROVAL, STATEMENTS
from tests.support.authenticator import VERIFIED, Authenticator
from tests.support.commands import MINIMAL_ENV, CommandFailed, call, host
from tests.support.evidence_keys import test_key as key_of
from tests.support.fleet_git import SIGNERS, FleetRepo, signers_text

pytestmark = [pytest.mark.conformance, pytest.mark.integration]

PAYLOAD = statements.write(APPROVAL)
SIGNED = envelope.to_be_signed(PAYLOAD)
YUBIKEY = Authenticator("bob-yubikey")
ALICE = sshsig.public_text(sshsig.raw_public(key_of("alice")))


@pytest.fixture
def signers(tmp_path: Path) -> Path:
    file = tmp_path / "allowed_signers"
    line = f'alice@msp.example namespaces="git,{envelope.NAMESPACE}" {ALICE}\n'
    file.write_text(line + YUBIKEY.line("bob@msp.example"))
    return file


def stock(signers: Path, armor: str, data: bytes, who: str, namespace: str) -> bool:
    """Whether ``ssh-keygen -Y verify`` says that it is a good signature."""
    signature = signers.with_name("signature")
    signature.write_text(armor + "\n")
    argv = ("ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", who, "-n", namespace)
    done = call((*argv, "-s", str(signature)), input=data, timeout=30, env=MINIMAL_ENV)
    return done.returncode == 0


def armor_in(sealed: bytes) -> str:
    """What a person without our code takes out of an envelope."""
    return sshsig.armor_of(b64decode(json.loads(sealed)["signatures"][0]["sig"]))


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: type(s).__name__)
def test_ssh_keygen_verifies_what_we_seal(signers: Path, statement) -> None:
    payload = statements.write(statement)
    armor = armor_in(envelope.seal(payload, key_of("alice")))
    signed = envelope.to_be_signed(payload)
    assert stock(signers, armor, signed, "alice@msp.example", envelope.NAMESPACE)
    assert not stock(signers, armor, signed + b" ", "alice@msp.example", envelope.NAMESPACE)
    assert not stock(signers, armor, payload, "alice@msp.example", envelope.NAMESPACE)
    assert not stock(signers, armor, signed, "alice@msp.example", "git")
    assert not stock(signers, armor, signed, "bob@msp.example", envelope.NAMESPACE)


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param("$SIGN -f key to-sign", id="file"),
        pytest.param(
            "ssh-agent sh -c 'ssh-add -q key; rm key; $SIGN -f key.pub to-sign'",
            id="agent",
        ),
    ],
)
def test_we_take_what_ssh_keygen_signs(tmp_path: Path, sign: str) -> None:
    host("ssh-keygen", "-q", "-t", "ed25519", "-C", "", "-N", "", "-f", str(tmp_path / "key"))
    (tmp_path / "to-sign").write_bytes(SIGNED)
    env = {**MINIMAL_ENV, "SIGN": f"ssh-keygen -Y sign -n {envelope.NAMESPACE}"}
    host("sh", "-ec", f"cd {tmp_path}; {sign}", env=env)
    opened = envelope.open_envelope(envelope.wrap(PAYLOAD, (tmp_path / "to-sign.sig").read_text()))
    key_type, text, *_ = (tmp_path / "key.pub").read_text().split()
    assert opened == envelope.Opened(PAYLOAD, sshsig.parse_public(key_type, text))


def test_other_tools_read_the_envelope_as_dsse() -> None:
    sealed = envelope.seal(PAYLOAD, key_of("alice"))
    read = Envelope.from_dict(json.loads(sealed))
    assert read.pae() == SIGNED
    assert read.payload == PAYLOAD
    assert list(read.signatures) == [sshsig.fingerprint(sshsig.raw_public(key_of("alice")))]


@pytest.mark.parametrize("key", [YUBIKEY, YUBIKEY.but(flags=VERIFIED, counter=2**31)])
def test_ssh_keygen_verifies_a_hardware_key(signers: Path, key: Authenticator) -> None:
    armor = key.sign(SIGNED, envelope.NAMESPACE)
    assert stock(signers, armor, SIGNED, "bob@msp.example", envelope.NAMESPACE)
    assert sshsig.verify(armor, SIGNED, envelope.NAMESPACE, sk=True) == YUBIKEY.public
    assert armor_in(envelope.wrap(PAYLOAD, armor)) == armor


def test_ssh_keygen_reads_a_hardware_key_as_we_do(tmp_path: Path) -> None:
    file = tmp_path / "key.pub"
    file.write_text(sshsig.public_line(YUBIKEY.public) + "\n")
    said = host("ssh-keygen", "-l", "-f", str(file))
    assert said.split()[1] == sshsig.fingerprint(YUBIKEY.public)
    assert "ED25519-SK" in said


def changed(at: int, flip: int) -> str:
    spoiled = bytearray(YUBIKEY.blob(SIGNED, envelope.NAMESPACE))
    spoiled[at] ^= flip
    return sshsig.armor_of(bytes(spoiled))


@pytest.mark.parametrize(
    "armor",
    [
        pytest.param(changed(-5, 0x04), id="flags"),
        pytest.param(changed(-1, 0x01), id="counter"),
        pytest.param(changed(-20, 0x01), id="signature"),
        pytest.param(
            YUBIKEY.but(application=b"ssh:x").sign(SIGNED, envelope.NAMESPACE), id="application"
        ),
        pytest.param(Authenticator("mallory").sign(SIGNED, envelope.NAMESPACE), id="key"),
        pytest.param(YUBIKEY.sign(SIGNED + b" ", envelope.NAMESPACE), id="message"),
        pytest.param(YUBIKEY.sign(SIGNED, "git"), id="namespace"),
    ],
)
def test_both_refuse_what_was_changed(signers: Path, armor: str) -> None:
    assert not stock(signers, armor, SIGNED, "bob@msp.example", envelope.NAMESPACE)
    try:
        public = sshsig.verify(armor, SIGNED, envelope.NAMESPACE, sk=True)
    except EvidenceError:
        return
    # Ours says which key; whoever asks holds it against the same list.
    assert public != YUBIKEY.public


def test_only_we_insist_on_the_touch(signers: Path) -> None:
    untouched = YUBIKEY.but(flags=0).sign(SIGNED, envelope.NAMESPACE)
    assert stock(signers, untouched, SIGNED, "bob@msp.example", envelope.NAMESPACE)
    with pytest.raises(EvidenceError, match="nobody touched"):
        sshsig.verify(untouched, SIGNED, envelope.NAMESPACE, sk=True)


def test_git_verifies_a_commit_of_a_hardware_key(tmp_path: Path) -> None:
    repo = FleetRepo(tmp_path)
    lines = signers_text("alice") + YUBIKEY.line("bob@msp.example", "git")
    root = repo.commit("alice", {SIGNERS: lines})
    payload = repo.payload([root])
    file = tmp_path / "allowed"
    file.write_text(lines)
    verify = ("-c", f"gpg.ssh.allowedSignersFile={file}", "verify-commit")

    good = repo.raw_commit(commits.with_signature(payload, YUBIKEY.sign(payload, "git")))
    repo.git(*verify, good)

    spoiled = YUBIKEY.blob(payload, "git")
    bad = repo.raw_commit(commits.with_signature(payload, sshsig.armor_of(spoiled[:-1] + b"\x7f")))
    with pytest.raises(CommandFailed):
        repo.git(*verify, bad)

from base64 import b64decode, b64encode
from dataclasses import replace

import pytest

from reconciler.errors import EvidenceError, InputError
from reconciler.evidence import commit, key_change, signers, sshsig
from reconciler.evidence.key_change import Action, Announcement
from reconciler.evidence.signers import Refusal, Signer
from reconciler.trust import envelope
from tests.support.attested import AT
from tests.support.authenticator import TOUCHED, VERIFIED, Authenticator
from tests.support.evidence_keys import test_key as key_of

KEY = Authenticator("bob-yubikey")
MESSAGE = b"tree 1\n\nhello\n"
BLOB = KEY.blob(MESSAGE, "git")


def verified(blob: bytes, message: bytes = MESSAGE, namespace: str = "git") -> bytes:
    return sshsig.verify(sshsig.armor_of(blob), message, namespace, sk=True)


def test_a_signature_names_its_key() -> None:
    assert verified(BLOB) == KEY.public
    assert len(KEY.public) > 32
    assert verified(KEY.but(flags=VERIFIED).blob(MESSAGE, "git")) == KEY.public
    assert verified(KEY.but(application=b"ssh:fleet").blob(MESSAGE, "git")) != KEY.public


def test_a_plain_key_may_sign_where_a_hardware_key_may() -> None:
    plain = key_of("alice")
    armor = sshsig.sign(plain, MESSAGE, "git")
    assert sshsig.verify(armor, MESSAGE, "git", sk=True) == sshsig.raw_public(plain)


def test_where_nobody_asks_for_them_hardware_keys_sign_nothing() -> None:
    with pytest.raises(EvidenceError):
        sshsig.verify(sshsig.armor_of(BLOB), MESSAGE, "git")


def test_without_a_touch_it_is_no_signature() -> None:
    for flags in (0x00, 0x04):
        with pytest.raises(EvidenceError, match="nobody touched"):
            verified(KEY.but(flags=flags).blob(MESSAGE, "git"))


@pytest.mark.parametrize("flags", [0x03, 0x21, 0x41, 0x81, 0xFF])
def test_flags_that_are_not_understood_are_refused(flags: int) -> None:
    with pytest.raises(EvidenceError, match="set flags"):
        verified(KEY.but(flags=flags).blob(MESSAGE, "git"))


@pytest.mark.parametrize("application", [b"", b"ssh", b"msp.example", b"ssh:\n", b"ssh:" * 40])
def test_a_key_that_was_made_for_something_else_is_refused(application: bytes) -> None:
    key = KEY.but(application=application)
    with pytest.raises(EvidenceError, match="not for ssh:"):
        verified(key.blob(MESSAGE, "git"))
    with pytest.raises(EvidenceError, match="not for ssh:"):
        sshsig.parse_public(*sshsig.public_text(key.public).split(" "))


def test_flags_and_counter_are_signed() -> None:
    for at in (-5, -4, -1):
        spoiled = bytearray(BLOB)
        spoiled[at] ^= 0x04
        with pytest.raises(EvidenceError, match="does not fit"):
            verified(bytes(spoiled))


def test_the_application_is_signed() -> None:
    moved = KEY.but(application=b"ssh:x").blob(MESSAGE, "git")
    other = KEY.but(application=b"ssh:y")
    forged = moved.replace(b"ssh:x", b"ssh:y")
    assert other.public in forged
    with pytest.raises(EvidenceError, match="does not fit"):
        verified(forged)


def test_another_message_namespace_or_key_does_not_fit() -> None:
    with pytest.raises(EvidenceError, match="does not fit"):
        verified(BLOB, MESSAGE + b" ")
    with pytest.raises(EvidenceError, match="namespace"):
        verified(BLOB, namespace="reconciler-attestation")
    other = Authenticator("mallory")
    with pytest.raises(EvidenceError, match="does not fit"):
        verified(BLOB.replace(KEY.public, other.public))


def test_a_plain_signature_is_none_of_a_hardware_key() -> None:
    raw = key_of(KEY.name)
    blob = sshsig.blob_of(sshsig.sign(raw, MESSAGE, "git"))
    assert verified(blob) == sshsig.raw_public(raw) != KEY.public


@pytest.mark.parametrize(
    "spoil",
    [
        lambda blob: blob + b"\0",
        lambda blob: blob[:-1],
        lambda blob: blob[:-5],
        lambda blob: b"",
        lambda blob: blob.replace(b"SSHSIG\0\0\0\x01", b"SSHSIG\0\0\0\x02"),
        lambda blob: blob.replace(b"sha512", b"sha256"),
        lambda blob: blob.replace(b"sk-ssh-ed25519@openssh.com", b"sk-ssh-ed25518@openssh.com"),
        lambda blob: blob.replace(b"sk-ssh-ed25519@openssh.com", b"ssh-ed25519", 1),
        lambda blob: blob[:10] + b"\xff\xff\xff\xff" + blob[14:],
        lambda blob: blob[:10] + b"\0\0\0\0" + blob[14:],
        lambda blob: blob[:14],
    ],
)
def test_every_field_of_the_blob_is_checked(spoil) -> None:
    assert spoil(BLOB) != BLOB
    with pytest.raises(EvidenceError):
        verified(spoil(BLOB))


def test_every_single_byte_of_the_blob_matters() -> None:
    for at in range(len(BLOB)):
        for flip in (0x01, 0x80):
            spoiled = bytearray(BLOB)
            spoiled[at] ^= flip
            with pytest.raises(EvidenceError):
                verified(bytes(spoiled))


def test_there_is_one_armor() -> None:
    armor = sshsig.armor_of(BLOB)
    for spoiled in (armor + "\n", " " + armor, armor.replace("\n", "\n\n", 1)):
        with pytest.raises(EvidenceError):
            sshsig.verify(spoiled, MESSAGE, "git", sk=True)


def test_a_public_key_survives_its_text_form() -> None:
    words = sshsig.public_line(KEY.public, "bob@msp.example").split(" ")
    assert words[0] == "sk-ssh-ed25519@openssh.com"
    assert sshsig.parse_public(words[0], words[1]) == KEY.public
    assert sshsig.fingerprint(KEY.public).startswith("SHA256:")


@pytest.mark.parametrize(
    ("key_type", "blob"),
    [
        ("sk-ssh-ed25519@openssh.com", KEY.public + b"\0"),
        ("sk-ssh-ed25519@openssh.com", KEY.public[:-1]),
        ("sk-ssh-ed25519@openssh.com", b""),
        ("ssh-ed25519", KEY.public),
        ("sk-ssh-ed25519@openssh.com", sshsig.raw_public(key_of("bob"))),
        ("sk-ecdsa-sha2-nistp256@openssh.com", KEY.public),
    ],
)
def test_other_keys_are_refused(key_type: str, blob: bytes) -> None:
    with pytest.raises(EvidenceError):
        sshsig.parse_public(key_type, b64encode(blob).decode())


def test_a_plain_key_whose_bytes_look_like_a_blob_is_a_plain_key() -> None:
    raw = (b"\0\0\0\x1ask-ssh-ed25519@openssh.com" + b"x" * 32)[:32]
    text = sshsig.public_text(raw)
    assert text.startswith("ssh-ed25519 ")
    assert sshsig.parse_public(*text.split(" ")) == raw


def test_hardware_keys_stand_in_allowed_signers() -> None:
    line = KEY.line("bob-yubikey@msp.example")
    listed = signers.parse(line.encode(), "allowed_signers")
    found = listed.find(KEY.public, "git", AT)
    assert isinstance(found, Signer)
    assert found.principal == "bob-yubikey@msp.example"
    assert signers.render(found) + "\n" == line
    assert listed.find(KEY.public, "file", AT) is Refusal.WRONG_NAMESPACE
    assert listed.find(sshsig.raw_public(key_of(KEY.name)), "git", AT) is Refusal.UNKNOWN_KEY


def test_a_hardware_key_is_bound_to_no_ledger() -> None:
    line = KEY.line("clinic/desk-1").rstrip("\n") + " ledger:0-\n"
    with pytest.raises(InputError, match="signs no ledger"):
        signers.parse(line.encode(), "evidence_signers")


def signed_commit(key: Authenticator) -> commit.Commit:
    person = commit.Person("B", "bob@msp.example", 1_772_000_000, "+0000")
    payload = commit.unsigned("1" * 40, (), person, person, b"m\n")
    return commit.parse(commit.with_signature(payload, key.sign(payload, "git")))


def test_a_fleet_commit_may_be_signed_by_hardware_and_an_entry_of_a_ledger_may_not() -> None:
    signed = signed_commit(KEY)
    assert signed.signed_by(sk=True) == KEY.public
    with pytest.raises(EvidenceError):
        signed.signed_by()


def test_no_hardware_key_follows_in_a_ledger_or_hands_one_over() -> None:
    announced = Announcement("refs/heads/elm/front", 4, "a" * 64, KEY.public, Action.REPLACE)
    with pytest.raises(EvidenceError):
        Announcement.from_bytes(announced.to_bytes())
    with pytest.raises(EvidenceError):
        key_change.public_of(sshsig.public_text(KEY.public))
    honest = replace(announced, public=sshsig.raw_public(key_of("alice")))
    armor = KEY.sign(honest.to_bytes(), key_change.RECOVERY_NAMESPACE)
    listed = signers.parse(KEY.line("bob@msp.example", key_change.RECOVERY_NAMESPACE).encode(), "f")
    with pytest.raises(EvidenceError, match="does not verify"):
        key_change.check_authorization(armor, honest, listed, AT)


def test_an_envelope_may_be_signed_by_hardware() -> None:
    armor = KEY.sign(envelope.to_be_signed(b"{}"), envelope.NAMESPACE)
    sealed = envelope.wrap(b"{}", armor)
    assert envelope.open_envelope(sealed) == envelope.Opened(b"{}", KEY.public)
    untouched = KEY.but(flags=0x04).sign(envelope.to_be_signed(b"{}"), envelope.NAMESPACE)
    with pytest.raises(EvidenceError, match="nobody touched"):
        envelope.wrap(b"{}", untouched)
    for at in range(len(sealed)):
        spoiled = bytearray(sealed)
        spoiled[at] ^= 0x01
        with pytest.raises(EvidenceError):
            envelope.open_envelope(bytes(spoiled))


def test_a_signature_that_counts_its_touch_says_so_in_its_last_bytes() -> None:
    assert BLOB[-5] == TOUCHED
    assert int.from_bytes(BLOB[-4:], "big") == 1
    assert b64decode(sshsig.public_text(KEY.public).split(" ")[1]) == KEY.public

from base64 import b64decode, b64encode

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import sshsig
from tests.support.evidence_keys import test_key as key_of

KEY = key_of("alice")
PUBLIC = sshsig.raw_public(KEY)
MESSAGE = b"tree 1\n\nhello\n"
ARMOR = sshsig.sign(KEY, MESSAGE, "git")


def blob_of(armor: str) -> bytes:
    return b64decode("".join(armor.split("\n")[1:-1]))


def armor_of(blob: bytes) -> str:
    text = b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----"])


def test_a_signature_names_its_key() -> None:
    assert sshsig.verify(ARMOR, MESSAGE, "git") == PUBLIC


def test_the_armor_is_what_git_stores() -> None:
    lines = ARMOR.split("\n")
    assert lines[0] == "-----BEGIN SSH SIGNATURE-----"
    assert lines[-1] == "-----END SSH SIGNATURE-----"
    assert {len(line) for line in lines[1:-2]} == {70}
    assert armor_of(blob_of(ARMOR)) == ARMOR


def test_another_message_or_key_does_not_fit() -> None:
    with pytest.raises(EvidenceError, match="does not fit"):
        sshsig.verify(ARMOR, MESSAGE + b" ", "git")
    swapped = blob_of(ARMOR).replace(PUBLIC, sshsig.raw_public(key_of("mallory")))
    with pytest.raises(EvidenceError, match="does not fit"):
        sshsig.verify(armor_of(swapped), MESSAGE, "git")


def test_a_signature_for_another_purpose_is_refused() -> None:
    with pytest.raises(EvidenceError, match="namespace 'git'"):
        sshsig.verify(sshsig.sign(KEY, MESSAGE, "file"), MESSAGE, "git")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda armor: armor + "\n",
        lambda armor: " " + armor,
        lambda armor: armor.replace("\n", "\r\n"),
        lambda armor: armor.replace("\n", "\n\n", 1),
        lambda armor: armor.replace("BEGIN", "BEGIN ", 1),
        lambda armor: armor + "\ncomment",
        lambda armor: armor[:40] + "!" + armor[41:],
        lambda armor: "",
        lambda armor: armor + "A" * 5000,
        lambda armor: armor.replace("U1NIU0lH", "\u00e91NIU0lH"),
    ],
)
def test_there_is_only_one_armor(spoil) -> None:
    with pytest.raises(EvidenceError):
        sshsig.verify(spoil(ARMOR), MESSAGE, "git")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda blob: blob + b"\0", "trailing"),
        (lambda blob: blob[:-1], "trailing"),
        (lambda blob: blob.replace(b"SSHSIG\0\0\0\x01", b"SSHSIG\0\0\0\x02"), "version 1"),
        (lambda blob: blob.replace(b"sha512", b"sha256"), "sha512"),
        (lambda blob: blob.replace(b"ssh-ed25519", b"ssh-ed25518", 1), "not ssh-ed25519"),
        (lambda blob: b"", "version 1"),
    ],
)
def test_every_field_of_the_blob_is_checked(spoil, says: str) -> None:
    with pytest.raises(EvidenceError, match=says):
        sshsig.verify(armor_of(spoil(blob_of(ARMOR))), MESSAGE, "git")


def test_every_single_byte_of_the_armor_matters() -> None:
    for at in range(len(ARMOR)):
        for other in ("A", "B", "=", "\n", " "):
            spoiled = ARMOR[:at] + other + ARMOR[at + 1 :]
            if spoiled != ARMOR:
                with pytest.raises(EvidenceError):
                    sshsig.verify(spoiled, MESSAGE, "git")


def test_a_public_key_survives_its_text_form() -> None:
    words = sshsig.public_line(PUBLIC, "alice@msp.example").split(" ")
    assert words[2] == "alice@msp.example"
    assert sshsig.parse_public(words[0], words[1]) == PUBLIC


@pytest.mark.parametrize(
    ("key_type", "text"),
    [
        ("ssh-rsa", sshsig.public_text(PUBLIC).split(" ")[1]),
        ("ssh-ed25519", "AAAA"),
        ("ssh-ed25519", sshsig.public_text(PUBLIC).split(" ")[1] + "AAAA"),
        ("ssh-ed25519", ""),
        ("ssh-ed25519", "not base64!"),
    ],
)
def test_other_keys_are_refused(key_type: str, text: str) -> None:
    with pytest.raises(EvidenceError):
        sshsig.parse_public(key_type, text)

"""Notes and verifier keys against the vectors of Go's sumdb/note and of C2SP signed-note."""

from base64 import b64decode

import pytest

from reconciler.evidence import signed_note
from reconciler.evidence.signed_note import COSIGNATURE, ED25519, parse_verifier_key, verifier_key
from reconciler.evidence.sshsig import fits
from tests.support.refusals import refused

# golang.org/x/mod/sumdb/note, note_test.go.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_LINE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKv"
    "qfqdngotpRZb6KE6RyyBwJnAM=\n"
)
GO_NOTE = f"{GO_TEXT}\n{GO_LINE}"
# c2sp.org/signed-note, section "Example".
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXpp"
    "zi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
LINE = "\u2014 a " + "AAAAAAAA" + "\n"


@pytest.mark.parametrize(("note", "vkey"), [(GO_NOTE, GO_KEY), (C2SP_NOTE, C2SP_KEY)])
def test_published_notes_verify(note: str, vkey: str) -> None:
    key, signed = parse_verifier_key(vkey), signed_note.read(note)
    assert str(signed) == note
    found = signed.by(key.name, signed_note.key_id(key.name, key.kind, key.public))
    assert found is not None
    assert fits(key.public, found.payload, signed.text.encode())
    assert not fits(key.public, found.payload, signed.text.encode() + b"\n")


def test_the_text_may_hold_empty_lines_and_any_script() -> None:
    text = "ed \u00e8 subito\n\n\nsera.\n"
    signed = signed_note.read(f"{text}\n{LINE}{LINE.replace('a', 'b', 1)}")
    assert signed.text == text
    assert [one.name for one in signed.signatures] == ["a", "b"]
    assert signed.by("c", b"\0\0\0\0") is None


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        GO_TEXT,
        f"{GO_TEXT}\n",
        GO_LINE,
        f"\n\n{GO_LINE}",
        GO_NOTE[:-1],
        GO_NOTE + "\n",
        GO_NOTE + "x",
        GO_NOTE + "x\n",
        f"{GO_TEXT}{GO_LINE}",
        GO_NOTE.replace("\u2014", "-"),
        GO_NOTE.replace("\u2014", "\u2013"),
        GO_NOTE.replace("\u2014 ", "\u2014"),
        GO_NOTE.replace("\u2014 ", "\u2014  "),
        GO_NOTE.replace("\n", "\r\n"),
        GO_NOTE.replace("you", "y\tu"),
        GO_NOTE.replace("you", "y\0u"),
        GO_NOTE.replace("you", "y\ud800u"),
        GO_NOTE.replace("PeterNeumann", "Peter+Neumann"),
        GO_NOTE.replace("PeterNeumann", "Peter\u00a0Neumann"),
        GO_NOTE.replace("PeterNeumann", "Peter\u2003Neumann"),
        GO_NOTE.replace("PeterNeumann", "P" * 257),
        GO_NOTE.replace("AM=\n", "AM\n"),
        GO_NOTE.replace("AM=\n", "AN=\n"),
        GO_NOTE.replace("AM=\n", "AM==\n"),
        GO_NOTE.replace("AM=\n", "AM= \n"),
        GO_NOTE.replace("AM=\n", "AM=\u2028\n"),
        f"x\n\n{LINE.replace('AAAAAAAA', 'AAAAAA==')}",
        f"x\n\n{LINE * 65}",
        f"{'x' * 65_536}\n\n{LINE}",
    ],
)
def test_anything_but_a_note_is_refused(note: str) -> None:
    assert refused(signed_note.read, note)


def test_many_witnesses_have_room_but_not_without_end() -> None:
    assert len(signed_note.read(f"x\n\n{LINE * 64}").signatures) == 64
    assert "twice" in refused(signed_note.read(f"x\n\n{LINE * 2}").by, "a", b"\0\0\0\0")


def test_lines_alone_are_read_as_strictly() -> None:
    assert signed_note.signature_lines(signed_note.read_lines(GO_LINE)) == GO_LINE
    for lines in ("", "\n", GO_LINE[:-1], f"{GO_LINE}\n", f"\n{GO_LINE}", GO_TEXT, LINE * 65):
        assert refused(signed_note.read_lines, lines)


@pytest.mark.parametrize("text", [GO_KEY, C2SP_KEY])
def test_verifier_keys_go_both_ways(text: str) -> None:
    key = parse_verifier_key(text)
    assert key.kind == ED25519
    assert verifier_key(key.name, key.kind, key.public) == text
    other = verifier_key(key.name, COSIGNATURE, key.public)
    assert other != text
    assert parse_verifier_key(other).public == key.public


def test_no_part_and_no_change_of_a_verifier_key_is_one() -> None:
    for start in range(len(GO_KEY)):
        for end in range(start + 1, len(GO_KEY) + 1):
            if (start, end) != (0, len(GO_KEY)):
                assert refused(parse_verifier_key, GO_KEY[start:end])
    for at, letter in enumerate(GO_KEY):
        assert refused(parse_verifier_key, GO_KEY[:at] + chr(ord(letter) + 1) + GO_KEY[at + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        # Wrong length and unknown type, both with the hash adjusted; from note_test.go.
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY + "\n",
        " " + GO_KEY,
    ],
)
def test_another_kind_of_verifier_key_is_refused(text: str) -> None:
    assert refused(parse_verifier_key, text)


def test_what_is_no_key_gets_no_verifier_key() -> None:
    public = parse_verifier_key(GO_KEY).public
    assert "type" in refused(verifier_key, "a", 2, public)
    assert "32 bytes" in refused(verifier_key, "a", ED25519, public[1:])
    for name in ("", "a b", "a+b", "a\tb", "a" * 257):
        assert "name" in refused(verifier_key, name, ED25519, public)


def test_base64_has_one_form() -> None:
    assert signed_note.decode64("AAE=", 2) == b"\0\1"
    for text in ("AAF=", "AAE", "AAE==", "AA E=", "AAE=\n", "A", "-_==", "\u00e9"):
        assert refused(signed_note.decode64, text)
    assert "not 3" in refused(signed_note.decode64, "AAE=", 3)
    assert b64decode("AAF=") == signed_note.decode64("AAE=")

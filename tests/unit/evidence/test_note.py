"""Checkpoints and cosignatures: what is signed, who signed it, and every way to lie about it."""

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import note
from reconciler.evidence.merkle import EMPTY_ROOT
from reconciler.evidence.note import Checkpoint
from reconciler.evidence.signed_note import Signature, SignedNote, key_id, read
from reconciler.evidence.sshsig import fits, raw_public
from tests.support.evidence_keys import test_key as key_of
from tests.support.refusals import refused

ORIGIN = "reconciler/example-clinic/appliance-1"
LOG, HUB, PEER, ROGUE = (key_of(name) for name in ("alice", "hub", "peer", "rogue"))
PUBLIC = raw_public(LOG)
WITNESSES = {"hub": raw_public(HUB), "peer": raw_public(PEER)}
CHECKPOINT = Checkpoint(ORIGIN, 20852163, bytes(range(32)))
TEXT = f"{ORIGIN}\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
NOTE = note.sign_checkpoint(CHECKPOINT, LOG)
COSIGNED = note.cosign(note.cosign(NOTE, "hub", HUB, 1_700_000_000), "peer", PEER, 1_700_000_001)


def signed(text: str, name: str = ORIGIN, kind: int = note.ED25519) -> str:
    """A note with a good signature of whatever text."""
    signature = Signature(name, key_id(name, kind, PUBLIC), LOG.sign(text.encode()))
    return str(SignedNote(text, (signature,)))


def test_the_text_is_the_one_of_the_standard() -> None:
    assert note.checkpoint_text(CHECKPOINT) == TEXT
    assert NOTE.startswith(f"{TEXT}\n\u2014 {ORIGIN} ")
    assert note.open_checkpoint(NOTE, ORIGIN, PUBLIC) == CHECKPOINT == note.read_checkpoint(NOTE)
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT, ("one", "two 2"))
    assert note.open_checkpoint(note.sign_checkpoint(empty, LOG), ORIGIN, PUBLIC) == empty


def test_a_cosignature_signs_what_the_standard_says() -> None:
    line = read(COSIGNED).signatures[1]
    assert line.name == "hub"
    assert line.key_id == key_id("hub", 4, WITNESSES["hub"])
    assert len(line.payload) == 72
    assert int.from_bytes(line.payload[:8], "big") == 1_700_000_000
    message = b"cosignature/v1\ntime 1700000000\n" + TEXT.encode()
    assert fits(WITNESSES["hub"], line.payload[8:], message)


def test_cosignatures_are_found_and_the_checkpoint_still_opens() -> None:
    assert note.open_checkpoint(COSIGNED, ORIGIN, PUBLIC) == CHECKPOINT
    assert note.cosignatures(COSIGNED, WITNESSES) == {"hub": 1_700_000_000, "peer": 1_700_000_001}
    assert note.cosignatures(COSIGNED, {"peer": WITNESSES["peer"]}) == {"peer": 1_700_000_001}
    assert note.cosignatures(NOTE, WITNESSES) == {}
    assert note.cosignatures(COSIGNED, {"hub": raw_public(ROGUE)}) == {}
    assert note.cosignatures(COSIGNED, {}) == {}


def test_a_checkpoint_is_of_one_log_and_one_key() -> None:
    assert "not signed" in refused(note.open_checkpoint, NOTE, "reconciler/other/host", PUBLIC)
    assert "not signed" in refused(note.open_checkpoint, NOTE, ORIGIN, raw_public(ROGUE))
    other = signed(TEXT.replace("appliance-1", "appliance-2"))
    assert "appliance-2" in refused(note.open_checkpoint, other, ORIGIN, PUBLIC)
    wrong = signed(TEXT, kind=note.COSIGNATURE)
    assert "not signed" in refused(note.open_checkpoint, wrong, ORIGIN, PUBLIC)
    doubled = NOTE + NOTE.split("\n\n")[1]
    assert "twice" in refused(note.open_checkpoint, doubled, ORIGIN, PUBLIC)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n05\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        f"{ORIGIN}\n-5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        f"{ORIGIN}\n+5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        f"{ORIGIN}\n5 \nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        f"{ORIGIN}\n\u0665\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        f"{ORIGIN}\n9007199254740992\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        f"{ORIGIN}\n{'9' * 5000}\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        f"{ORIGIN}\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
        f"{ORIGIN}\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n",
        f"{ORIGIN}\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n",
        f"{ORIGIN}\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\nmore\n",
        f"{ORIGIN}\n\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    ],
)
def test_a_good_signature_does_not_make_a_checkpoint(text: str) -> None:
    assert refused(note.open_checkpoint, signed(text), ORIGIN, PUBLIC)
    assert refused(note.cosign, signed(text), "hub", HUB, 1)
    assert refused(note.cosignatures, signed(text), WITNESSES)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("", 5, bytes(32)),
        Checkpoint("a b", 5, bytes(32)),
        Checkpoint("a\n5", 5, bytes(32)),
        Checkpoint("a+b", 5, bytes(32)),
        Checkpoint("a", -1, bytes(32)),
        Checkpoint("a", 2**53, bytes(32)),
        Checkpoint("a", 5, bytes(31)),
        Checkpoint("a", 5, bytes(32), ("",)),
        Checkpoint("a", 5, bytes(32), ("x\ny",)),
        Checkpoint("a", 5, bytes(32), ("x\ty",)),
    ],
)
def test_what_cannot_be_read_back_is_not_signed(checkpoint: Checkpoint) -> None:
    refused(lambda: note.open_checkpoint(note.sign_checkpoint(checkpoint, LOG), "a", PUBLIC))


def test_a_witness_signs_once_and_at_a_time() -> None:
    assert "already" in refused(note.cosign, COSIGNED, "hub", HUB, 1_700_000_009)
    for at in (0, -1, 2**53):
        assert "time" in refused(note.cosign, NOTE, "hub", HUB, at)
    assert "name" in refused(note.cosign, NOTE, "h u b", HUB, 1)


def test_one_key_is_not_two_witnesses() -> None:
    twice = note.cosign(note.cosign(NOTE, "a", HUB, 1), "b", HUB, 2)
    names = {"a": raw_public(HUB), "b": raw_public(HUB)}
    assert "same key" in refused(note.cosignatures, twice, names)


def test_forged_cosignatures_of_a_known_name_are_refused() -> None:
    hub = read(COSIGNED).signatures[1]
    known = hub.key_id
    forgeries = (
        hub.payload[:8] + bytes(64),
        (1_700_000_002).to_bytes(8, "big") + hub.payload[8:],
        bytes(8) + hub.payload[8:],
        hub.payload[8:],
        hub.payload + b"\0",
        bytes((255,)) * 72,
    )
    for payload in forgeries:
        forged = str(SignedNote(TEXT, (Signature("hub", known, payload),)))
        assert "hub" in refused(note.cosignatures, forged, WITNESSES)
    moved = str(SignedNote(TEXT.replace("20852163", "20852164"), (hub,)))
    assert "forged" in refused(note.cosignatures, moved, WITNESSES)
    assert "twice" in refused(note.cosignatures, str(SignedNote(TEXT, (hub, hub))), WITNESSES)


def test_an_answer_adds_only_known_and_valid_lines() -> None:
    answer = COSIGNED.split("\n\n")[1].split("\n", 1)[1]
    hub = {"hub": WITNESSES["hub"]}
    assert note.add_cosignatures(NOTE, answer, WITNESSES) == COSIGNED
    assert note.cosignatures(note.add_cosignatures(NOTE, answer, hub), WITNESSES) == {
        "hub": 1_700_000_000
    }
    assert "no cosignature" in refused(note.add_cosignatures, NOTE, answer, {"x": PUBLIC})
    assert "twice" in refused(note.add_cosignatures, NOTE, answer + answer, WITNESSES)
    other = note.sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), LOG)
    assert "forged" in refused(note.add_cosignatures, other, answer, WITNESSES)
    assert refused(note.add_cosignatures, NOTE, "nonsense\n", WITNESSES)


def test_single_lines_can_be_taken_out_of_a_note() -> None:
    assert note.signed_only_by(COSIGNED, ORIGIN, [PUBLIC]) == NOTE
    line = note.cosignature_of(COSIGNED, "peer", WITNESSES["peer"])
    assert line == f"{COSIGNED.splitlines()[-1]}\n"
    for publics in ([], [raw_public(ROGUE)], [PUBLIC, raw_public(ROGUE)]):
        assert "not signed" in refused(note.signed_only_by, COSIGNED, ORIGIN, publics)
    assert "not cosigned" in refused(note.cosignature_of, NOTE, "hub", WITNESSES["hub"])


def judged(text: str) -> object:
    return note.open_checkpoint(text, ORIGIN, PUBLIC), note.cosignatures(text, WITNESSES)


def test_no_changed_bit_of_a_note_says_the_same() -> None:
    honest, raw = judged(COSIGNED), COSIGNED.encode()
    seen = 0
    for at in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[at] ^= 1 << bit
            try:
                assert judged(changed.decode()) != honest
                seen += 1
            except (EvidenceError, UnicodeDecodeError):
                continue
    # What is left is a name or a key id changed to one that nobody knows: it counts for nobody.
    names = sum(map(len, ("hub", "peer"))) * 8
    assert 0 < seen <= names + 2 * 32

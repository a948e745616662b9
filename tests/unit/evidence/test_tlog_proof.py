"""A proof of one entry: its text, what it proves, and that no changed bit of it proves the same."""

import hashlib
from base64 import b64encode

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import note, tlog_proof
from reconciler.evidence.merkle import leaf_hash
from reconciler.evidence.merkle_tree import Tree
from reconciler.evidence.sshsig import raw_public
from reconciler.evidence.tlog_proof import Proven, TlogProof, read, write
from tests.support.evidence_keys import test_key as key_of
from tests.support.refusals import refused

ORIGIN = "reconciler/example-clinic/appliance-1"
PUBLIC = raw_public(key_of("alice"))
WITNESSES = {"hub": raw_public(key_of("hub")), "peer": raw_public(key_of("peer"))}
DIGESTS = [hashlib.sha256(b"statement %d" % seq).digest() for seq in range(7)]
LOG = Tree(map(leaf_hash, DIGESTS))
CHECKPOINT = note.Checkpoint(ORIGIN, 7, LOG.root())
NOTE = note.cosign(note.sign_checkpoint(CHECKPOINT, key_of("alice")), "hub", key_of("hub"), 1_700)
PROOF = TlogProof(4, LOG.inclusion_proof(4, 7), NOTE)
TEXT = write(PROOF)


def judged(
    text: str, digest: bytes = DIGESTS[4], *, origin: str = ORIGIN, quorum: int = 1
) -> Proven:
    return tlog_proof.verify(
        text, digest, origin=origin, public=PUBLIC, witnesses=WITNESSES, quorum=quorum
    )


def test_the_text_is_laid_out_as_the_standard_says() -> None:
    hashes = [b64encode(item).decode() for item in LOG.inclusion_proof(4, 7)]
    assert "\n".join(["c2sp.org/tlog-proof@v1", "index 4", *hashes, "", NOTE]) == TEXT
    extra = write(TlogProof(4, PROOF.hashes, NOTE, b"age-v1.2.1"))
    assert extra.startswith("c2sp.org/tlog-proof@v1\nextra YWdlLXYxLjIuMQ==\nindex 4\n")
    assert read(extra).extra == b"age-v1.2.1"


def test_every_entry_of_a_log_can_be_shown() -> None:
    for seq, digest in enumerate(DIGESTS):
        text = write(TlogProof(seq, LOG.inclusion_proof(seq, 7), NOTE, b"x" * seq))
        assert judged(text, digest) == Proven(seq, CHECKPOINT, {"hub": 1_700})
    alone = Tree([leaf_hash(DIGESTS[0])])
    checkpoint = note.Checkpoint(ORIGIN, 1, alone.root())
    text = write(TlogProof(0, (), note.sign_checkpoint(checkpoint, key_of("alice"))))
    assert judged(text, DIGESTS[0], quorum=0).cosigned == {}


def test_enough_is_what_the_reader_says() -> None:
    assert "1 of the 2" in refused(judged, TEXT, quorum=2)
    assert judged(TEXT, quorum=0).cosigned == {"hub": 1_700}


def test_it_proves_one_entry_of_one_log() -> None:
    assert "entry 4" in refused(judged, TEXT, DIGESTS[5])
    assert "entry 5" in refused(judged, TEXT.replace("index 4", "index 5"))
    assert "not in a log" in refused(judged, TEXT.replace("index 4", "index 7"))
    assert "not signed" in refused(judged, TEXT, origin="reconciler/other/host")


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[1:],
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("@v1\n", "@v1\r\n"),
        TEXT.replace("@v1\n", "@v1\n\n"),
        TEXT.replace("index 4", "index 04"),
        TEXT.replace("index 4", "index -4"),
        TEXT.replace("index 4", "index  4"),
        TEXT.replace("index 4", "index \u0664"),
        TEXT.replace("index 4", "index 9007199254740992"),
        TEXT.replace("index 4", f"index {'4' * 5000}"),
        TEXT.replace("index 4", "index 4\nindex 4"),
        TEXT.replace("index 4", "extra \nindex 4"),
        TEXT.replace("index 4", "extra AAF=\nindex 4"),
        TEXT.replace("index 4", "extra AAAA\nextra AAAA\nindex 4"),
        TEXT.replace("index 4", f"extra {'AAAA' * 22_000}\nindex 4"),
        TEXT.replace("index 4", f"index 4\n{'AAAA' * 10}"),
        TEXT.replace("index 4\n", "index 4\n" + f"{b64encode(bytes(32)).decode()}\n" * 64),
        TEXT + "x" * 300_000,
    ],
)
def test_another_form_is_refused(text: str) -> None:
    assert refused(read, text)


def test_trailing_bytes_are_no_checkpoint() -> None:
    for text in (TEXT + "\n", TEXT + "x", TEXT[:-1], TEXT.replace("\n\n", "\n\n\n", 1)):
        assert refused(judged, text)


def test_what_cannot_be_read_back_is_not_written() -> None:
    assert refused(write, TlogProof(-1, (), NOTE))
    assert refused(write, TlogProof(0, (b"short",), NOTE))
    assert refused(write, TlogProof(0, (bytes(32),) * 64, NOTE))
    assert refused(write, TlogProof(0, (), NOTE, bytes(70_000)))


def test_no_changed_bit_of_a_proof_proves_the_same() -> None:
    raw, accepted = TEXT.encode(), 0
    for at in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[at] ^= 1 << bit
            try:
                judged(changed.decode())
                accepted += 1
            except (EvidenceError, UnicodeDecodeError):
                continue
    assert accepted == 0

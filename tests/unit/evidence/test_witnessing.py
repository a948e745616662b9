"""The decision of a witness, case by case of c2sp.org/tlog-witness."""

import hashlib

import pytest

from reconciler.evidence import note, witnessing
from reconciler.evidence.merkle import EMPTY_ROOT, leaf_hash
from reconciler.evidence.merkle_tree import Tree
from reconciler.evidence.sshsig import raw_public
from reconciler.evidence.witnessing import Cosign, Refuse, Seen, Status, decide, read_request
from tests.support.evidence_keys import test_key as key_of
from tests.support.refusals import refused

ORIGIN = "reconciler/example-clinic/appliance-1"
KEY, OLD_KEY = key_of("alice"), key_of("old")
PUBLICS = (raw_public(OLD_KEY), raw_public(KEY))
LEAVES = [leaf_hash(hashlib.sha256(b"statement %d" % seq).digest()) for seq in range(30)]
LOG = Tree(LEAVES)
FORK = Tree([*LEAVES[:12], leaf_hash(b"other"), *LEAVES[13:]])


def signed(size: int, root: bytes | None = None, *extensions: str) -> str:
    checkpoint = note.Checkpoint(ORIGIN, size, root or LOG.root(size), extensions)
    return note.sign_checkpoint(checkpoint, KEY)


def seen(size: int) -> Seen:
    return Seen(size, LOG.root(size), signed(size))


def request(
    old: int, new: int, tree: Tree = LOG, proof: tuple[bytes, ...] | None = None
) -> witnessing.Request:
    hashes = tree.consistency_proof(old, new) if proof is None else proof
    return read_request(witnessing.write_request(old, hashes, signed(new, tree.root(new))))


def refusal(last: Seen | None, asked: witnessing.Request) -> Refuse:
    answer = decide(PUBLICS, last, asked)
    assert isinstance(answer, Refuse)
    assert answer.message
    return answer


def test_growth_is_cosigned() -> None:
    for old, new in ((0, 1), (0, 20), (1, 20), (16, 20), (19, 20)):
        last = seen(old) if old else None
        checkpoint = note.Checkpoint(ORIGIN, new, LOG.root(new))
        assert decide(PUBLICS, last, request(old, new)) == Cosign(
            checkpoint, signed(new), again=False
        )
    assert decide(PUBLICS, seen(20), request(20, 20)) == Cosign(
        note.Checkpoint(ORIGIN, 20, LOG.root(20)), signed(20), again=True
    )
    empty = read_request(witnessing.write_request(0, (), signed(0, EMPTY_ROOT)))
    assert isinstance(decide(PUBLICS, None, empty), Cosign)


def test_lines_that_a_note_was_sent_with_are_not_passed_on() -> None:
    cosigned = note.cosign(signed(5), "hub", key_of("hub"), 1)
    both = (
        cosigned + note.sign_checkpoint(note.Checkpoint("x", 5, LOG.root(5)), KEY).split("\n\n")[1]
    )
    answer = decide(PUBLICS, None, read_request(witnessing.write_request(0, (), both)))
    assert isinstance(answer, Cosign)
    assert answer.note == signed(5)


def test_an_unknown_log_is_404() -> None:
    answer = decide((), None, request(0, 5))
    assert isinstance(answer, Refuse)
    assert answer.status is Status.UNKNOWN_LOG == 404


def test_a_checkpoint_without_the_logs_signature_is_403() -> None:
    foreign = note.sign_checkpoint(note.Checkpoint(ORIGIN, 5, LOG.root(5)), key_of("rogue"))
    asked = read_request(witnessing.write_request(0, (), foreign))
    assert refusal(None, asked).status is Status.NOT_SIGNED == 403
    text, _, line = signed(5).partition("\n\n")
    forged = read_request(
        witnessing.write_request(0, (), f"{text}\n\n{line}".replace("\n5\n", "\n6\n"))
    )
    assert refusal(None, forged).status is Status.NOT_SIGNED


def test_one_forged_signature_beside_a_good_one_is_403() -> None:
    good = signed(5)
    other = note.sign_checkpoint(note.Checkpoint(ORIGIN, 6, LOG.root(6)), OLD_KEY)
    both = good + other.split("\n\n")[1]
    asked = read_request(witnessing.write_request(0, (), both))
    assert refusal(None, asked).status is Status.NOT_SIGNED


def test_an_old_size_beyond_the_new_one_is_400() -> None:
    asked = request(7, 5, proof=())
    assert refusal(seen(7), asked).status is Status.MALFORMED == 400
    extended = read_request(witnessing.write_request(0, (), signed(5, None, "more")))
    assert "extension" in refusal(None, extended).message


def test_another_old_size_is_409_with_the_size() -> None:
    for last, old, size in ((None, 3, 0), (seen(7), 0, 7), (seen(7), 8, 7), (seen(7), 6, 7)):
        answer = refusal(last, request(old, 9))
        assert (answer.status, answer.size) == (Status.OTHER_SIZE, size)
        assert not answer.second_root


def test_what_is_not_consistent_is_422() -> None:
    for asked in (
        request(7, 9, proof=()),
        request(7, 9, proof=(*LOG.consistency_proof(7, 9), bytes(32))),
        request(7, 9, proof=LOG.consistency_proof(6, 9)),
        request(7, 7, proof=(bytes(32),)),
    ):
        assert refusal(seen(7), asked).status is Status.NOT_CONSISTENT == 422
    assert refusal(seen(20), request(20, 25, FORK)).status is Status.NOT_CONSISTENT
    assert refusal(None, request(0, 5, proof=(bytes(32),))).status is Status.NOT_CONSISTENT
    nothing = read_request(witnessing.write_request(0, (), signed(0, bytes(32))))
    assert refusal(None, nothing).status is Status.NOT_CONSISTENT


def test_two_roots_of_one_size_are_a_proof_against_the_log() -> None:
    answer = refusal(seen(20), request(20, 20, FORK))
    assert (answer.status, answer.second_root) == (Status.NOT_CONSISTENT, True)
    # Also where the request is refused for another reason already.
    other = refusal(seen(20), request(3, 20, FORK))
    assert (other.status, other.second_root) == (Status.OTHER_SIZE, True)
    assert not refusal(seen(20), request(20, 19, proof=())).second_root


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"old 0\n",
        b"old 0\n\n",
        b"old 00\n\n" + signed(5).encode(),
        b"old -1\n\n" + signed(5).encode(),
        b"old  0\n\n" + signed(5).encode(),
        b"old 9007199254740992\n\n" + signed(5).encode(),
        b"old " + b"9" * 5000 + b"\n\n" + signed(5).encode(),
        b"OLD 0\n\n" + signed(5).encode(),
        b"old 0\r\n\r\n" + signed(5).encode(),
        b"old 0\n" + signed(5).encode(),
        b"old 3\nAAAA\n\n" + signed(5).encode(),
        b"old 3\n" + b"A" * 42 + b"F=\n\n" + signed(5).encode(),
        b"old 3\n" + b"A" * 44 + b"\n\n" + signed(5).encode(),
        b"old 3\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + signed(5).encode(),
        b"old 0\n\n" + signed(5).encode() + b"\n",
        b"old 0\n\n" + signed(5).encode().split(b"\n\n")[0] + b"\n",
        b"old 0\n\n\xff" + signed(5).encode(),
        b"old 0\n\n" + b"x" * 200_000,
    ],
)
def test_anything_but_a_request_is_refused(body: bytes) -> None:
    assert refused(read_request, body)


def test_what_cannot_be_read_back_is_not_sent() -> None:
    assert refused(witnessing.write_request, -1, (), signed(5))
    assert refused(witnessing.write_request, 1, (b"short",), signed(5))
    assert refused(witnessing.write_request, 1, (bytes(32),) * 64, signed(5))
    assert refused(witnessing.write_request, 1, (), "no note")

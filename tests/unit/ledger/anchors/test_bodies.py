from base64 import b64encode
from typing import Any

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical
from reconciler.ledger.anchors.bodies import body, read_body
from reconciler.ledger.anchors.model import (
    MAX_PROOF,
    Anchor,
    AnchorState,
    CheckpointRef,
    Method,
    Problem,
    TimeProof,
)

ANCHOR = Anchor(
    Method.RFC3161,
    CheckpointRef(288, "a" * 64),
    "b" * 64,
    "alpha",
    AnchorState.COMPLETE,
    b"\x00proof\xff",
)


def changed(**fields: object) -> dict[str, Any]:
    return {**body(ANCHOR), **fields}


def test_a_body_is_the_documented_json_and_comes_back() -> None:
    made = body(ANCHOR)
    assert made == {
        "method": "rfc3161",
        "checkpoint": {"seq": 288, "sha256": "a" * 64},
        "note_sha256": "b" * 64,
        "authority": "alpha",
        "state": "complete",
        "proof": b64encode(b"\x00proof\xff").decode(),
    }
    assert read_body(canonical.decode(canonical.encode(made))) == ANCHOR


@pytest.mark.parametrize("size", [1, 2, 3, MAX_PROOF - 1, MAX_PROOF])
def test_proofs_of_every_size_come_back(size: int) -> None:
    anchor = Anchor(*_parts(ANCHOR)[:5], b"x" * size)
    assert read_body(body(anchor)) == anchor


@pytest.mark.parametrize("size", [0, MAX_PROOF + 1, MAX_PROOF + 2, 2 * MAX_PROOF])
def test_a_proof_that_could_not_be_read_back_is_not_written(size: int) -> None:
    with pytest.raises(EvidenceError, match="1 to 65536 bytes"):
        body(Anchor(*_parts(ANCHOR)[:5], b"x" * size))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "anchor",
        {},
        {key: value for key, value in body(ANCHOR).items() if key != "state"},
        changed(extra=1),
        changed(method="opentimestamp"),
        changed(method=None),
        changed(method=["rfc3161"]),
        changed(state="success"),
        changed(state=True),
        changed(authority=""),
        changed(authority="Alpha"),
        changed(authority="alpha\n"),
        changed(authority="a" * 64),
        changed(authority="\x1b[31m"),
        changed(note_sha256="B" * 64),
        changed(note_sha256="b" * 63),
        changed(note_sha256=7),
        changed(checkpoint=None),
        changed(checkpoint={"seq": 288}),
        changed(checkpoint={"seq": 0, "sha256": "a" * 64}),
        changed(checkpoint={"seq": -1, "sha256": "a" * 64}),
        changed(checkpoint={"seq": True, "sha256": "a" * 64}),
        changed(checkpoint={"seq": "288", "sha256": "a" * 64}),
        changed(checkpoint={"seq": 2**53, "sha256": "a" * 64}),
        changed(checkpoint={"seq": 288, "sha256": "a" * 64, "size": 1}),
        changed(proof=""),
        changed(proof="===="),
        changed(proof="AA"),
        changed(proof="AB=="),
        changed(proof="AAA=\n"),
        changed(proof="A-A_"),
        changed(proof=["AAAA"]),
        changed(proof="é" * 4),
    ],
)
def test_whatever_else_is_refused(document: object) -> None:
    with pytest.raises(EvidenceError):
        read_body(document)


def test_a_proof_without_a_time_proves_nothing() -> None:
    proof = TimeProof(Method.OPENTIMESTAMPS, "bitcoin", None, "pending")
    assert not proof.proven


def test_a_problem_reads_as_a_sentence() -> None:
    problem = Problem(Method.RFC3161, "alpha", "did not answer", "Look.")
    assert str(problem) == "rfc3161 by alpha: did not answer"


def _parts(anchor: Anchor) -> list[Any]:
    return [getattr(anchor, name) for name in Anchor.__slots__]

"""The body of an ``anchor`` entry: written in one form, read back strictly."""

import re
from base64 import b64decode, b64encode
from typing import Any, TypeVar, cast

from reconciler.errors import EvidenceError
from reconciler.evidence.canonical import MAX_INTEGER
from reconciler.ledger.anchors.model import MAX_PROOF, Anchor, AnchorState, CheckpointRef, Method

AUTHORITY = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
"""Names of authorities: they are written into evidence and printed, so nothing but plain words."""

_KEYS = ("authority", "checkpoint", "method", "note_sha256", "proof", "state")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HINT = "An anchor entry is written by the ledger and never edited."
_Word = TypeVar("_Word", Method, AnchorState)


def body(anchor: Anchor) -> dict[str, Any]:
    """The body of the entry that keeps an anchor.

    Raises:
        EvidenceError: What is to be written could not be read back.
    """
    made = {
        "authority": anchor.authority,
        "checkpoint": {"seq": anchor.checkpoint.seq, "sha256": anchor.checkpoint.sha256},
        "method": anchor.method.value,
        "note_sha256": anchor.note_sha256,
        "proof": b64encode(anchor.proof).decode("ascii"),
        "state": anchor.state.value,
    }
    read_body(made)
    return made


def read_body(document: object) -> Anchor:
    """Read the body of an ``anchor`` entry; what the proof is worth is not looked at.

    Args:
        document: The body, already decoded from canonical JSON.

    Raises:
        EvidenceError: A key too many or too few, another type, a word that is not known, base64
            that is not canonical, or a proof that is empty or too large.
    """
    fields = _object(document, _KEYS, "anchor")
    place = _object(fields["checkpoint"], ("seq", "sha256"), "anchor.checkpoint")
    return Anchor(
        method=_word(Method, fields["method"], "method"),
        checkpoint=CheckpointRef(_seq(place["seq"]), _text(place["sha256"], _SHA256, "sha256")),
        note_sha256=_text(fields["note_sha256"], _SHA256, "note_sha256"),
        authority=_text(fields["authority"], AUTHORITY, "authority"),
        state=_word(AnchorState, fields["state"], "state"),
        proof=_proof(fields["proof"]),
    )


def _object(value: object, keys: tuple[str, ...], name: str) -> dict[str, object]:
    if not isinstance(value, dict) or sorted(value, key=str) != list(keys):
        raise _refusal(f"{name} does not hold exactly {', '.join(keys)}")
    return cast("dict[str, object]", value)


def _word(kind: type[_Word], value: object, name: str) -> _Word:
    if not isinstance(value, str) or value not in [item.value for item in kind]:
        raise _refusal(f"anchor.{name} is {value!r:.40}, which this version does not know")
    return kind(value)


def _text(value: object, form: re.Pattern[str], name: str) -> str:
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise _refusal(f"anchor.{name} is not of the form {form.pattern}")
    return value


def _seq(value: object) -> int:
    if type(value) is not int or not 0 < value <= MAX_INTEGER:
        raise _refusal("anchor.checkpoint.seq is not the number of an entry after the first")
    return value


def _proof(value: object) -> bytes:
    if not isinstance(value, str) or not 0 < len(value) <= (MAX_PROOF + 2) // 3 * 4:
        raise _refusal(f"anchor.proof is not base64 of 1 to {MAX_PROOF} bytes")
    try:
        proof = b64decode(value, validate=True)
    except ValueError as error:
        raise _refusal(f"anchor.proof is not base64: {error}") from error
    if b64encode(proof).decode("ascii") != value or not 0 < len(proof) <= MAX_PROOF:
        raise _refusal(f"anchor.proof is not canonical base64 of 1 to {MAX_PROOF} bytes")
    return proof


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)

"""Asking a witness over HTTP for a cosignature of a checkpoint.

Rule 1: A witness's answer counts by its signature; its address proves nothing.
Rule 2: A witness that saw a longer log than ours knows of entries that we lost, or of another log
        under our name. That is an error, never a reason to ask with a smaller size.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.errors import EvidenceError, MachineError
from reconciler.evidence.note import add_cosignatures, read_checkpoint
from reconciler.evidence.witnessing import Status, write_request

MAX_ANSWER = 64 * 1024
TIMEOUT_S = 20.0

_SIZE = re.compile(rb"(0|[1-9][0-9]{0,15})\n")
_HINT = "See the witness's own ledger: what it objects to is written there."

Proofs = Callable[[int], Sequence[bytes]]
"""The consistency proof from an older size to the checkpoint's."""


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """A witness that can be asked.

    Attributes:
        url: Its submission prefix: ``https://hub.example/witness``.
        name: Its name: ``witness/<name>``.
        public: Its raw public key, 32 bytes.
    """

    url: str
    name: str
    public: bytes


def ask_for_cosignature(
    witness: WitnessAddress,
    note: str,
    proofs: Proofs,
    *,
    believed: int = 0,
    timeout_s: float = TIMEOUT_S,
) -> str:
    """Ask a witness to cosign a checkpoint.

    Args:
        witness: Whom.
        note: The checkpoint, signed by the log.
        proofs: Gives a consistency proof from the size that the witness names.
        believed: Size that it is believed to have seen last; if that is wrong it says so.
        timeout_s: Seconds for each of at most two questions.

    Returns:
        The note with the witness's cosignature.

    Raises:
        EvidenceError: It refused, its answer is not its cosignature, or it saw a longer log.
        InputError: Its address must not be asked.
        MachineError: It does not answer.
    """
    size = read_checkpoint(note).size
    status, content = _ask(witness, write_request(believed, proofs(believed), note), timeout_s)
    if status == Status.OTHER_SIZE:
        known = _other_size(witness, content, size)
        status, content = _ask(witness, write_request(known, proofs(known), note), timeout_s)
    if status != 200:
        raise _refused(witness, status, content)
    return add_cosignatures(note, _text(witness, content), {witness.name: witness.public})


def _ask(witness: WitnessAddress, body: bytes, timeout_s: float) -> tuple[int, bytes]:
    from reconciler.ledger.anchors.http import NoReply, Question, ask  # noqa: PLC0415 - lazy: httpx

    question = Question(f"{witness.url}/add-checkpoint", body, {"Content-Type": "text/plain"})
    (reply,) = ask([question], max_bytes=MAX_ANSWER, timeout_s=timeout_s)
    if isinstance(reply, NoReply):
        message = f"witness {witness.name} does not answer: {reply.reason}"
        raise MachineError(message, hint="The checkpoint stays; ask again later.")
    return reply.status, reply.content


def _other_size(witness: WitnessAddress, content: bytes, size: int) -> int:
    match = _SIZE.fullmatch(content)
    if match is None:
        message = f"witness {witness.name} does not say which size it saw"
        raise EvidenceError(message, hint=_HINT)
    known = int(match[1])
    if known > size:
        message = f"witness {witness.name} saw {known} entries of this log, which has {size}"
        hint = "Entries were lost or somebody signs under this name: restore the ledger first."
        raise EvidenceError(message, hint=hint)
    return known


def _text(witness: WitnessAddress, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        message = f"witness {witness.name} answers with bytes that are no text"
        raise EvidenceError(message, hint=_HINT) from error


def _refused(witness: WitnessAddress, status: int, content: bytes) -> EvidenceError:
    # A stranger's words end up on terminals: printable ASCII and short.
    words = "".join(chr(byte) for byte in content[:200] if 0x20 <= byte < 0x7F)
    return EvidenceError(f"witness {witness.name} refused ({status}): {words}", hint=_HINT)

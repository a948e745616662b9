"""The witness's side of HTTP, without HTTP: a method, a path and a body in, an answer out.

Source: C2SP tlog-witness. ``POST /add-checkpoint`` gives a cosignature; ``GET /<origin hash>/
checkpoint`` shows what was vouched for last, so that others can compare it with what they see.
Anybody may ask: the log's signature on its checkpoint is the only authority.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.errors import EvidenceError, MachineError, ReconcilerError
from reconciler.evidence.note import cosignature_of
from reconciler.evidence.witnessing import Refuse, Status, read_request
from reconciler.ledger.witness import Witness

ADD = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"

_SHOW = re.compile(r"/([0-9a-f]{64})/checkpoint")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a request.

    Attributes:
        status: HTTP status.
        body: What it says.
        content_type: What that is.
    """

    status: int
    body: bytes
    content_type: str = TEXT_TYPE


class Protocol:
    """Answers requests to one witness."""

    def __init__(self, witness: Witness, complain: Callable[[ReconcilerError], None]) -> None:
        """Make the witness's side.

        Args:
            witness: Who decides.
            complain: Told why the witness could not do its work; who asked is not told.
        """
        self._witness = witness
        self._complain = complain

    def add(self, body: bytes) -> Answer:
        """Answer ``POST /add-checkpoint``."""
        try:
            request = read_request(body)
        except EvidenceError as error:
            return said(Status.MALFORMED, error.message)
        try:
            decided = self._witness.answer(request)
        except (EvidenceError, MachineError) as error:
            self._complain(error)
            return said(503, "the witness cannot sign now")
        if isinstance(decided, Refuse):
            return _refused(decided)
        line = cosignature_of(decided, self._witness.name, self._witness.public)
        return Answer(200, line.encode())

    def show(self, path: str) -> Answer:
        """Answer ``GET`` of any path."""
        match = _SHOW.fullmatch(path)
        memory = self._witness.memory
        for origin in memory.origins() if match else ():
            if match and hashlib.sha256(origin.encode()).hexdigest() == match[1]:
                seen = memory.latest(origin)
                return (
                    said(404, "no checkpoint") if seen is None else Answer(200, seen.note.encode())
                )
        return said(404, "there is nothing here")


def said(status: int, message: str) -> Answer:
    """An answer that is a sentence."""
    return Answer(int(status), f"{message}\n".encode())


def _refused(refusal: Refuse) -> Answer:
    if refusal.status is Status.OTHER_SIZE:
        return Answer(int(refusal.status), f"{refusal.size}\n".encode(), SIZE_TYPE)
    return said(refusal.status, refusal.message)

"""The digest of raw answers: what proves later that an observation came from these bytes.

Salted per run, because many answers are guessable ("PermitRootLogin no") and evidence is disclosed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping

from reconciler.model.answer import Answer
from reconciler.model.probe import Probe


def _other(data: object) -> str:
    return data.hex() if isinstance(data, bytes) else repr(data)


_encode = json.JSONEncoder(
    ensure_ascii=True, sort_keys=True, separators=(",", ":"), default=_other
).encode


class RawDigests:
    """Digests over answers; an answer that many checks share is encoded once."""

    def __init__(self, answers: Mapping[Probe, Answer], salt: bytes) -> None:
        """Nothing is encoded yet.

        Args:
            answers: By probe.
            salt: Random bytes of this run.
        """
        self._answers = answers
        self._salt = salt
        self._encoded: dict[Probe, bytes] = {}

    def of(self, probes: Iterable[Probe]) -> str:
        """Hex SHA-256 over the salt and, for each probe in order, question and answer.

        The time an answer took is left out: it says nothing about the machine.
        """
        digest = hashlib.sha256(self._salt)
        for probe in probes:
            digest.update(self._one(probe))
        return digest.hexdigest()

    def _one(self, probe: Probe) -> bytes:
        if probe not in self._encoded:
            answer = self._answers.get(probe, Answer("error", reason="not answered"))
            said = [repr(probe), answer.status, answer.data, answer.reason]
            # One line each: JSON holds no raw line feed, so the lines cannot be shifted.
            self._encoded[probe] = _encode(said).encode("ascii") + b"\n"
        return self._encoded[probe]

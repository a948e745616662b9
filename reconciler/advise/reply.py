"""What came of one request: an answer with its bytes, or nothing in time."""

import hashlib
from dataclasses import dataclass
from typing import Literal

_REFUSED_FORM = frozenset({400, 415, 422, 500, 501})
"""What servers say to a form that they do not know; others speak of keys, models and load."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a body that was read to its end; any status."""

    status: int
    content: bytes

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the body."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def refuses_form(self) -> bool:
        """Whether it may be the form of the answer that the server does not know."""
        return self.status in _REFUSED_FORM


@dataclass(frozen=True, slots=True)
class NoReply:
    """Nothing usable came back in time."""

    result: Literal["unreachable", "timeout"]

"""Why a witness did not vouch for a log, as a value that it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.evidence import canonical


@dataclass(frozen=True, slots=True)
class Objection:
    """A refusal that is written down.

    It says what was shown, not what it means: a log that is shorter than the one vouched for may
    have been cut, or may be an old clone.

    Attributes:
        origin: Which log.
        reason: Stable code: the `reconciler.evidence.fault.Code` of what is wrong.
        message: What exactly, in one sentence.
        shown: What the witness was shown, in JSON values: commit, size, hex root, signed note;
            None where there is no such thing.
    """

    origin: str
    reason: str
    message: str
    shown: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The same for the same objection to the same thing, however it is worded."""
        return canonical.digest([self.origin, self.reason, dict(self.shown)])

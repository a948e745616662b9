"""One thing that `reconciler doctor` looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a part of a run needs, whether it is there, and what to do if not.

    Attributes:
        subject: The part: ``settings``, ``signing key``, ``D-Bus`` …
        state: ``ok``; ``limited`` (checks that need it say ``unknown``, or it does not work now);
            ``broken`` (no run can work without it); ``absent`` (nobody asked for it).
        detail: What was seen.
        hint: What to do; empty when ``ok``.
    """

    subject: str
    state: Literal["ok", "limited", "broken", "absent"]
    detail: str
    hint: str = ""

"""What a guard says about an action. A refusal is a value, with the reason and the time."""

from dataclasses import dataclass
from typing import Literal

Ruling = Literal["allow", "defer", "deny"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One guard's word.

    Attributes:
        ruling: ``allow``; ``defer`` (not now, see ``retry_after_s``); ``deny`` (not like this).
        guard: Name of the guard that spoke.
        reason: In words; empty only for ``allow``.
        retry_after_s: Seconds until it may be tried again, for ``defer``.
    """

    ruling: Ruling
    guard: str
    reason: str = ""
    retry_after_s: int | None = None

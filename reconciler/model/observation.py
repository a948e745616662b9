"""The typed value a check saw, or the reason why it saw none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.model.values import Value

Sight = Literal["seen", "not_applicable", "unobserved"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What one check saw for one rule.

    Attributes:
        check: Id of the check.
        sight: ``seen`` has values; the others have a reason and no values.
        values: Observed value of every field of the check.
        reason: Why nothing was seen, or why it does not apply.
        raw_digest: Hex SHA-256 over the raw answers (salted per run; low-entropy answers must not
            be guessable from evidence).
        ms: Time the probes took, whole milliseconds.
    """

    check: str
    sight: Sight
    values: Mapping[str, Value] = field(default_factory=dict)
    reason: str = ""
    raw_digest: str = ""
    ms: int = 0

"""One trial: one runbook that was begun for one check on one host, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from reconciler.evidence.canonical import encode
from reconciler.model.finding import Severity
from reconciler.model.values import Value

Chooser = Literal["rule", "model", "person"]
"""Who chose: a rule (L1), a language model (L2), or a person, by a choice or an approval."""

Ending = Literal["success", "failure", "open"]
"""A success healed, and its soak closed without a recurrence; what is not over is ``open``."""


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """What was chosen for what; trials of one choice are counted together.

    Attributes:
        params: Canonical JSON of the bound parameters.
    """

    check: str
    runbook: str
    digest: str
    params: bytes

    @classmethod
    def of(cls, check: str, action: Mapping[str, Any]) -> "Choice":
        """The choice that an action of an ``intent`` entry was, for one check.

        Raises:
            KeyError: It is no action.
        """
        return cls(check, action["runbook"], action["runbook_digest"], encode(action["params"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one failing finding looked like.

    Attributes:
        failed: The fields it failed by, each with the value that was seen, as far as evidence
            holds it.
    """

    severity: Severity
    failed: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial.

    Attributes:
        target: ``<client>/<host>``.
        reference: The entry that shows how it ended, or the intent while it is open:
            ``<branch>@<seq>:sha256:<digest>``.
        seq: Sequence number of the intent.
        at: When it began.
        seen: The findings that it was for.
        healing: Healing rules that chose it; empty where none did, or the entry is older than that.
    """

    choice: Choice
    chooser: Chooser
    target: str
    reference: str
    seq: int
    at: datetime
    ending: Ending
    seen: tuple[Sight, ...]
    healing: tuple[str, ...] = ()

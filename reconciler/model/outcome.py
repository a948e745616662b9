"""How an action ended. The list is closed, and no member is a default (lessons 2, 4, 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.model.finding import Finding
from reconciler.model.operation import OperationResult

Result = Literal[
    "healed",
    "failed",
    "rolled_back",
    "deferred",
    "denied",
    "escalated",
    "not_applicable",
    "interrupted",
]


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of a runbook, done or undone.

    Attributes:
        id: The step's id in the runbook.
        kind: Id of the kind of step.
        results: One per operation, in order; stops at the first that is not ok.
    """

    id: str
    kind: str
    results: tuple[OperationResult, ...]

    @property
    def ok(self) -> bool:
        """Whether every operation was carried out."""
        return all(result.ok for result in self.results)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one action ended, derived from the second look.

    Attributes:
        action: Id of the action.
        runbook: Id of the runbook.
        rules: The bound rules it was about.
        result: From the closed list.
        reason: Why, in words.
        steps: What was done.
        undone: What was undone.
        rollback: Whether a rollback was needed and, if so, whether the look after it showed the
            state of before: ``none``, ``verified``, ``unverified``.
        after: Findings of the second look, by rule.
        intent: Sequence number of the intent entry, when one was appended.
    """

    action: str
    runbook: str
    rules: tuple[str, ...]
    result: Result
    reason: str
    steps: tuple[StepResult, ...]
    undone: tuple[StepResult, ...]
    rollback: Literal["none", "verified", "unverified"]
    after: Mapping[str, Finding]
    intent: int | None

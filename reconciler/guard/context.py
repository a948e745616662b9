"""What guards may know when they judge an action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.guard.calendar import Calendar
from reconciler.guard.memory import Memory
from reconciler.model.desired import DesiredState
from reconciler.model.finding import Finding
from reconciler.model.plan import Action
from reconciler.model.run import Hold
from reconciler.model.step import StepKind
from reconciler.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardContext:
    """One moment of one host.

    Attributes:
        now: Wall time, timezone-aware.
        desired: The desired state in force.
        memory: Folded from the ledger; ``None`` when it is lost or cannot be read.
        steps: The catalogue of kinds of steps.
        prechecks: A finding for each precheck of the action's runbook, in its order.
        window_open: Whether one of the client's maintenance windows is open now.
        calendar: The client's day, its next window and the end of its freeze; ``None`` when nobody
            reckoned them.
        holds: Why the desired state in force must not be acted on; empty if nothing says so.
    """

    now: datetime
    desired: DesiredState
    memory: Memory | None
    steps: Mapping[str, StepKind]
    prechecks: tuple[Finding, ...]
    window_open: bool
    holds: tuple[Hold, ...]
    calendar: Calendar | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """One reason why an action may have to wait or must not be done.

    Attributes:
        name: As written into verdicts; the file's name.
        judge: From an action and its context to a verdict.
    """

    name: str
    judge: Callable[[Action, GuardContext], Verdict]

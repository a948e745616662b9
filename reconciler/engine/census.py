"""What was loaded, counted and asserted before anything runs (lessons 26)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from reconciler.errors import InputError
from reconciler.model.check import Check
from reconciler.model.desired import DesiredState
from reconciler.model.step import StepKind


@dataclass(frozen=True, slots=True)
class Census:
    """Numbers that must not silently be zero."""

    rules: int
    enforced: int
    checks: int
    runbooks: int
    approved: int
    steps: int

    def body(self) -> dict[str, int]:
        """As written into evidence."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.rules} rules ({self.enforced} enforced), {self.checks} checks, "
            f"{self.runbooks} runbooks ({self.approved} approved), {self.steps} kinds of step"
        )


def take(
    desired: DesiredState, checks: Mapping[str, Check], steps: Mapping[str, StepKind]
) -> Census:
    """Count what this host's run will work with.

    Raises:
        InputError: There is nothing to judge by: no rules, no checks or no kinds of step.
    """
    census = Census(
        rules=len(desired.rules),
        enforced=sum(rule.enforce for rule in desired.rules),
        checks=len(checks),
        runbooks=len(desired.runbooks),
        approved=sum(pinned.approved for pinned in desired.runbooks.values()),
        steps=len(steps),
    )
    empty = [name for name in ("rules", "checks", "steps") if not getattr(census, name)]
    if empty:
        raise InputError(
            f"{desired.target}: no {', no '.join(empty)} loaded; a run would look at nothing",
            hint="Run: reconciler check PATH  on the fleet repository, and reconciler doctor.",
        )
    return census

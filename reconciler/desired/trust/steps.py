"""The first-parent line of a head: what the branch itself went through, step by step.

It is the only decomposition of a history on which everybody agrees, whatever they had accepted.
"""

from dataclasses import dataclass

from reconciler.desired.refusal import Reason
from reconciler.desired.trust.case import Case

THRESHOLDS = "R3 thresholds"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the line.

    Attributes:
        before: Where it begins.
        tip: Where it ends.
        at: Place of the tip among the new commits of the line, from 0.
        brought: New commits that the tip reaches and ``before`` does not; the tip first.
    """

    before: str
    tip: str
    at: int
    brought: list[str]


@dataclass(frozen=True, slots=True)
class Line:
    """What is new on the line.

    Attributes:
        before: The newest commit of it that is not new, None if a root is new.
        fresh: New commits, oldest first.
        steps: Those that end in a new commit; none for a root.
    """

    before: str | None
    fresh: list[str]
    steps: list[Step]


def line_of(case: Case) -> Line:
    """What is new on the first-parent line of the head.

    Raises:
        IntentRefused: ``malformed-commit``.
        MirrorDamaged: A commit is missing.
    """
    newest_first, past = case.lineage.line(case.head, case.new, 1)
    fresh = newest_first[::-1]
    before = past[0] if past else None
    brought = case.lineage.steps(fresh, case.new)
    steps = [
        Step(start, tip, at, brought[tip])
        for at, (start, tip) in enumerate(zip((before, *fresh), fresh, strict=False))
        if start is not None
    ]
    return Line(before, fresh, steps)


def examine_line(case: Case, line: Line) -> None:
    """Hold that A is on the line, where A has a policy.

    Raises:
        IntentRefused: ``not-first-parent``, unless everything is collected.
        MirrorDamaged: An object is missing.
    """
    start = case.start
    if start is None or case.policy_at_start(case.head) is None:
        return
    if line.before == start:
        case.docket.held(THRESHOLDS, case.head, f"has {start[:12]} on its first-parent line")
        return
    what = f"does not have {start[:12]}, which was accepted, on its first-parent line"
    case.docket.fail(THRESHOLDS, case.head, Reason.NOT_FIRST_PARENT, what)

"""What the outcome of an action does to its incidents.

Rule 1: A fix is what the second look says; a soak follows, never the end at once.
Rule 2: A way back that did not lead back, and a machine that cannot be looked at any more, put the
        host into quarantine. A work that has no way back is only a failure: it promised none.
Rule 3: Nothing is known of a work that a crash cut off: the fresh look says whether it is done.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from reconciler.incident.story import Story
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.incident import Incident, State
from reconciler.model.outcome import Outcome, StepResult

Step = tuple[State, str]


def ended(
    story: Story,
    outcome: Outcome,
    one_way: Collection[str],
    cools_s: int,
    numbers: GuardSettings,
    at: datetime,
) -> None:
    """Take in how an action ended; an action of which a crash cut off the end counts, too.

    Args:
        story: Takes the steps.
        outcome: Derived from the look after it.
        one_way: Kinds of steps that cannot be undone.
        cools_s: For how many seconds the same action is not tried again after a failure.
        numbers: How long a fix must hold.
        at: Now, in whole milliseconds.
    """
    for rule in outcome.rules:
        incident = story.of(rule)
        if incident is not None and incident.state == "executing":
            waits: dict[State, int] = {"soak": numbers.soak_s, "cooldown": cools_s}
            _walk(story, incident, _path(outcome, rule, one_way), waits, at)


def _walk(
    story: Story,
    incident: Incident,
    path: Iterable[Step],
    waits: Mapping[State, int],
    at: datetime,
) -> None:
    for state, reason in path:
        until = at + timedelta(seconds=waits[state]) if state in waits else None
        incident = story.go(incident, state, reason, at, until=until)


def _path(outcome: Outcome, rule: str, one_way: Collection[str]) -> list[Step]:
    looked: Step = ("verifying", "second-look")
    match outcome.result:
        case "healed":
            return [looked, ("soak", "verified")]
        case "interrupted":
            seen = outcome.after.get(rule)
            held = seen is not None and seen.status == "pass"
            after: Step = ("soak", "verified") if held else ("cooldown", "interrupted")
            return [("verifying", "interrupted"), after]
        case "rolled_back":
            back: Step = ("rolling_back", "not-healed")
            return [looked, back, ("rolled_back", "verified"), ("cooldown", "rolled-back")]
        case _:
            return [looked, *_failed(outcome, one_way)]


def _failed(outcome: Outcome, one_way: Collection[str]) -> list[Step]:
    if outcome.rollback != "unverified":
        return [("cooldown", outcome.result)]
    if outcome.after and _promised_nothing(outcome, one_way):
        return [("cooldown", "no-way-back")]
    reason = "rollback-unverified" if outcome.after else "access-lost"
    return [("rolling_back", "not-healed"), ("quarantined", reason)]


def _promised_nothing(outcome: Outcome, one_way: Collection[str]) -> bool:
    """Whether there was no way back to begin with, and all that there was of one was gone."""
    undone = all(step.ok for step in outcome.undone)
    return undone and any(_touched(step) and step.kind in one_way for step in outcome.steps)


def _touched(step: StepResult) -> bool:
    return bool(step.results)

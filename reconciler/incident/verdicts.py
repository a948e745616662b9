"""What the plan and the guards do to incidents.

Rule 1: What is said again is not written again: an incident that waits for the same reason as in
        the last run makes no transition.
Rule 2: A stop that people pulled is a reason to wait. So is whatever time alone ends. Everything
        else that is in the way is put in front of a person.
Rule 3: What is in front of a person stays there until it may be acted on, is gone, or somebody
        chose only to observe. A wait for a signature is not restarted by a guard that speaks
        before the approval is asked for.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from reconciler.incident.story import Story
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.incident import Incident, State
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

READY: frozenset[State] = frozenset(
    {"confirmed", "awaiting_approval", "waiting", "cooldown", "escalated"}
)
"""States in which something may be planned for it."""

PULLED = frozenset({"kill_switch", "hold", "mode", "exception", "freeze", "quarantine", "rollout"})
"""Guards that say what people decided, or that a person must look at this host first."""

Standing = tuple[State, str, datetime | None]


def admitted(story: Story, action: Action, at: datetime) -> None:
    """Every guard allowed: up to the work, before any of it.

    Raises:
        Malformed: An incident of the action is not in a state from which it may be acted on.
    """
    for incident in _of(story, action.rules):
        incident = story.plan(incident, "chosen", at, action.tier, action.runbook)
        for state in ("admitted", "precheck", "executing"):
            incident = story.go(incident, state, "guards-allow", at)


def turned_away(
    story: Story,
    action: Action,
    verdicts: Sequence[Verdict],
    numbers: GuardSettings,
    at: datetime,
    *,
    never: bool,
) -> None:
    """A guard did not allow it.

    Args:
        story: Takes the steps.
        action: What was planned.
        verdicts: Every guard that spoke; the last one did not allow.
        numbers: How long an approval may take.
        at: Now, in whole milliseconds.
        never: Whether its runbook is one that only people carry out.
    """
    standing = _standing(verdicts[-1], numbers, at, never=never)
    passed = any(v.guard == "approval" and v.ruling == "allow" for v in verdicts)
    for incident in _of(story, action.rules):
        if not _stays(incident, standing, approved=passed):
            planned = story.plan(incident, "chosen", at, action.tier, action.runbook)
            _put(story, planned, standing, at)


def left_over(story: Story, rule: str, reason: str, at: datetime) -> None:
    """Nothing is planned for a confirmed incident: a person must do it, or wanted it so.

    Args:
        story: Takes the steps.
        rule: Its bound rule.
        reason: Why nothing is planned; ``observe`` where nobody wants anything done.
        at: Now, in whole milliseconds.
    """
    for incident in _of(story, (rule,)):
        if reason == "observe":
            if (incident.state, incident.reason) != ("waiting", "mode"):
                planned = story.plan(incident, "observe", at, None, None)
                story.go(planned, "waiting", "mode", at)
        elif incident.state != "escalated":
            story.go(incident, "escalated", reason, at)
        elif incident.reason != reason and not _answered(incident, reason):
            planned = story.plan(incident, "nothing-to-do", at, None, None)
            story.go(planned, "escalated", reason, at)


def _answered(incident: Incident, reason: str) -> bool:
    """Whether why a model gave none says more than that no rule has a remedy."""
    return reason == "no-remedy" and incident.reason.startswith("advice-")


def _of(story: Story, rules: Iterable[str]) -> list[Incident]:
    found = [story.of(rule) for rule in rules]
    return [one for one in found if one is not None and one.state in READY]


def _standing(verdict: Verdict, numbers: GuardSettings, at: datetime, *, never: bool) -> Standing:
    wait_s = verdict.retry_after_s
    until = None if wait_s is None else at + timedelta(seconds=wait_s)
    if verdict.guard == "flap":
        return "escalated", "does-not-hold", None
    if verdict.ruling == "defer" or verdict.guard in PULLED:
        return "waiting", verdict.guard, until
    if verdict.guard == "approval" and not never:
        return "awaiting_approval", "approval", at + timedelta(seconds=numbers.approval_wait_s)
    return "escalated", verdict.guard, None


def _stays(incident: Incident, standing: Standing, *, approved: bool) -> bool:
    after, reason, _until = standing
    if (incident.state, incident.reason) == (after, reason):
        return True
    if reason == "mode":
        return False
    match incident.state:
        case "escalated":
            expired = incident.reason == "approval-expired" and after == "awaiting_approval"
            return after == "waiting" or expired
        case "awaiting_approval":
            return after == "waiting" and not approved
        case "cooldown":
            return reason == "cooldown"
        case _:
            return False


def _put(story: Story, planned: Incident, standing: Standing, at: datetime) -> None:
    after, reason, until = standing
    story.go(planned, after, reason, at, until=until)

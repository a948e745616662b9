"""What a look at the rules does to incidents.

Rule 1: Only a ``fail`` opens one. ``unknown`` neither opens nor ends one: nothing ends unobserved.
Rule 2: It is confirmed at once where the rule is critical, else by a second sighting. While a rule
        fails without a break, another fault under it is a second sighting, too: a value that
        changes with every look cannot keep an incident from being confirmed.
Rule 3: A verified fix must hold for the soak. A rule that fails again before its end, or within a
        week after it, is a recurrence and says so. Where another system is wanted since then, it is
        another incident: what was done for the last one held.
Rule 4: A quarantined host stays so until the rule is seen to pass, or a person has taken it over: a
        fault that merely changed is not over.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from reconciler.incident.fingerprint import Sighting
from reconciler.incident.story import Story
from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.finding import Status
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.incident import Incident, State

_IN_HAND: frozenset[State] = frozenset(
    {"planned", "admitted", "precheck", "executing", "verifying", "rolling_back", "rolled_back"}
)
"""States in which an action has it; the action's outcome says what follows."""

_OVER: dict[Status, str] = {
    "pass": "gone",
    "excepted": "excepted",
    "not_applicable": "not-applicable",
}


def look(story: Story, seen: Iterable[Sighting], numbers: GuardSettings, at: datetime) -> None:
    """Take in what a look saw.

    Args:
        story: Takes the steps.
        seen: One sighting for each rule that was looked at.
        numbers: How long a finding must last, a fix must hold, an approval may take.
        at: Now, in whole milliseconds.
    """
    for each in seen:
        incident = story.of(each.rule)
        if incident is None:
            if each.status == "fail":
                _open(story, each, at)
                _confirm(story, each.rule, numbers, at, again=False)
        elif incident.state not in _IN_HAND:
            _follow(story, incident, each, numbers, at)
            _expire(story, each.rule, at)


def drop(story: Story, rules: Collection[str], at: datetime) -> None:
    """End the incidents of rules that this host is not held to any more."""
    for incident in [*story.register.open.values()]:
        if incident.rule not in rules and incident.state not in _IN_HAND:
            _end(story, incident, "rule-removed", at)


def acknowledge(story: Story, taken: Iterable[Acknowledgement], today: date, at: datetime) -> None:
    """Free a quarantined host whose incident a person has looked at since."""
    known = tuple(taken)
    for incident in [*story.register.open.values()]:
        if incident.state == "quarantined" and any(
            one.opens(incident.fingerprint, incident.since, today, at) for one in known
        ):
            story.go(incident, "escalated", "acknowledged", at)


def tire(story: Story, rules: Iterable[str], at: datetime) -> tuple[str, ...]:
    """Put confirmed incidents whose fixes do not hold in front of a person; returns which."""
    tired = [one for rule in rules if (one := story.of(rule)) and one.state == "confirmed"]
    for incident in tired:
        story.go(incident, "escalated", "does-not-hold", at)
    return tuple(incident.rule for incident in tired)


def unconfirmed(story: Story, rules: Collection[str]) -> tuple[str, ...]:
    """Of these rules, those with an incident that was seen once."""
    return tuple(
        rule
        for rule in rules
        if (incident := story.of(rule)) is not None and incident.state == "detected"
    )


def _open(story: Story, seen: Sighting, at: datetime) -> None:
    last = story.register.last_of(seen.rule, at)
    came_back = last is not None and last.state == "closed" and not seen.renewed
    before = 0 if last is None or seen.renewed else last.recurrences
    story.begin(
        seen,
        at,
        reason="came-back" if came_back else "seen",
        opened=at,
        recurrences=before + came_back,
        recurred=came_back,
    )


def _follow(
    story: Story, incident: Incident, seen: Sighting, numbers: GuardSettings, at: datetime
) -> None:
    if seen.status in _OVER:
        _end(story, incident, _OVER[seen.status], at)
    elif seen.status == "fail":
        if incident.state == "soak" and seen.renewed:
            story.go(incident, "closed", "changed", at)
            _open(story, seen, at)
            _confirm(story, seen.rule, numbers, at, again=False)
            return
        if incident.state == "soak":
            incident = story.go(incident, "confirmed", "came-back", at, recurred=True)
        if incident.fingerprint != seen.fingerprint and incident.state != "quarantined":
            _replace(story, incident, seen, at)
        _confirm(story, seen.rule, numbers, at, again=True)


def _end(story: Story, incident: Incident, reason: str, at: datetime) -> None:
    if incident.state != "soak":
        story.go(incident, "resolved_itself", reason, at)
    elif reason != "gone" or incident.until is None or at >= incident.until:
        story.go(incident, "closed", "held" if reason == "gone" else reason, at)


def _replace(story: Story, incident: Incident, seen: Sighting, at: datetime) -> None:
    """The rule fails in another way: another incident, under the same time and count."""
    story.go(incident, "resolved_itself", "changed", at)
    story.begin(
        seen,
        at,
        reason="changed",
        opened=incident.opened,
        recurrences=incident.recurrences,
        recurred=False,
    )


def _confirm(story: Story, rule: str, numbers: GuardSettings, at: datetime, *, again: bool) -> None:
    incident = story.of(rule)
    if incident is None or incident.state != "detected":
        return
    if incident.severity == "critical":
        story.go(incident, "confirmed", "critical", at)
    elif again and at - incident.opened >= timedelta(seconds=numbers.confirm_s):
        story.go(incident, "confirmed", "seen-again", at)


def _expire(story: Story, rule: str, at: datetime) -> None:
    """Nobody signed in time: people are called again."""
    incident = story.of(rule)
    if incident is None or incident.state != "awaiting_approval":
        return
    if incident.until is not None and at >= incident.until:
        story.go(incident, "escalated", "approval-expired", at)

"""Where an incident is and why, in words for people."""

from collections.abc import Mapping

from reconciler.model.incident import Incident
from reconciler.report.words import clip

STATES: Mapping[str, str] = {
    "detected": "seen once",
    "confirmed": "seen and confirmed",
    "planned": "planned",
    "awaiting_approval": "waits for a signature",
    "waiting": "waits",
    "admitted": "let through by every guard",
    "precheck": "about to begin",
    "executing": "being worked on",
    "verifying": "being looked at again",
    "soak": "healed; must hold",
    "closed": "closed: healed, and it held",
    "rolling_back": "being taken back",
    "rolled_back": "taken back",
    "cooldown": "failed; cooling down",
    "escalated": "in front of a person",
    "quarantined": "host quarantined; in front of a person",
    "resolved_itself": "over without us",
}
"""Every state, in a few words."""

REASONS: Mapping[str, str] = {
    "access-lost": "the machine could not be looked at after an action that failed",
    "access_path_safe": "the action could cut the way to the machine",
    "acknowledged": "a person has taken it over; the host is free again",
    "advice-contradiction": "the model's choice contradicts the check",
    "advice-escalate": "the model chose to leave it to a person",
    "advice-invalid": "the model's answer was not valid",
    "advice-low-confidence": "the model was not sure enough",
    "advice-over-budget": "the questions that may be asked are used up",
    "advice-timeout": "the model did not answer in time",
    "advice-unreachable": "the model could not be reached",
    "allow_list": "the runbook is not approved as it is",
    "approval": "needs an approval, or its day or its window",
    "approval-expired": "nobody approved it in time",
    "bad-parameters": "the runbook does not take the parameters that the rule gives it",
    "breaker": "the runbook failed too often here and is switched off for a while",
    "came-back": "the fix did not hold",
    "changed": "its rule fails in another way now, which is another incident",
    "chosen": "a runbook was chosen",
    "conflict": "two healing rules of the same priority match",
    "cooldown": "the same action was tried a while ago",
    "critical": "critical: the first sighting is enough",
    "denied": "the runbook changed between plan and action",
    "does-not-hold": "fixes do not hold: something else puts it back",
    "exception": "an exception covers it",
    "excepted": "an exception covers it",
    "failed": "the action failed and had changed nothing",
    "fleet_breaker": "this version of the runbook is switched off in the whole fleet",
    "freeze": "a day on which nothing is changed",
    "gone": "the rule passes again",
    "guards-allow": "every guard allows",
    "held": "it held for the soak",
    "hold": "the desired state in force is held",
    "interrupted": "a crash cut the action off",
    "kill_switch": "a kill switch is engaged",
    "mode": "only observed, as people chose",
    "mutex": "another action has this machine or site",
    "no-remedy": "nothing is known that heals it",
    "no-runbook": "the runbook that it names is not there",
    "no-way-back": "the action failed, and some of its steps have no way back",
    "not-applicable": "the rule does not apply any more",
    "not-fixed-by-runbook": "the runbook that it names does not fix this check",
    "not-for-this-platform": "the runbook that it names is for other machines",
    "not-healed": "the second look shows that it is not healed",
    "nothing-to-do": "nothing that was planned for it can be done",
    "observe": "only observed, as people chose",
    "precheck": "a condition of the runbook does not hold",
    "quarantine": "another incident has this host in quarantine",
    "revision": "the system failed on this host before",
    "rollback-unverified": "the way back did not lead back",
    "rolled-back": "the action did not heal it and was taken back",
    "rollout": "this version of the runbook has not come to this host yet",
    "rule-removed": "this host is not held to the rule any more",
    "second-look": "the same check again",
    "seen": "the rule fails",
    "seen-again": "seen a second time",
    "stop": "the reconciler was told to stop",
    "tier": "the client's tier only looks",
    "tokens": "as many actions have begun as may for now",
    "verified": "the look after it shows it",
}
"""Every reason, in a few words."""


def why(reason: str) -> str:
    """A reason in words; one that this version does not know as it is."""
    return REASONS.get(reason, clip(reason, 80))


def where(state: str, reason: str) -> str:
    """A state and why, in words and in the codes that evidence has."""
    return f"{STATES.get(state, clip(state, 40))}: {why(reason)} ({clip(reason, 80)})"


def line(incident: Incident) -> str:
    """One open incident in one line."""
    until = "" if incident.until is None else f", until {incident.until:%Y-%m-%d %H:%M} UTC"
    times = "once" if incident.recurrences == 1 else f"{incident.recurrences} times"
    again = f", came back {times}" if incident.recurrences else ""
    return (
        f"incident {incident.id} {clip(incident.rule)} ({incident.severity}{again}):"
        f" {where(incident.state, incident.reason)}"
        f" since {incident.since:%Y-%m-%d %H:%M} UTC{until}"
    )

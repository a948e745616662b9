"""Why an incident is in front of a person, and what they can do, in words of ours alone."""

from collections.abc import Mapping

_REASONS: Mapping[str, str] = {
    "no-remedy": "The rule names no runbook, and no healing rule matched: only a person can act.",
    "no-runbook": "The rule names a runbook that the fleet repository does not have.",
    "not-fixed-by-runbook": "The runbook that the rule names does not fix this check.",
    "not-for-this-platform": "The runbook that the rule names is not for this platform.",
    "bad-parameters": "The parameters that the rule gives do not fit the runbook.",
    "no-steps": "The runbook describes what people do; software has no step for it.",
    "conflict": "Two healing rules match equally well, so neither was taken.",
    "does-not-hold": "What was fixed and verified came back too often. Something else sets it back:"
    " find who owns the setting before it is fixed once more.",
    "approval": "The runbook runs with the yes of a person only.",
    "approval-expired": "Nobody approved the runbook in time. It still waits for a person's yes.",
    "rollback-unverified": "A fix failed, and the state of before could not be shown again."
    " Nothing else begins on this host before this has ended or somebody takes it over.",
    "access-lost": "The way to this host was lost while a fix ran."
    " Nothing else begins on this host before this has ended or somebody takes it over.",
    "acknowledged": "Somebody has taken it over; the host is free for other work again.",
    "quarantine": "The host is in quarantine because of another incident.",
    "revision": "The system that is to run here failed on this host before. A newer release is free"
    " at once; this one is after somebody has looked.",
    "allow_list": "The runbook may not run here: its digest is not on the allow-list, the client"
    " denies it, or its parameters are not allowed.",
    "access_path_safe": "The runbook would cut the way by which this host is reached.",
    "precheck": "What must hold before the first step does not hold.",
    "kill_switch": "A kill switch is engaged.",
    "hold": "The desired state in force is held, so nothing is done under it.",
    "tier": "The client's tier only looks.",
    "mode": "The client, the host or the rule only observes.",
    "breaker": "The runbook failed too often for this client and is switched off for a while.",
    "fleet_breaker": "This version of the runbook is switched off in the whole fleet.",
    "rollout": "This version of the runbook has not come to this host yet.",
    "flap": "What was fixed came back too often, so the fix is suspended for a while.",
    "exception": "The client decided to live with this finding, so nothing is changed.",
    "freeze": "Nothing is changed on these days.",
    "tokens": "As many actions as may begin have begun; the next one has to wait.",
    "mutex": "Something else is at work on this host or in this site.",
    "cooldown": "A fix was tried a short while ago.",
    "advice-escalate": "A language model was asked and left it to a person.",
    "advice-invalid": "A language model was asked, and its answer was not one that counts.",
    "advice-contradiction": "A language model was asked, and its answer contradicts what was seen.",
    "advice-low-confidence": "A language model was asked and was not sure enough.",
    "advice-unreachable": "A language model was to be asked and could not be reached.",
    "advice-timeout": "A language model was asked and did not answer in time.",
    "advice-over-budget": "No more questions to a language model are left for today.",
    "rolled_back": "A fix was tried, did not bring what it should, and was undone.",
    "failed": "A fix was tried and failed.",
}

WITH_A_YES = frozenset({"approval", "approval-expired"})
"""Reasons that the approval of a person ends."""

_PHASES = {
    "opened": "needs a person",
    "step": "still needs a person",
}


def why(reason: str) -> str:
    """A stable code in a sentence."""
    return _REASONS.get(reason, f"It stopped for the reason '{reason}'.")


def known(reason: str) -> bool:
    """Whether a code has a sentence of its own."""
    return reason in _REASONS


def phase_words(phase: str) -> str:
    """What a message says about an incident."""
    return _PHASES[phase]

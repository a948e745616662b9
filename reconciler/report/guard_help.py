"""Who must do what so that something runs: for a person who is called at night."""

from collections.abc import Mapping

from reconciler.model.guard_answer import Answer

_BY_GUARD: Mapping[str, str] = {
    "kill_switch": "Find out why it was pulled. To release it, set engaged: false in "
    "policies/kill-switch.yaml, hosts/{client}/client.yaml or hosts/{target}.yaml, in a signed "
    "commit.",
    "hold": "On the appliance: reconciler doctor. It says what the fleet repository lacks.",
    "quarantine": "Look at the host: a fix was not undone, or the host was lost. Put it right, "
    "or take the incident over (acknowledgements/{client}/); then the host is free.",
    "revision": "This system failed here. Release one that works: it is free at once. Or look, put "
    "right what stood in its way, and say so (acknowledgements/{client}/, looked_at).",
    "tier": "The tier does not change machines. Do it by hand, or choose another tier in "
    "hosts/{client}/client.yaml.",
    "mode": "Somebody only wants this observed. Do it by hand, or set mode: enforce in the client, "
    "the host and the rule.",
    "exception": "It was decided to leave this as it is. Review policies/exceptions/{client}/.",
    "freeze": "It goes on after the freeze. If it cannot wait: reconciler approve {runbook} "
    "--host {target} --emergency --as YOU",
    "allow_list": "Review the runbook, then pin it: reconciler check PATH --write-approved; the "
    "reason says what else is missing.",
    "approval": "If it may run: reconciler approve {runbook} --host {target} --as YOU",
    "access_path_safe": "It could cut the way in. Do it by hand, on the console.",
    "precheck": "What the runbook asks for was seen not to hold. See the runbook's precheck.",
    "fleet_breaker": "Do it by hand here. Correct the runbook; its new digest is free at once.",
    "rollout": "Wait for the stage, or move it on: reconciler guard fleet --evidence REPO "
    "--signers FILE --write",
    "flap": "Something puts the fault back each time. Find what owns the setting (a group policy, "
    "another tool, a person) and settle it there.",
    "breaker": "The runbook keeps failing for this client. Read its outcomes: reconciler evidence "
    "query --rule {rule}",
}

_UNPLANNED: Mapping[str, str] = {
    "observe": "Somebody only wants this observed. Do it by hand, or set mode: enforce.",
    "no-remedy": "No runbook answers it. Do it by hand; if it comes back, write a healing rule "
    "(policies/healing/).",
    "conflict": "Two healing rules of the same priority answer it. reconciler check names them.",
    "no-runbook": "The runbook is not there. reconciler check says where it is named.",
}
_FAULT = "A fault of the fleet repository: reconciler check says what to correct."


def needed(answer: Answer, target: str) -> tuple[str, ...]:
    """What a person must do; empty where time alone is enough."""
    if answer.incident is not None and answer.incident.reason == "does-not-hold":
        return (_BY_GUARD["flap"],)
    if answer.unplanned is not None:
        return (_UNPLANNED.get(answer.unplanned.reason, _FAULT),)
    if answer.runs_at is not None or answer.action is None:
        return ()
    words = {
        "client": target.partition("/")[0],
        "target": target,
        "runbook": answer.action.runbook,
        "rule": answer.rule.partition("[")[0],
    }
    helps = (_help(stop.guard, stop.reason) for stop in answer.stops)
    return tuple(dict.fromkeys(text.format(**words) for text in helps if text))


def sooner(answer: Answer, target: str) -> str | None:
    """How a person gets what waits for a window or the end of a freeze done before that."""
    waits = {v.guard for v in answer.verdicts if v.ruling == "defer"} & {"freeze", "approval"}
    if answer.action is None or answer.runs_at is None or not waits:
        return None
    return f"reconciler approve {answer.action.runbook} --host {target} --emergency --as YOU"


def _help(guard: str, reason: str) -> str | None:
    if guard == "approval" and reason.startswith("never"):
        return "People do this; follow the procedure in runbooks/{runbook}.yaml."
    if guard == "approval" and reason.startswith("waits"):
        return (
            "No window opens: give the client windows in hosts/{client}/client.yaml, or: "
            "reconciler approve {runbook} --host {target} --emergency --as YOU"
        )
    if guard == "approval" and "two people" in reason:
        return (
            "If it may run, two people say so: reconciler approve {runbook} --host {target} "
            "--as YOU, under a path rule that asks for 1 approval."
        )
    if guard == "allow_list" and "denies" in reason:
        return (
            "If it may run after all: take it out of denied_runbooks in hosts/{client}/client.yaml."
        )
    return _BY_GUARD.get(guard)

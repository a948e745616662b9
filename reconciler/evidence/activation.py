"""How far an activation of a system came, by what its outcome says of each step."""

from collections.abc import Mapping
from typing import Any

_STEP, _RESTART = "system.activate", "system.reboot"
_FIRST_SWITCH = 4
"""Number of the operation of that step with which the system begins to run."""


def prepared_only(step: object) -> bool:
    """Whether a step shows an activation that ended before anything of the system ran.

    Args:
        step: One of the steps of an outcome's body; what it does not say is not shown.
    """
    if not isinstance(step, Mapping) or step.get("kind") != _STEP:
        return False
    results = step.get("results")
    return isinstance(results, list | tuple) and len(results) < _FIRST_SWITCH


def did_not_restart(body: Mapping[str, Any]) -> bool:
    """Whether the outcome of a restart into a system shows that the machine did not go down.

    One that did ends in an outcome that a later run derived: it undid nothing itself, and its
    reason is that of the one operation by which it looked what had become of the restart.

    Args:
        body: Of the outcome; what it does not say is not shown.
    """
    steps = body.get("steps")
    if not isinstance(steps, list | tuple) or not steps:
        return False
    if any(not isinstance(step, Mapping) or step.get("kind") != _RESTART for step in steps):
        return False
    back = body.get("rollback")
    return back == "verified" or (back == "none" and body.get("reason") != _last_reason(steps[-1]))


def _last_reason(step: Mapping[str, Any]) -> object:
    results = step.get("results")
    last = results[-1] if isinstance(results, list | tuple) and results else None
    return last.get("reason") if isinstance(last, Mapping) else None

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
    """Whether an outcome shows a restart into a system that never began, and was taken back.

    One that began ends in an outcome that a later run derived: it undid nothing itself.

    Args:
        body: Of the outcome; what it does not say is not shown.
    """
    steps = body.get("steps")
    if body.get("rollback") != "verified" or not isinstance(steps, list | tuple) or not steps:
        return False
    return all(isinstance(step, Mapping) and step.get("kind") == _RESTART for step in steps)

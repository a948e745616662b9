"""How far an activation of a system came, by what its outcome says of each step."""

from collections.abc import Mapping

_STEP = "system.activate"
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

"""Let a check read answers that a test made up; a probe without an answer is an error to it."""

from collections.abc import Mapping
from typing import Any

from reconciler.model.answer import Answer, Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import Value
from tests.support.vectors import bound_params


def ok(data: Any) -> Answer:
    """An answer that carries data."""
    return Answer("ok", data)


def ran(stdout: str, *, status: int = 0, stderr: str = "") -> Answer:
    """What a process answered."""
    return ok({"exit": status, "stdout": stdout, "stderr": stderr})


def unit(
    active: str = "active", *, load: str = "loaded", file: str = "enabled", **other: Any
) -> dict[str, Any]:
    """State of one unit as `UnitStatus` answers it."""
    return {
        "load_state": load,
        "active_state": active,
        "sub_state": "running" if active == "active" else "dead",
        "unit_file_state": file,
        "result": "success",
        "restarts": 0,
        "active_since": 0,
        "exec_main_status": 0,
        **other,
    }


def absent_unit() -> dict[str, Any]:
    """State of a unit that does not exist."""
    return unit("inactive", load="not-found", file="")


def see(check: Check, answers: Mapping[Probe, Answer], **params: Value) -> Values | NotApplicable:
    """What the check sees.

    Raises:
        Unobservable: As the check's parser does.
    """
    return check.parse(bound_params(check, params), Answers(answers))


def values(check: Check, answers: Mapping[Probe, Answer], **params: Value) -> Values:
    """What the check sees, which must be values."""
    seen = see(check, answers, **params)
    assert not isinstance(seen, NotApplicable), seen
    return seen

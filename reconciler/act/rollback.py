"""Whether a rollback brought back what was there: by looking, as for a fix.

What was seen before the first step is compared with what is seen after the last undo. Facts that
move by themselves are left out of the comparison; a step that has no way back makes the answer
"unverified", whatever is seen.
"""

from collections.abc import Sequence
from typing import Any, Literal

from reconciler.act.work import Done
from reconciler.model.answer import Answer, Answers
from reconciler.model.probe import Probe, StatPaths, UnitStatus

Rollback = Literal["none", "verified", "unverified"]

_MOVING: dict[type[Probe], frozenset[str]] = {
    UnitStatus: frozenset({"restarts", "active_since", "exec_main_status"}),
    StatPaths: frozenset({"mtime"}),
}
"""Facts that a faithful undo cannot bring back: counters and times."""


def probes_of(done: Sequence[Done]) -> tuple[Probe, ...]:
    """What was asked before the steps that were begun."""
    return tuple(dict.fromkeys(probe for step in done for probe in step.step.probes))


def judge(done: Sequence[Done], before: Answers, after: Answers) -> Rollback:
    """Whether the state of before is back.

    Args:
        done: Steps that were begun.
        before: Answers from before the first step.
        after: Answers to the same probes from after the last undo.
    """
    if not all(step.step.kind.reversible for step in done if step.touched):
        return "unverified"
    same = all(_same(probe, before.raw(probe), after.raw(probe)) for probe in probes_of(done))
    return "verified" if same else "unverified"


def _same(probe: Probe, before: Answer, after: Answer) -> bool:
    # What could not be seen on either side is not known to be the same.
    if before.status not in {"ok", "absent"} or before.status != after.status:
        return False
    moving = _MOVING.get(type(probe), frozenset())
    return bool(_still(before.data, moving) == _still(after.data, moving))


def _still(data: Any, moving: frozenset[str]) -> Any:
    if isinstance(data, dict):
        return {key: _still(value, moving) for key, value in data.items() if key not in moving}
    if isinstance(data, list):
        return [_still(item, moving) for item in data]
    return data

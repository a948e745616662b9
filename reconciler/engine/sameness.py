"""Whether a run found what an older one found; what moves while nothing changes is left out."""

from collections.abc import Mapping
from typing import Any

from reconciler.model.check import Check

Body = Mapping[str, Any]

_OF_THE_RUN = frozenset(
    {"run", "started_at", "finished_at", "reached_at", "checkpoint_at", "upkeep", "standing"}
)
"""Members of a run's body that differ in every run."""


def found_the_same(new: Body, old: Body, checks: Mapping[str, Check]) -> bool:
    """Whether nothing happened in a run, and all it says is what an older one said.

    Readings of gauges may differ, and so do salted digests of raw answers, and for how long the
    same guard still holds the same action back.

    Args:
        new: Body of the run, complete.
        old: Body of the older run, complete.
        checks: The catalogue, which knows the gauges.
    """
    quiet = not new["outcomes"] and not new.get("incidents")
    return quiet and _essence(new, checks) == _essence(old, checks)


def _essence(body: Body, checks: Mapping[str, Check]) -> dict[str, Any]:
    # Where incidents are is said by the register; how they came there is said once.
    left_out = _OF_THE_RUN | {"incidents"}
    kept = {name: value for name, value in body.items() if name not in left_out}
    kept["findings"] = [_finding(finding, checks) for finding in body["findings"]]
    kept["not_done"] = [_left(left) for left in body["not_done"]]
    # What stood behind an acceptance is said once, in the run that accepted.
    kept["intent"] = {n: v for n, v in body["intent"].items() if n != "acceptance"}
    return kept


def _left(left: Body) -> dict[str, Any]:
    kept = {name: left[name] for name in ("action", "rules", "result", "guard")}
    # Conditions are no findings of the run: which of them it is stands nowhere else.
    return kept | ({"reason": left["reason"]} if left["guard"] == "precheck" else {})


def _finding(finding: Body, checks: Mapping[str, Check]) -> dict[str, Any]:
    check = checks.get(finding["check"])
    fields = {} if check is None else check.fields
    gauges = {name for name, field in fields.items() if field.gauge}
    # A reading that fails its expectation is news whenever it moves.
    gauges -= set(finding["failed"])
    kept = {name: value for name, value in finding.items() if name != "raw_digest"}
    kept["observed"] = {n: v for n, v in finding["observed"].items() if n not in gauges}
    return kept

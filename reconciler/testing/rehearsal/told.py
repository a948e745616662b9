"""What one run told, as ``reconciler run --json`` prints it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.diff.compare import meets
from reconciler.model.rule import RawExpectation, bound


@dataclass(frozen=True, slots=True)
class Told:
    """One run.

    Attributes:
        code: Exit code.
        document: The JSON document; empty when the run did not come to its end.
        error: What it said instead.
    """

    code: int
    document: Mapping[str, Any]
    error: str = ""

    def before(self, rule: str) -> Mapping[str, Any]:
        """The finding of a rule before anything was done."""
        return _of(self.document["before"], rule)

    def after(self, rule: str) -> Mapping[str, Any]:
        """The finding of a rule at the end of the run."""
        return _of(self.document["findings"], rule)

    def failing(self, *, before: bool) -> set[str]:
        """Rules that failed before anything was done, or at the end."""
        findings = self.document.get("before" if before else "findings", ())
        return {finding["rule"] for finding in findings if finding["status"] == "fail"}

    def planned(self) -> list[str]:
        """Runbooks of the plan, in order."""
        return [action["runbook"] for action in self.document.get("plan", {}).get("actions", ())]

    def results(self) -> list[tuple[str, str]]:
        """Runbook and result of every action that was begun, in order."""
        return [(o["runbook"], o["result"]) for o in self.document.get("outcomes", ())]

    def outcome(self, runbook: str) -> Mapping[str, Any]:
        """The one outcome of a runbook."""
        (found,) = [o for o in self.document["outcomes"] if o["runbook"] == runbook]
        return dict(found)

    def turned_away(self, runbook: str) -> Mapping[str, Any]:
        """Why an action with this runbook was not begun."""
        (found,) = [left for left in self.document["not_done"] if left["runbook"] == runbook]
        return dict(found)


def mismatch(finding: Mapping[str, Any], wanted: Mapping[str, RawExpectation]) -> str:
    """How a finding differs from what a drift must look like; empty when it does not."""
    if finding["status"] != "fail":
        return f"{finding['rule']} is {finding['status']}, not fail"
    if set(finding["failed"]) != set(wanted):
        return f"{finding['rule']}: wrong are {sorted(finding['failed'])}, not {sorted(wanted)}"
    for name, raw in wanted.items():
        value = finding["observed"].get(name)
        seen = tuple(value) if isinstance(value, list) else value
        if not meets(bound(raw, {}), seen):
            return f"{finding['rule']}: {name} is {value!r}, not {bound(raw, {})}"
    return ""


def _of(findings: Sequence[Mapping[str, Any]], rule: str) -> Mapping[str, Any]:
    found = [finding for finding in findings if finding["rule"] == rule]
    return found[0] if len(found) == 1 else {"rule": rule, "status": "not judged", "failed": []}

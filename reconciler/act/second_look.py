"""The second look: the same checks through the same comparator, until they pass or time is up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.act.work import Hook
from reconciler.errors import ReconcilerError
from reconciler.model.finding import Finding
from reconciler.model.plan import Action
from reconciler.model.runbook import Condition
from reconciler.ports import Clock

Look = Callable[[], Mapping[str, Finding]]
Also = Callable[[], Sequence[Finding]]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look showed.

    Attributes:
        findings: By rule.
        shortfall: What is not as it must be, in words; empty only when all of it is.
    """

    findings: Mapping[str, Finding]
    shortfall: str


@dataclass(frozen=True, slots=True)
class SecondLook:
    """How to look again after the steps of one action."""

    action: Action
    also_verify: Sequence[Condition]
    look: Look
    also: Also
    clock: Clock
    hook: Hook

    def settle(self, settle_s: int) -> Seen:
        """Look until nothing falls short, or for so many seconds; at least once."""
        until = self.clock.monotonic() + settle_s
        pause = FIRST_PAUSE_S
        while True:
            seen = self.once()
            left = until - self.clock.monotonic()
            if not seen.shortfall or left <= 0:
                return seen
            self.clock.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def once(self) -> Seen:
        """Look once. A look that could not be taken falls short; it never raises."""
        self.hook("look")
        try:
            findings, conditions = self.look(), self.also()
        except ReconcilerError as error:
            return Seen({}, f"could not look: {error.message}")
        # What was changed must not stay only because the look at it broke: it is taken back.
        except Exception as error:  # noqa: BLE001
            return Seen({}, f"could not look: {type(error).__name__}")
        return Seen(findings, self._shortfall(findings, conditions))

    def _shortfall(self, findings: Mapping[str, Finding], conditions: Sequence[Finding]) -> str:
        if not self.action.rules:
            return "the action is about no rule"
        bad = [
            f"{rule} is {_status(findings.get(rule), rule, self.action.target)}"
            for rule in self.action.rules
            if _status(findings.get(rule), rule, self.action.target) != "pass"
        ]
        if [c.check for c in self.also_verify] != [f.check for f in conditions]:
            bad.append("what else must hold was not all looked at")
        else:
            bad += [
                f"{condition.check} is {finding.status}: {condition.reason}"
                for condition, finding in zip(self.also_verify, conditions, strict=True)
                if finding.status != "pass"
            ]
        return "; ".join(bad)


def _status(finding: Finding | None, rule: str, target: str) -> str:
    if finding is None:
        return "not looked at"
    mine = finding.rule == rule and finding.target == target
    return finding.status if mine else "a finding about something else"

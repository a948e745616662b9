"""Observe and judge: the same function for the first look, the second look and a precheck."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from reconciler.diff.judge import judge
from reconciler.errors import InputError
from reconciler.model.check import Check
from reconciler.model.desired import BoundRule, DesiredState
from reconciler.model.finding import Finding
from reconciler.observe.driver import Request, observe
from reconciler.ports import Target


@dataclass(frozen=True, slots=True)
class Eye:
    """Everything a look needs, so that every look in a run is the same look.

    Attributes:
        salt: Random bytes of this run; keeps digests of low-entropy answers from being guessed.
    """

    desired: DesiredState
    checks: Mapping[str, Check]
    target: Target
    deadline_s: float
    salt: bytes
    today: date

    def look(self, rules: Sequence[BoundRule]) -> dict[str, Finding]:
        """One finding for each rule, by its id, in order.

        Raises:
            InputError: A rule names a check that is not in the catalogue.
        """
        requests = [Request(self._check(rule), rule.params) for rule in rules]
        seen = observe(requests, self.target, deadline_s=self.deadline_s, salt=self.salt)
        return {
            rule.id: judge(
                rule,
                observation,
                target=self.desired.target,
                exceptions=self.desired.exceptions,
                controls=self.desired.controls,
                today=self.today,
            )
            for rule, observation in zip(rules, seen, strict=True)
        }

    def look_again(self, ids: Sequence[str]) -> dict[str, Finding]:
        """The same rules, looked at afresh."""
        wanted = set(ids)
        return self.look([rule for rule in self.desired.rules if rule.id in wanted])

    def _check(self, rule: BoundRule) -> Check:
        check = self.checks.get(rule.check)
        if check is None:
            raise InputError(
                f"rule {rule.id} names check {rule.check}, which this version does not have",
                hint="Upgrade the appliance, or run: reconciler check PATH",
            )
        return check

"""The rules of one host, with every reference followed and every value put in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.desired import problem, references
from reconciler.desired.fleet import Fleet
from reconciler.desired.page import Path
from reconciler.desired.problem import Problem
from reconciler.desired.references import Item
from reconciler.desired.suggest import did_you_mean
from reconciler.errors import Where
from reconciler.model.check import Check
from reconciler.model.client import Client
from reconciler.model.desired import BoundRemedy, BoundRule
from reconciler.model.expectation import Expectation
from reconciler.model.host import Host, Override
from reconciler.model.parameter import bind
from reconciler.model.rule import ParameterValue, RawExpectation, Ref, Rule, bound
from reconciler.model.values import Scalar, Value

NO_OVERRIDE = Override(reason="none")


@dataclass(frozen=True, slots=True)
class Binding:
    """The rules of one host, and what kept others from being bound."""

    rules: list[BoundRule] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def rule_names(fleet: Fleet, host: Host) -> list[str]:
    """Ids of the rules that a host's policies name, each once, in their order."""
    baselines = [fleet.baselines[name] for name in host.policies if name in fleet.baselines]
    return list(dict.fromkeys(name for baseline in baselines for name in baseline.rules))


def bind_host(
    fleet: Fleet,
    client: Client,
    host: Host,
    checks: Mapping[str, Check],
    *,
    skip: frozenset[str] = frozenset(),
) -> Binding:
    """Bind every rule of a host: one finding each, or one for each item of its ``for_each``.

    Rules in ``skip`` are passed over: their faults are known already.
    """
    binder = _Binder(fleet, client, host, checks)
    for name in rule_names(fleet, host):
        if name not in skip:
            binder.bind(name)
    return binder.binding


class _Binder:
    """One host's rules, one after the other."""

    def __init__(
        self, fleet: Fleet, client: Client, host: Host, checks: Mapping[str, Check]
    ) -> None:
        self._fleet = fleet
        self._client = client
        self._host = host
        self._checks = checks
        tier = fleet.tiers.get(client.tier)
        self._heals = tier is not None and "heal" in tier.features
        self.binding = Binding()

    def bind(self, name: str) -> None:
        rule = self._fleet.rules.get(name)
        check = self._checks.get(rule.check) if rule else None
        if rule is None or check is None:
            what, known = (
                (f"rule {name}", self._fleet.rules)
                if rule is None
                else (f"check {rule.check}", self._checks)
            )
            self._problem(f"there is no {what}", did_you_mean(what.split()[1], known))
            return
        if self._host.kind not in check.platforms:
            self._problem(
                f"rule {name}: check {check.id} is not for {self._host.kind}",
                "Take the rule out of the baseline, or use a baseline for this kind of host.",
            )
            return
        if rule.for_each is None:
            self._bind_item(rule, check, None, ())
            return
        for index, item in enumerate(references.items(self._host, rule.for_each)):
            self._bind_item(rule, check, item, ("declares", rule.for_each, index))

    def _bind_item(self, rule: Rule, check: Check, item: Item | None, at: Path) -> None:
        name = rule.id if item is None else f"{rule.id}[{references.label(item)}]"
        override = self._host.overrides.get(rule.id, NO_OVERRIDE)
        values = references.values(self._host, item)
        params, faults = bind(
            dict(check.params), _filled({**rule.params, **override.params}, values)
        )
        for fault in faults:
            self._problem(f"rule {name}: {fault}", "Correct what the host declares.", at)
        if faults:
            return
        self.binding.rules.append(
            BoundRule(
                id=name,
                rule=rule.id,
                title=rule.title,
                check=rule.check,
                params=params,
                expect=_expected({**rule.expect, **override.expect}, values),
                severity=rule.severity,
                controls=tuple(c for c in rule.controls if self._names(c)),
                enforce=self._enforces(rule, override),
                remedy=self._remedy(rule, name, values, at),
            )
        )

    def _names(self, control: str) -> bool:
        """Whether the client named its framework: nobody is measured by another's law."""
        return control.partition(":")[0] in self._client.frameworks

    def _enforces(self, rule: Rule, override: Override) -> bool:
        """Everybody must agree before anything is changed; an override can only withdraw.

        A tier without ``heal`` only looks.
        """
        if not self._heals:
            return False
        modes = {self._client.mode, self._host.mode, rule.mode, override.mode or "enforce"}
        return modes == {"enforce"}

    def _remedy(
        self, rule: Rule, name: str, values: Mapping[str, Value], at: Path
    ) -> BoundRemedy | None:
        """The remedy, when its runbook is for this kind of host and takes these values.

        Otherwise a failing finding is a person's.
        """
        runbook = self._fleet.runbooks.get(rule.remedy.runbook) if rule.remedy else None
        if rule.remedy is None or runbook is None or self._host.kind not in runbook.platforms:
            return None
        params, faults = bind(dict(runbook.parameters), _filled(rule.remedy.params, values))
        if faults:
            self.binding.problems.append(
                problem.warning(
                    self._where(at),
                    f"rule {name}: runbook {runbook.id} does not take it ({'; '.join(faults)})",
                    "A failing finding will be left to a person.",
                )
            )
            return None
        return BoundRemedy(runbook=runbook.id, params=params)

    def _where(self, at: Path) -> Where:
        return self._fleet.where("host", f"{self._client.id}/{self._host.id}", *at)

    def _problem(self, message: str, hint: str, at: Path = ()) -> None:
        where = self._where(at)
        self.binding.problems.append(problem.error(where, message, hint))


def _filled(given: Mapping[str, ParameterValue], values: Mapping[str, Value]) -> dict[str, Value]:
    return {
        name: values.get(value.ref) if isinstance(value, Ref) else value
        for name, value in given.items()
    }


def _expected(
    raw: Mapping[str, RawExpectation], values: Mapping[str, Value]
) -> dict[str, Expectation]:
    operands: dict[str, Scalar | tuple[Scalar, ...]] = {
        ref: value for ref, value in values.items() if value is not None
    }
    return {name: bound(expectation, operands) for name, expectation in raw.items()}

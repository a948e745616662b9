"""Healing rules: check, facts, conditions, runbook and parameters, each by its type."""

from collections.abc import Iterable, Iterator, Mapping

from reconciler.desired.fitting import expectation_flaws, parameter_flaws
from reconciler.desired.graph.context import Graph, flawed
from reconciler.desired.problem import Problem, error, warning
from reconciler.desired.references import Typed
from reconciler.desired.suggest import did_you_mean
from reconciler.model.check import Check
from reconciler.model.healing_rule import FactRef, HealingRule, HealingValue
from reconciler.model.rule import ParameterValue, Ref
from reconciler.model.runbook import Runbook


def healing_problems(graph: Graph) -> Iterator[Problem]:
    """What is wrong with each healing rule by itself."""
    for key, healing in graph.fleet.healing.items():
        yield from graph.no_check(
            graph.fleet.where("healing", key, "match", "check"), healing.match.check
        )
        yield from _rules(graph, key, healing)
        yield from _unknown(graph, key, "roles", healing.match.roles)
        yield from _unknown(graph, key, "tags", healing.match.tags)
        check = graph.checks.get(healing.match.check)
        if check is not None:
            yield from _conditions(graph, key, healing, check)
        yield from _answer(graph, key, healing, check)


def facts(check: Check) -> dict[str, Typed]:
    """Every fact that a finding of a check has, with its type."""
    seen = {f"observed.{name}": Typed(f.kind, f.optional) for name, f in check.fields.items()}
    given = {
        f"param.{name}": Typed(p.type, optional=not p.required and p.default is None)
        for name, p in check.params.items()
    }
    return seen | given


def _rules(graph: Graph, key: str, healing: HealingRule) -> Iterator[Problem]:
    for index, name in enumerate(healing.match.rules):
        where = graph.fleet.where("healing", key, "match", "rules", index)
        yield from graph.no_document(where, "rule", name)
        rule = graph.fleet.rules.get(name)
        if rule is not None and rule.check != healing.match.check:
            yield error(
                where,
                f"rule {name} is of check {rule.check}, not {healing.match.check}",
                "Correct the check, or leave the rule out: it would never match.",
            )


def _unknown(graph: Graph, key: str, field: str, names: Iterable[str]) -> Iterator[Problem]:
    """Roles and tags that no host has: nobody lists them, so they may only be ahead of a host."""
    known = {name for host in graph.fleet.hosts.values() for name in getattr(host, field)}
    for index, name in enumerate(names):
        if name not in known:
            where = graph.fleet.where("healing", key, "match", field, index)
            yield warning(where, f"no host has {name} among its {field}", did_you_mean(name, known))


def _conditions(graph: Graph, key: str, healing: HealingRule, check: Check) -> Iterator[Problem]:
    known = facts(check)
    for name, raw in healing.match.where.items():
        where = graph.fleet.where("healing", key, "match", "where", name)
        typed = known.get(name)
        if typed is None:
            what = f"a finding of check {check.id} has no {name}"
            yield error(where, what, did_you_mean(name, known))
            continue
        for flaw in expectation_flaws(raw, typed, {}):
            yield flawed(where, flaw)


def _answer(graph: Graph, key: str, healing: HealingRule, check: Check | None) -> Iterator[Problem]:
    where = graph.fleet.where("healing", key, "runbook")
    yield from graph.no_document(where, "runbook", healing.runbook)
    runbook = graph.fleet.runbooks.get(healing.runbook)
    if runbook is None:
        return
    if healing.match.check not in runbook.fixes:
        yield error(
            where,
            f"runbook {runbook.id} does not fix {healing.match.check}",
            f"It fixes {', '.join(runbook.fixes)}.",
        )
    if check is not None:
        yield from _platforms(graph, key, runbook, check)
        flaws = parameter_flaws(_written(healing.params), runbook.parameters, facts(check))
        for name, flaw in flaws:
            yield flawed(graph.fleet.where("healing", key, "params", name), flaw)
    yield from _unbounded(graph, key, healing, runbook)


def _unbounded(graph: Graph, key: str, healing: HealingRule, runbook: Runbook) -> Iterator[Problem]:
    """Parameters that a machine would choose, of which the runbook takes any value."""
    for name, value in healing.params.items():
        declared = runbook.parameters.get(name)
        observed = isinstance(value, FactRef) and value.ref.startswith("observed.")
        if observed and declared is not None and not declared.bounded:
            yield warning(
                graph.fleet.where("healing", key, "params", name),
                f"{runbook.id} takes any {name}, so what is observed never becomes one and the "
                "finding is left to people",
                "Give the parameter a pattern, an enum, or a minimum and a maximum.",
            )


def _platforms(graph: Graph, key: str, runbook: Runbook, check: Check) -> Iterator[Problem]:
    if not check.platforms & set(runbook.platforms):
        yield error(
            graph.fleet.where("healing", key, "runbook"),
            f"runbook {runbook.id} is for {', '.join(runbook.platforms)}; check {check.id} is not",
            f"The check is for {', '.join(sorted(check.platforms))}.",
        )


def _written(given: Mapping[str, HealingValue]) -> dict[str, ParameterValue]:
    """Parameters with facts as references, whose types are compared alike."""
    return {
        name: Ref.model_construct(ref=value.ref) if isinstance(value, FactRef) else value
        for name, value in given.items()
    }

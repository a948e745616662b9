"""Rules: rule → check, parameters, expectations, controls, runbook."""

from collections.abc import Callable, Iterator, Mapping

from reconciler.desired.fitting import Flaw, expectation_flaws, parameter_flaws
from reconciler.desired.graph.context import Graph, flawed
from reconciler.desired.layout import Kind
from reconciler.desired.problem import Problem, error, warning
from reconciler.desired.references import Typed, references
from reconciler.desired.suggest import did_you_mean
from reconciler.model.check import Check
from reconciler.model.rule import RawExpectation, Remedy, Rule


def rule_problems(graph: Graph) -> dict[str, list[Problem]]:
    """What is wrong with each rule, by id."""
    used = {name for baseline in graph.fleet.baselines.values() for name in baseline.rules}
    return {
        key: [*_rule(graph, key, rule), *_unused(graph, key, used)]
        for key, rule in graph.fleet.rules.items()
    }


def _rule(graph: Graph, key: str, rule: Rule) -> Iterator[Problem]:
    where = graph.fleet.where
    refs = references(rule.for_each)
    yield from graph.no_controls("rule", key, rule.controls)
    yield from graph.no_check(where("rule", key, "check"), rule.check)
    check = graph.checks.get(rule.check)
    if check is not None:
        for name, flaw in parameter_flaws(rule.params, check.params, refs):
            yield flawed(where("rule", key, "params", name), flaw)
        yield from expectation_problems(graph, "rule", key, ("expect",), rule.expect, check, refs)
    if rule.remedy is not None:
        yield from _remedy(graph, key, rule, rule.remedy, refs)


def expectation_problems(
    graph: Graph,
    kind: Kind,
    key: str,
    path: tuple[str | int, ...],
    expect: Mapping[str, RawExpectation],
    check: Check,
    refs: Mapping[str, Typed],
) -> Iterator[Problem]:
    """What is wrong with expectations of a check's fields, written at a path of a document."""
    yield from fields_problems(
        graph,
        kind,
        key,
        path,
        expect,
        check,
        lambda raw, observed: expectation_flaws(raw, observed, refs),
    )


def fields_problems(
    graph: Graph,
    kind: Kind,
    key: str,
    path: tuple[str | int, ...],
    expect: Mapping[str, RawExpectation],
    check: Check,
    flaws: Callable[[RawExpectation, Typed], Iterator[Flaw]],
) -> Iterator[Problem]:
    """Fields that a check does not observe, and what ``flaws`` finds in the others."""
    for name, raw in expect.items():
        where = graph.fleet.where(kind, key, *path, name)
        observed = check.fields.get(name)
        if observed is None:
            hint = did_you_mean(name, check.fields)
            yield error(where, f"check {check.id} does not observe {name}", hint)
            continue
        typed = Typed(observed.kind, observed.optional)
        for flaw in flaws(raw, typed):
            yield flawed(where, flaw)


def _remedy(
    graph: Graph, key: str, rule: Rule, remedy: Remedy, refs: Mapping[str, Typed]
) -> Iterator[Problem]:
    where = graph.fleet.where("rule", key, "remedy", "runbook")
    yield from graph.no_document(where, "runbook", remedy.runbook)
    runbook = graph.fleet.runbooks.get(remedy.runbook)
    if runbook is None:
        return
    if rule.check not in runbook.fixes:
        yield error(
            where,
            f"runbook {runbook.id} does not fix {rule.check}",
            f"It fixes {', '.join(runbook.fixes)}.",
        )
    check = graph.checks.get(rule.check)
    if check is not None and not check.platforms & set(runbook.platforms):
        yield error(
            where,
            f"runbook {runbook.id} is for {', '.join(runbook.platforms)}; check {check.id} is not",
            f"The check is for {', '.join(sorted(check.platforms))}.",
        )
    for name, flaw in parameter_flaws(remedy.params, runbook.parameters, refs):
        yield flawed(graph.fleet.where("rule", key, "remedy", "params", name), flaw)


def _unused(graph: Graph, key: str, used: set[str]) -> Iterator[Problem]:
    if key not in used:
        yield warning(
            graph.fleet.where("rule", key),
            "no baseline names this rule",
            "Add it to a baseline, or remove it; nothing is judged by it.",
        )

"""Baselines and frameworks."""

from collections.abc import Iterator

from reconciler.desired.graph.context import Graph, doubled
from reconciler.desired.problem import Problem, error, warning
from reconciler.model.baseline import Baseline
from reconciler.model.rule import Rule


def baseline_problems(graph: Graph) -> Iterator[Problem]:
    """Baselines name frameworks and rules that exist, and rules that fit their platforms."""
    for key, baseline in graph.fleet.baselines.items():
        where = graph.fleet.where
        yield from doubled(where("baseline", key, "rules"), baseline.rules)
        for index, name in enumerate(baseline.frameworks):
            at = where("baseline", key, "frameworks", index)
            yield from graph.no_document(at, "framework", name)
        for index, name in enumerate(baseline.rules):
            at = where("baseline", key, "rules", index)
            yield from graph.no_document(at, "rule", name)
            yield from _platforms(graph, key, index, baseline, graph.fleet.rules.get(name))
        yield from _uncovered(graph, key, baseline)


def _platforms(
    graph: Graph, key: str, index: int, baseline: Baseline, rule: Rule | None
) -> Iterator[Problem]:
    check = graph.checks.get(rule.check) if rule else None
    lacking = sorted(set(baseline.platforms) - check.platforms) if check else []
    if rule is not None and lacking:
        yield error(
            graph.fleet.where("baseline", key, "rules", index),
            f"rule {rule.id}: check {rule.check} is not for {', '.join(lacking)}",
            "Leave the rule out, or make a baseline for each platform.",
        )


def _uncovered(graph: Graph, key: str, baseline: Baseline) -> Iterator[Problem]:
    """A control that calls itself tested, and that nothing in the baseline tests."""
    if not graph.fleet.rules.keys() >= set(baseline.rules):
        return
    rules = [graph.fleet.rules[name] for name in baseline.rules]
    covered = {control for rule in rules for control in rule.controls}
    for name in baseline.frameworks:
        framework = graph.fleet.frameworks.get(name)
        for control in framework.controls if framework else ():
            if control.evidence == "tested" and f"{name}:{control.id}" not in covered:
                yield warning(
                    graph.fleet.where("baseline", key, "rules"),
                    f"no rule tests {name}:{control.id}, which says it is tested",
                    "Add a rule for it, or say supported or attested in the framework.",
                )


def framework_problems(graph: Graph) -> Iterator[Problem]:
    """Controls are listed once."""
    for key, framework in graph.fleet.frameworks.items():
        where = graph.fleet.where("framework", key, "controls")
        yield from doubled(where, (control.id for control in framework.controls))

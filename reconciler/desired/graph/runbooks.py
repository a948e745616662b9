"""Runbooks: fixes, controls, parameters, conditions, steps, and the allow-list."""

from collections.abc import Iterator, Mapping

from reconciler.desired.filling import Own, filled_expectation_flaws, filled_flaws
from reconciler.desired.graph.context import Graph, doubled, flawed
from reconciler.desired.graph.rules import fields_problems
from reconciler.desired.problem import Problem, error, warning
from reconciler.desired.suggest import did_you_mean
from reconciler.diff.compare import pattern_problem
from reconciler.model.runbook import Condition, Runbook, RunbookStep

_IN_WINDOWS = frozenset({"window", "never"})


def runbook_problems(graph: Graph) -> Iterator[Problem]:
    """What is wrong with runbooks and with the list of those that may run."""
    for key, runbook in graph.fleet.runbooks.items():
        yield from graph.no_controls("runbook", key, runbook.controls)
        yield from _fixes(graph, key, runbook)
        yield from _parameters(graph, key, runbook)
        yield from _steps(graph, key, runbook)
        yield from _conditions(graph, key, "precheck", runbook.precheck, runbook.parameters)
        yield from _conditions(graph, key, "also_verify", runbook.also_verify, runbook.parameters)
        yield from _approval(graph, key)
    yield from _approved(graph)


def safe_runbooks(runbooks: Mapping[str, Runbook]) -> dict[str, Runbook]:
    """The runbooks whose parameters can be tried without a pattern that never ends."""
    return {
        key: runbook
        for key, runbook in runbooks.items()
        if not any(p.pattern and pattern_problem(p.pattern) for p in runbook.parameters.values())
    }


def _fixes(graph: Graph, key: str, runbook: Runbook) -> Iterator[Problem]:
    for index, name in enumerate(runbook.fixes):
        yield from graph.no_check(graph.fleet.where("runbook", key, "fixes", index), name)


def _parameters(graph: Graph, key: str, runbook: Runbook) -> Iterator[Problem]:
    for name, parameter in runbook.parameters.items():
        where = graph.fleet.where("runbook", key, "parameters", name)
        if parameter.pattern is not None and (problem := pattern_problem(parameter.pattern)):
            yield error(where, f"the pattern {problem}", "It must match the whole value.")
        elif parameter.default is not None and (problem := parameter.problem(parameter.default)):
            yield error(where, f"the default {problem}", "Give a default that is allowed.")


def _steps(graph: Graph, key: str, runbook: Runbook) -> Iterator[Problem]:
    yield from doubled(
        graph.fleet.where("runbook", key, "steps"), (step.id for step in runbook.steps)
    )
    for index, step in enumerate(runbook.steps):
        yield from _step(graph, key, index, step, runbook.parameters)
    if runbook.mode not in _IN_WINDOWS and _restarts(graph, runbook):
        yield error(
            graph.fleet.where("runbook", key, "mode"),
            "it restarts the machine, and that is done in maintenance windows alone",
            "Write mode: window. What cannot wait needs an emergency approval.",
        )


def _restarts(graph: Graph, runbook: Runbook) -> bool:
    kinds = (graph.steps.get(step.use) for step in runbook.steps)
    return any(kind is not None and kind.restarts for kind in kinds)


def _step(graph: Graph, key: str, index: int, step: RunbookStep, own: Own) -> Iterator[Problem]:
    where = graph.fleet.where("runbook", key, "steps", index, "use")
    kind = graph.steps.get(step.use)
    if kind is None:
        yield error(
            where, f"there is no kind of step {step.use}", did_you_mean(step.use, graph.steps)
        )
        return
    for name, flaw in filled_flaws(step.params, kind.params, own, leaves_out=True):
        yield flawed(graph.fleet.where("runbook", key, "steps", index, "with", name), flaw)


def _conditions(
    graph: Graph, key: str, field: str, conditions: tuple[Condition, ...], own: Own
) -> Iterator[Problem]:
    for index, condition in enumerate(conditions):
        at = (field, index)
        yield from graph.no_check(graph.fleet.where("runbook", key, *at, "check"), condition.check)
        check = graph.checks.get(condition.check)
        if check is None:
            continue
        flaws = filled_flaws(condition.params, check.params, own, leaves_out=False)
        for name, flaw in flaws:
            yield flawed(graph.fleet.where("runbook", key, *at, "params", name), flaw)
        yield from fields_problems(
            graph,
            "runbook",
            key,
            (*at, "expect"),
            condition.expect,
            check,
            lambda raw, observed: filled_expectation_flaws(raw, observed, own),
        )


def _approval(graph: Graph, key: str) -> Iterator[Problem]:
    allowed = graph.fleet.approved.runbooks if graph.fleet.approved else {}
    if key not in allowed and graph.fleet.has("runbook", key):
        yield warning(
            graph.fleet.where("runbook", key),
            "is not in runbooks/approved.yaml, so it will not run",
            "Have it reviewed, then add it with its digest.",
        )


def _approved(graph: Graph) -> Iterator[Problem]:
    approved = graph.fleet.approved.runbooks if graph.fleet.approved else {}
    for name, digest in approved.items():
        where = graph.fleet.where("approved", "approved", "runbooks", name)
        yield from graph.no_document(where, "runbook", name)
        actual = graph.fleet.digests.get(f"runbooks/{name}.yaml")
        if actual is not None and digest != f"sha256:{actual}":
            yield error(
                where,
                f"the file's digest is sha256:{actual}",
                "Review what changed, then run: reconciler check --write-approved PATH",
            )

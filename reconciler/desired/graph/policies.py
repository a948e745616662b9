"""Baselines, frameworks and exceptions."""

from collections.abc import Iterator
from datetime import date

from pydantic import TypeAdapter, ValidationError

from reconciler.desired.graph.context import Graph, doubled
from reconciler.desired.problem import Problem, error, warning
from reconciler.model.baseline import Baseline
from reconciler.model.document import CheckId
from reconciler.model.exemption import PolicyException
from reconciler.model.framework import Control
from reconciler.model.rule import Rule

_CHECK_ID: TypeAdapter[str] = TypeAdapter(CheckId)


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


def exception_problems(graph: Graph) -> Iterator[Problem]:
    """Exceptions are for addressable specifications only, documented, and end within a year.

    45 CFR 164.306(d)(3).
    """
    for key, exception in graph.fleet.exceptions.items():
        client = key.split("/", 1)[0]
        where = graph.fleet.where("exception", key)
        yield from graph.no_document(where, "client", client)
        known = graph.fleet.hosts_of(client)
        for index, host in enumerate(exception.hosts):
            if host not in known:
                at = graph.fleet.where("exception", key, "hosts", index)
                yield from graph.no_document(at, "host", f"{client}/{host}")
        yield from _addressable(graph, key, exception)
        yield from _rules(graph, key, exception)
        yield from _dates(graph, key, exception)
        yield from _alternative(graph, key, exception)


def _addressable(graph: Graph, key: str, exception: PolicyException) -> Iterator[Problem]:
    where = graph.fleet.where("exception", key, "control")
    yield from graph.no_control(where, exception.control.split(":", 1)[0], exception.control)
    control = graph.controls.get(exception.control)
    if control is not None and control.requirement != "addressable":
        yield error(
            where,
            f"{exception.control} is required and cannot be excepted",
            "Only an addressable specification has an alternative (45 CFR 164.306(d)(3)); "
            "this is a gap to be closed.",
        )


def _rules(graph: Graph, key: str, exception: PolicyException) -> Iterator[Problem]:
    for index, name in enumerate(exception.rules):
        where = graph.fleet.where("exception", key, "rules", index)
        yield from graph.no_document(where, "rule", name)
        rule = graph.fleet.rules.get(name)
        if rule is None:
            continue
        if exception.control not in rule.controls:
            yield error(
                where,
                f"rule {name} does not serve {exception.control}",
                f"It serves {', '.join(rule.controls)}.",
            )
        for control in binding_controls(graph, rule):
            yield error(
                where,
                f"rule {name} also serves {control}, which is required",
                "An exception to it would excuse a required provision; narrow the rule instead.",
            )


def binding_controls(graph: Graph, rule: Rule) -> list[str]:
    """Controls of a rule that no exception may touch.

    A required specification; or a required standard without specifications, which must itself be
    met (45 CFR 164.306(c)). A standard with specifications is met through them.
    """
    return [
        name
        for name in rule.controls
        if (control := graph.controls.get(name)) is not None
        and control.requirement == "required"
        and not _has_specifications(graph, name, control)
    ]


def _has_specifications(graph: Graph, name: str, control: Control) -> bool:
    """Whether a standard has specifications: siblings under the paragraph that it opens.

    164.312(a)(1) is followed by 164.312(a)(2)(i); 164.308(a)(1)(i) by 164.308(a)(1)(ii)(A).
    """
    paragraph, opens, last = name.rpartition("(")
    if control.kind != "standard" or not opens or last not in {"1)", "i)"}:
        return False
    return any(
        other.startswith(f"{paragraph}(") and found.kind == "specification"
        for other, found in graph.controls.items()
    )


def _dates(graph: Graph, key: str, exception: PolicyException) -> Iterator[Problem]:
    where = graph.fleet.where("exception", key, "review_by")
    decided = exception.decided_on
    if exception.review_by <= decided:
        yield error(where, f"is not after {decided}, when it was decided", "Correct the date.")
    elif exception.review_by > _year_after(decided):
        yield error(
            where,
            f"is more than a year after {decided}, when it was decided",
            "Review it within a year (45 CFR 164.306(e)).",
        )


def _year_after(day: date) -> date:
    """The same day next year; 29 February becomes 1 March."""
    leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + 1, 3, 1) if leap_day else day.replace(year=day.year + 1)


def _alternative(graph: Graph, key: str, exception: PolicyException) -> Iterator[Problem]:
    for index, alternative in enumerate(exception.alternative):
        if _is_check_id(alternative):
            where = graph.fleet.where("exception", key, "alternative", index)
            yield from graph.no_check(where, alternative)


def _is_check_id(text: str) -> bool:
    try:
        _CHECK_ID.validate_python(text)
    except ValidationError:
        return False
    return True

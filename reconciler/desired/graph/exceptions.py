"""Exceptions, and risks that are accepted without compliance."""

from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError

from reconciler.desired.graph.context import Graph
from reconciler.desired.problem import Problem, error, warning
from reconciler.errors import Where
from reconciler.model.document import CheckId
from reconciler.model.exemption import PolicyException
from reconciler.model.framework import Control
from reconciler.model.proposed import is_proposed
from reconciler.model.rule import Rule
from reconciler.model.term import year_after

_CHECK_ID: TypeAdapter[str] = TypeAdapter(CheckId)


def exception_problems(graph: Graph) -> Iterator[Problem]:
    """Exceptions stand where an alternative may, are documented, and end within a year.

    45 CFR 164.306(d)(3); what other frameworks know is in `reconciler.model.framework`. A risk that
    is accepted without compliance may be about any control, because it excuses nothing.
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
        yield from _control(graph, key, exception)
        yield from _rules(graph, key, exception)
        yield from _dates(graph, key, exception)
        yield from _alternative(graph, key, exception)


def _control(graph: Graph, key: str, exception: PolicyException) -> Iterator[Problem]:
    where = graph.fleet.where("exception", key, "control")
    framework = exception.control.split(":", 1)[0]
    yield from graph.no_control(where, framework, exception.control)
    client = graph.fleet.clients.get(key.split("/", 1)[0])
    if client is not None and framework not in client.frameworks:
        yield error(
            where,
            f"client {client.id} does not name {framework}",
            f"It names {', '.join(client.frameworks)}; a decision about another excuses nothing.",
        )
    control = graph.controls.get(exception.control)
    if control is None or exception.status != "excepted":
        return
    if not control.exceptable:
        yield error(
            where,
            f"{exception.control} is required and cannot be excepted",
            "Only an addressable specification has an alternative (45 CFR 164.306(d)(3)); this is "
            "a gap: close it, or record it with status: risk_accepted_noncompliant.",
        )
    elif is_proposed(framework):
        yield error(
            where,
            f"{exception.control} is proposed and obliges to nothing",
            "There is nothing to be excepted from; name the provision that is in force.",
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
        if exception.status == "risk_accepted_noncompliant":
            yield from _would_heal(graph, key, exception, rule, where)
            continue
        yield from _also_bound(graph, where, rule, key.split("/", 1)[0], exception)


def _also_bound(
    graph: Graph, where: Where, rule: Rule, client: str, exception: PolicyException
) -> Iterator[Problem]:
    """What else the rule stands for; an exception would excuse that, too."""
    for control in binding_controls(graph, rule, client):
        yield error(
            where,
            f"rule {rule.id} also serves {control}, which is required",
            "An exception to it would excuse a required provision; narrow the rule instead.",
        )
    named = graph.fleet.controls_of(client)
    own = named.get(exception.control)
    if own is None or own.requirement == "addressable":
        return
    for control in rule.controls:
        if (also := named.get(control)) is not None and also.requirement == "addressable":
            yield error(
                where,
                f"rule {rule.id} also serves {control}, which is addressable",
                "Name that one: the law asks for its assessment (45 CFR 164.306(d)(3)), and a "
                "standard beside it does not make up for it.",
            )


def _would_heal(
    graph: Graph, key: str, exception: PolicyException, rule: Rule, where: Where
) -> Iterator[Problem]:
    """A gap that is accepted, and that the next run would close by itself."""
    client = graph.fleet.clients.get(key.split("/", 1)[0])
    for name in exception.hosts if client and rule.remedy else ():
        host = graph.fleet.hosts.get(f"{key.split('/', 1)[0]}/{name}")
        override = host.overrides.get(rule.id) if host else None
        modes = {client and client.mode, host and host.mode, rule.mode, override and override.mode}
        if modes <= {"enforce", None} and host is not None:
            yield warning(
                where,
                f"rule {rule.id} is enforced on {name}, so a runbook would change what is accepted",
                f"Lower it there: overrides: {{{rule.id}: {{mode: observe, reason: …}}}}.",
            )


def binding_controls(graph: Graph, rule: Rule, client: str = "") -> list[str]:
    """Controls of a rule that no exception may touch.

    A required specification; or a required standard without specifications, which must itself be
    met (45 CFR 164.306(c)). A standard with specifications is met through them. Frameworks that the
    client does not name do not bind it, and what is only proposed binds nobody.
    """
    named = graph.fleet.controls_of(client)
    return [
        name
        for name in rule.controls
        if (control := named.get(name)) is not None
        and not control.exceptable
        and not is_proposed(name)
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
    elif exception.review_by > year_after(decided):
        yield error(
            where,
            f"is more than a year after {decided}, when it was decided",
            "Review it within a year (45 CFR 164.306(e)).",
        )
    for rule in filter(None, map(graph.fleet.rules.get, exception.rules)):
        most = rule.exception_days
        if most is not None and (exception.review_by - decided).days > most:
            what = f"is more than {most} days after {decided}; rule {rule.id} allows no longer one"
            yield error(where, what, "Decide again when it ends, on what is known then.")


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

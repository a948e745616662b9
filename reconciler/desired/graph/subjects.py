"""What healing rules could be asked about: the rules that hosts are held to, each kind once.

Many hosts are held to the same rules, and a healing rule cannot tell hosts with the same roles,
tags and kind apart. So a fleet of a thousand hosts has few subjects; rules are compared on those.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.desired.binding import bind_host
from reconciler.desired.graph.context import Graph
from reconciler.desired.problem import Problem, warning
from reconciler.desired.resolve import runs_on
from reconciler.errors import Where
from reconciler.model.check import Field
from reconciler.model.desired import BoundRule
from reconciler.model.expectation import Expectation
from reconciler.model.healing_rule import FactRef, HealingRule
from reconciler.model.host import Host
from reconciler.model.values import Value
from reconciler.plan.facts import (
    Asked,
    Fact,
    asked_by,
    fact_named,
    finite,
    fits_host,
    may_answer,
)

MOST_SUBJECTS = 500_000
"""Healing rules about one check, times subjects of it, that are looked at."""

Place = tuple[str, frozenset[str], frozenset[str]]
"""What healing rules can tell of a host: kind, roles, tags."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A bound rule, and the hosts that are held to it.

    Attributes:
        hosts: One host of each place, with its target.
    """

    rule: BoundRule
    hosts: dict[Place, tuple[Host, str]]

    @property
    def target(self) -> str:
        """Some host of it."""
        return next(iter(self.hosts.values()))[1]


@dataclass(frozen=True, slots=True)
class Contender:
    """A healing rule that can match somewhere.

    Attributes:
        where: What must be observed, by field.
        pins: Fields of which only listed values will do.
        fields: Of its check.
        subjects: Where it can match: each subject with the places.
    """

    healing: HealingRule
    where: Mapping[str, Expectation]
    pins: Mapping[Fact, tuple[Value, ...]]
    fields: Mapping[str, Field]
    subjects: Mapping[int, tuple[Subject, frozenset[Place]]]

    @property
    def places(self) -> frozenset[Place]:
        """Every place where it can match."""
        return frozenset(place for _subject, places in self.subjects.values() for place in places)

    def shared(self, other: "Contender") -> tuple[Subject, str] | None:
        """A subject and a host on which both could match."""
        for number, (subject, places) in self.subjects.items():
            theirs = other.subjects.get(number)
            both = places & theirs[1] if theirs else frozenset()
            if both:
                return subject, min(subject.hosts[place][1] for place in both)
        return None

    def everywhere(self) -> Iterator[tuple[Subject, Place]]:
        """Every subject, place by place."""
        for subject, places in self.subjects.values():
            for place in subject.hosts:
                if place in places:
                    yield subject, place


@dataclass(slots=True)
class Contenders:
    """Healing rules that can match, by check, and what is wrong with the others."""

    of_check: dict[str, list[Contender]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def contenders(graph: Graph) -> Contenders:
    """Every enabled healing rule of a fleet without errors, and where it can match."""
    enabled = {key: each for key, each in sorted(graph.fleet.healing.items()) if each.enabled}
    found = Contenders()
    by_check: dict[str, list[HealingRule]] = {}
    for each in enabled.values():
        by_check.setdefault(each.match.check, []).append(each)
    subjects = _subjects(graph, by_check) if by_check else {}
    for check, rules in by_check.items():
        known = subjects.get(check, [])
        if len(rules) * len(known) > MOST_SUBJECTS:
            found.problems.append(_too_many(graph, rules[0]))
            continue
        for each in rules:
            _enter(graph, each, known, found)
    return found


def _subjects(graph: Graph, healing: Mapping[str, list[HealingRule]]) -> dict[str, list[Subject]]:
    params = {check: _params_asked(rules) for check, rules in healing.items()}
    made: dict[str, dict[object, Subject]] = {}
    for key, host in sorted(graph.fleet.hosts.items()):
        client = graph.fleet.clients.get(key.split("/", 1)[0])
        place: Place = (host.kind, frozenset(host.roles), frozenset(host.tags))
        bound = bind_host(graph.fleet, client, host, graph.checks).rules if client else []
        for rule in bound:
            if rule.check in params:
                known = made.setdefault(rule.check, {})
                name = _signature(rule, params[rule.check])
                subject = known.setdefault(name, Subject(rule, {}))
                subject.hosts.setdefault(place, (host, key))
    return {check: list(known.values()) for check, known in made.items()}


def _params_asked(rules: list[HealingRule]) -> tuple[str, ...]:
    asked = {a.fact.field for each in rules for a in asked_by(each) if a.fact.source == "param"}
    return tuple(sorted(asked))


def _signature(rule: BoundRule, params: tuple[str, ...]) -> object:
    given = tuple((name, type(rule.params.get(name)), rule.params.get(name)) for name in params)
    return rule.rule, rule.severity, frozenset(rule.expect), given


def _enter(graph: Graph, healing: HealingRule, known: list[Subject], found: Contenders) -> None:
    asked = asked_by(healing)
    seen = {each.fact.field for each in asked if each.fact.source == "observed"}
    subjects = {}
    for number, subject in enumerate(known):
        if may_answer(healing, subject.rule) and seen <= subject.rule.expect.keys():
            places = frozenset(
                place
                for place, (host, _target) in subject.hosts.items()
                if fits_host(healing.match, host) and runs_on(graph.fleet, healing, host)
            )
            if places:
                subjects[number] = (subject, places)
    if subjects:
        made = _contender(graph, healing, asked, subjects)
        found.of_check.setdefault(healing.match.check, []).append(made)
        found.problems.extend(_unseen(graph, made))
    else:
        found.problems.append(_nowhere(graph, healing, known))


def _contender(
    graph: Graph,
    healing: HealingRule,
    asked: tuple[Asked, ...],
    subjects: Mapping[int, tuple[Subject, frozenset[Place]]],
) -> Contender:
    observed = [each for each in asked if each.fact.source == "observed"]
    pins = {each.fact: finite(each.wanted) for each in observed}
    return Contender(
        healing=healing,
        where={each.fact.field: each.wanted for each in observed},
        pins={fact: values for fact, values in pins.items() if values is not None},
        fields=graph.checks[healing.match.check].fields,
        subjects=subjects,
    )


def _unseen(graph: Graph, found: Contender) -> Iterator[Problem]:
    """Parameters from what some finding does not hold: it holds what its rule expects."""
    for name, value in found.healing.params.items():
        fact = fact_named(value.ref) if isinstance(value, FactRef) else None
        if fact is None or fact.source != "observed":
            continue
        lacking = [
            subject.rule.rule
            for subject, _places in found.subjects.values()
            if fact.field not in subject.rule.expect
        ]
        if lacking:
            yield warning(
                graph.fleet.where("healing", found.healing.id, "params", name),
                f"rule {lacking[0]} expects nothing of {fact.field}, so its findings do not hold "
                "it and are left to people",
                "Let the rule expect something of it, or name the rules that do.",
            )


def _too_many(graph: Graph, first: HealingRule) -> Problem:
    return warning(
        graph.fleet.where("healing", first.id, "match", "check"),
        f"so many healing rules are about {first.match.check} that they were not compared",
        "Use fewer of them, or compare fewer parameters of the check.",
    )


def _nowhere(graph: Graph, healing: HealingRule, known: list[Subject]) -> Problem:
    """Why a rule can match nowhere: the first condition that leaves nothing."""
    left = [(subject, host) for subject in known for host, _target in subject.hosts.values()]
    for where, why, holds in _filters(graph, healing):
        left = [(subject, host) for subject, host in left if holds(subject, host)]
        if not left:
            return warning(where, f"{why}, so the rule never decides", _REMOVE)
    return warning(graph.fleet.where("healing", healing.id), "never decides", _REMOVE)


_REMOVE = "Correct it, or remove the rule (enabled: false keeps it for later)."
_Holds = Callable[[Subject, Host], bool]


def _filters(graph: Graph, healing: HealingRule) -> Iterator[tuple[Where, str, _Holds]]:
    match, check = healing.match, healing.match.check

    def where(*path: str | int) -> Where:
        return graph.fleet.where("healing", healing.id, *path)

    def alone(**conditions: object) -> _Holds:
        """Whether a subject meets the check and some of the conditions."""
        narrow = match.model_copy(update={"rules": (), "severity": (), "where": {}, **conditions})
        part = healing.model_copy(update={"match": narrow})
        return lambda subject, _host: may_answer(part, subject.rule)

    yield where("match", "check"), f"no host is held to a rule of check {check}", alone()
    yield (
        where("match", "rules"),
        f"no host is held to {' or '.join(match.rules)}",
        alone(rules=match.rules),
    )
    yield (
        where("match", "severity"),
        f"no such rule has severity {' or '.join(match.severity)}",
        alone(severity=match.severity),
    )
    for name, raw in match.where.items():
        source, _, field_name = name.partition(".")
        place = where("match", "where", name)
        if source == "param":
            yield place, f"no such rule gives check {check} that {name}", alone(where={name: raw})
        else:
            yield place, f"no such rule expects anything of {field_name}", _expects(field_name)
    yield from _of_hosts(graph, healing)


def _expects(name: str) -> _Holds:
    return lambda subject, _host: name in subject.rule.expect


def _of_hosts(graph: Graph, healing: HealingRule) -> Iterator[tuple[Where, str, _Holds]]:
    match = healing.match
    yield (
        graph.fleet.where("healing", healing.id, "match"),
        "no host that is held to such a rule has these roles and tags",
        lambda _subject, host: fits_host(match, host),
    )
    yield (
        graph.fleet.where("healing", healing.id, "runbook"),
        f"runbook {healing.runbook} is for no host that is held to such a rule",
        lambda _subject, host: runs_on(graph.fleet, healing, host),
    )

"""Healing rules beside one another and beside the fleet: which collide, which can never win.

Rule 1: A conflict is an error only where values were found that both rules match; where that is
        not decided, it is a warning that says so. What is proven to be apart is not mentioned.
Rule 2: A rule can win where the index of the planner says so of a finding that it matches.
Rule 3: The work is bounded: what is too much to compare is said, not guessed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice

from reconciler.desired.graph.context import Graph
from reconciler.desired.graph.subjects import Contender, Place, Subject, contenders
from reconciler.desired.problem import Problem, error, warning
from reconciler.model.finding import Finding
from reconciler.model.values import Value
from reconciler.plan.change import show
from reconciler.plan.facts import Fact, key_of
from reconciler.plan.index import HealingIndex
from reconciler.plan.satisfy import Solved, implied, solve

MOST_PAIRS = 10_000
"""Pairs of rules about one check that are compared."""
MOST_INDEXES = 64
"""Kinds of hosts, by role, tag and platform, for which rules about one check are tried out."""
_FEW = 16


def answer_problems(graph: Graph) -> Iterator[Problem]:
    """Conflicts, and rules that never decide; for a fleet without errors."""
    known = contenders(graph)
    yield from known.problems
    for check in sorted(known.of_check):
        found = [*_conflicts(graph, check, known.of_check[check])]
        yield from found
        # Where rules collide, which of them comes first has no answer yet.
        if not any(problem.severity == "error" for problem in found):
            yield from _shadowed(graph, known.of_check[check])


def _conflicts(graph: Graph, check: str, found: Sequence[Contender]) -> Iterator[Problem]:
    pairs = _pairs_of(found)
    said: dict[tuple[str, str], Problem] = {}
    for one, other in islice(pairs, MOST_PAIRS):
        problem = _collision(graph, *sorted((one, other), key=lambda each: each.healing.id))
        if problem is not None:
            key = (max(one.healing.id, other.healing.id), problem.severity)
            said.setdefault(key, problem)
    for (name, severity), problem in sorted(said.items()):
        if severity == "error" or (name, "error") not in said:
            yield problem
    if next(pairs, None) is not None:
        yield warning(
            graph.fleet.where("healing", found[0].healing.id, "match", "check"),
            f"so many healing rules of equal priority are about {check} that not all were compared",
            "Give them different priorities, or let them ask for listed values.",
        )


def _pairs_of(found: Iterable[Contender]) -> Iterator[tuple[Contender, Contender]]:
    """Pairs of equal priority that are not kept apart by a listed value."""
    by_priority: dict[int, list[Contender]] = {}
    for each in found:
        by_priority.setdefault(each.healing.priority, []).append(each)
    for _priority, group in sorted(by_priority.items()):
        facts = frozenset(fact for each in group for fact in each.pins)
        yield from _pairs(group, facts)


def _pairs(
    group: Sequence[Contender], facts: frozenset[Fact]
) -> Iterator[tuple[Contender, Contender]]:
    fact = max(facts, key=lambda f: (sum(f in each.pins for each in group), f), default=None)
    if fact is None or len(group) <= _FEW:
        yield from combinations(group, 2)
        return
    loose = [each for each in group if fact not in each.pins]
    buckets: dict[object, list[Contender]] = {}
    for each in group:
        for value in each.pins.get(fact, ()):
            buckets.setdefault(key_of(value), []).append(each)
    yield from _pairs(loose, facts - {fact})
    yield from ((one, other) for one in loose for other in group if fact in other.pins)
    for bucket in buckets.values():
        yield from _pairs(bucket, facts - {fact})


def _collision(graph: Graph, one: Contender, other: Contender) -> Problem | None:
    shared = one.shared(other)
    if shared is None:
        return None
    subject, target = shared
    solved = _solved(one, other)
    answers = {each.answer for each in solved.values()}
    where = graph.fleet.where("healing", other.healing.id, "priority")
    if "no" in answers:
        return None
    if "undecided" in answers:
        asked = ", ".join(f"observed.{n}" for n, s in solved.items() if s.answer == "undecided")
        return warning(
            where,
            f"may conflict with {one.healing.id}: whether {asked} can meet both is not decided",
            "Give one of them a higher priority; then it does not matter.",
        )
    seen = ", ".join(f"{name} is {show(_json(each.value))}" for name, each in solved.items())
    when = f" when {seen}" if seen else ""
    return error(
        where,
        f"conflicts with {one.healing.id}: both match {subject.rule.id} on {target}{when}",
        "Give one of them a higher priority, or let them ask for different things.",
    )


def _solved(*found: Contender) -> dict[str, Solved]:
    """For each observed field that somebody asks for: whether it can meet all of them."""
    fields = sorted({name for each in found for name in each.where})
    solved: dict[str, Solved] = {}
    for name in fields:
        field = found[0].fields[name]
        conditions = [each.where[name] for each in found if name in each.where]
        solved[name] = solve(conditions, field.kind, optional=field.optional)
    return solved


def _json(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


@dataclass(slots=True)
class _Indexes:
    """The index of every kind of host, compiled when it is first asked for.

    Attributes:
        refused: Somebody asked for more of them than are compiled.
    """

    found: Sequence[Contender]
    made: dict[Place, HealingIndex] = field(default_factory=dict)
    refused: bool = False

    def of(self, place: Place) -> HealingIndex | None:
        if place not in self.made and len(self.made) >= MOST_INDEXES:
            self.refused = True
            return None
        if place not in self.made:
            self.made[place] = HealingIndex(
                each.healing for each in self.found if place in each.places
            )
        return self.made[place]


def _shadowed(graph: Graph, found: Sequence[Contender]) -> Iterator[Problem]:
    indexes = _Indexes(found)
    by_id = {each.healing.id: each for each in found}
    for each in found:
        solved = _solved(each)
        yield from _impossible(graph, each, solved)
        if any(one.answer != "yes" for one in solved.values()):
            continue
        observed = {name: one.value for name, one in solved.items()}
        winner = _winner(each, observed, indexes, by_id)
        if winner is not None:
            yield warning(
                graph.fleet.where("healing", each.healing.id, "priority"),
                f"never decides: {winner.healing.id} has a higher priority and matches "
                "whatever this rule matches",
                "Give this rule the higher priority, or remove it.",
            )
    if indexes.refused:
        yield warning(
            graph.fleet.where("healing", found[0].healing.id, "match", "check"),
            "hosts differ in so many roles and tags that not all healing rules about "
            f"{found[0].healing.match.check} were tried on all of them",
            "Use fewer tags, or different priorities only where rules overlap.",
        )


def _impossible(graph: Graph, each: Contender, solved: Mapping[str, Solved]) -> Iterator[Problem]:
    for name, one in solved.items():
        if one.answer == "no":
            yield warning(
                graph.fleet.where("healing", each.healing.id, "match", "where", f"observed.{name}"),
                "no finding can meet this, so the rule never decides",
                "Correct the condition, or remove the rule.",
            )


def _winner(
    each: Contender,
    observed: Mapping[str, Value],
    indexes: _Indexes,
    by_id: Mapping[str, Contender],
) -> Contender | None:
    """A rule that always comes before; ``None`` when this one wins somewhere, or it is not sure."""
    first: Contender | None = None
    for subject, place in each.everywhere():
        index = indexes.of(place)
        best = index.best(subject.rule, _finding(subject, observed)) if index else ()
        if not best or each.healing.id in {other.id for other in best}:
            return None
        other = by_id[best[0].id]
        if not _always(other, each):
            return None
        first = first or other
    return first


def _always(general: Contender, special: Contender) -> bool:
    """Whether one rule matches whatever another matches, by what they ask to be observed."""
    return all(
        name in special.where
        and implied(
            [wanted],
            [special.where[name]],
            general.fields[name].kind,
            optional=general.fields[name].optional,
        )
        for name, wanted in general.where.items()
    )


def _finding(subject: Subject, observed: Mapping[str, Value]) -> Finding:
    return Finding(
        rule=subject.rule.id,
        check=subject.rule.check,
        target=subject.target,
        status="fail",
        severity=subject.rule.severity,
        controls=(),
        observed=observed,
    )

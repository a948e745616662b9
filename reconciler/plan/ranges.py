"""Rules that ask for ranges of one whole number, halved until few are left to ask.

Rule 1: What is found for a number is what can decide there: a rule is left out beyond its range,
        and where one of higher priority matches every number of the part.
Rule 2: Halving that would copy more than it divides is not done; then more rules are asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.model.expectation import Expectation
from reconciler.model.healing_rule import HealingRule
from reconciler.model.values import Value
from reconciler.plan.facts import Asked, Fact

FEW = 8
"""Entries that are asked one after the other."""

_END = 2**53
"""Beyond every number that evidence may hold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule where it is found, and what is left to ask."""

    rule: HealingRule
    left: tuple[Asked, ...]

    @property
    def priority(self) -> int:
        """The rule's."""
        return self.rule.priority


@dataclass(frozen=True, slots=True)
class Cut:
    """Entries below a number, and those from it on."""

    at: int
    below: "Cut | Sequence[Entry]"
    above: "Cut | Sequence[Entry]"


@dataclass(frozen=True, slots=True)
class Ranges:
    """Entries that all ask for a range of one fact."""

    fact: Fact
    cut: Cut | Sequence[Entry]

    def of(self, value: Value) -> Sequence[Entry]:
        """The entries that can match a value, the highest priority first."""
        if type(value) is not int:
            return ()
        found = self.cut
        while isinstance(found, Cut):
            found = found.below if value < found.at else found.above
        return found


@dataclass(frozen=True, slots=True)
class _Ranged:
    """An entry with its range; both ends are part of it."""

    entry: Entry
    first: int
    last: int


def divide(entries: Sequence[Entry]) -> tuple[tuple[Ranges, ...], tuple[Entry, ...]]:
    """Entries by the fact that they ask a range of, and those that ask for none.

    Args:
        entries: The highest priority first.
    """
    ranged: dict[Fact, list[_Ranged]] = {}
    plain: list[Entry] = []
    for entry in entries:
        fact = next((a.fact for a in entry.left if _range(a.wanted) is not None), None)
        if fact is None or len(entries) <= FEW:
            plain.append(entry)
        else:
            ranged.setdefault(fact, []).append(_with_range(entry, fact))
    made = (Ranges(fact, _halved(fact, some, -_END, _END)) for fact, some in ranged.items())
    return tuple(made), tuple(plain)


def _range(wanted: Expectation) -> tuple[int, int] | None:
    """The numbers that meet an expectation, when they are one range."""
    if wanted.op == "all" and wanted.inner:
        parts = [_range(inner) for inner in wanted.inner]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        return max(first for first, _ in known), min(last for _, last in known)
    if type(wanted.value) is not int or not -_END < wanted.value < _END:
        return None
    if wanted.op == "at_least":
        return wanted.value, _END
    return (-_END, wanted.value) if wanted.op == "at_most" else None


def _with_range(entry: Entry, fact: Fact) -> _Ranged:
    found = next(_range(asked.wanted) for asked in entry.left if asked.fact == fact)
    first, last = found if found is not None else (-_END, _END)
    return _Ranged(entry, first, last)


def _halved(fact: Fact, some: Sequence[_Ranged], first: int, last: int) -> Cut | tuple[Entry, ...]:
    inside = sorted(
        {r.first for r in some if first < r.first <= last}
        | {r.last + 1 for r in some if first <= r.last < last}
    )
    if len(some) > FEW and inside:
        at = inside[len(inside) // 2]
        below = _pruned(fact, some, first, at - 1)
        above = _pruned(fact, some, at, last)
        if 4 * (len(below) + len(above)) <= 5 * len(some):
            return Cut(at, _halved(fact, below, first, at - 1), _halved(fact, above, at, last))
    return tuple(each.entry for each in some)


def _pruned(fact: Fact, some: Sequence[_Ranged], first: int, last: int) -> list[_Ranged]:
    """What can match some number of a range, up to what matches all of them anyway."""
    kept: list[_Ranged] = []
    enough = 0
    for each in some:
        if each.entry.priority < enough:
            break
        if each.first > last or each.last < first:
            continue
        if each.first <= first and last <= each.last:
            left = tuple(asked for asked in each.entry.left if asked.fact != fact)
            kept.append(_Ranged(Entry(each.entry.rule, left), each.first, each.last))
            enough = enough if left else max(enough, each.entry.priority)
        else:
            kept.append(each)
    return kept

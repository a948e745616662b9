"""Healing rules, compiled so that a decision costs the same among ten of them or ten thousand.

Rule 1: The index answers what asking every rule in turn would answer; it only asks fewer.
Rule 2: Rules about one check stand in groups by *which* facts they pin to listed values, and within
        a group in a table by those values. A decision makes one look-up a group; how many groups
        there are depends on what a check observes, not on how many rules there are.
Rule 3: What cannot be listed (patterns, sets, ranges after halving) is asked of the few rules that
        are left, the highest priority first, and asking ends with the first answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from reconciler.diff.compare import meets
from reconciler.model.desired import BoundRule
from reconciler.model.finding import Finding
from reconciler.model.healing_rule import HealingRule
from reconciler.plan.facts import UNSEEN, Asked, Fact, Key, asked_by, finite, key_of, seen
from reconciler.plan.ranges import Entry, Ranges, divide

MOST_KEYS = 256
"""Combinations of listed values under which one rule is entered; beyond, some are asked for."""


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Rules with the same values of the pinned facts.

    Attributes:
        ranges: Those that ask for a range, by the fact.
        plain: The others, the highest priority first.
    """

    ranges: tuple[Ranges, ...]
    plain: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Rules that pin the same facts.

    Attributes:
        at: Where the facts stand among all that are pinned for the check.
        top: The highest priority among them.
        table: By the values of the pinned facts.
    """

    at: tuple[int, ...]
    top: int
    table: Mapping[tuple[Key, ...], _Bucket]


@dataclass(frozen=True, slots=True)
class _OfCheck:
    """All rules about one check.

    Attributes:
        pinned: Every fact that some group pins.
        groups: The highest priority first.
    """

    pinned: tuple[Fact, ...]
    groups: tuple[_Group, ...]


class HealingIndex:
    """The healing rules of one host."""

    def __init__(self, rules: Iterable[HealingRule]) -> None:
        """Compile them; their order does not matter."""
        by_check: dict[str, list[HealingRule]] = {}
        for rule in sorted(rules, key=lambda rule: (-rule.priority, rule.id)):
            by_check.setdefault(rule.match.check, []).append(rule)
        self._checks = {check: _of_check(listed) for check, listed in by_check.items()}

    def best(self, rule: BoundRule, finding: Finding) -> tuple[HealingRule, ...]:
        """The rules of the highest priority that match a finding, by id; two are a conflict."""
        of_check = self._checks.get(rule.check)
        if of_check is None:
            return ()
        keys = [_key(fact, rule, finding) for fact in of_check.pinned]
        found: list[HealingRule] = []
        for group in of_check.groups:
            if found and group.top < found[0].priority:
                break
            bucket = group.table.get(tuple([keys[place] for place in group.at]))
            if bucket is not None:
                found = _of_bucket(bucket, found, rule, finding)
        return tuple(sorted(found, key=lambda each: each.id)) if len(found) > 1 else tuple(found)


def _key(fact: Fact, rule: BoundRule, finding: Finding) -> Key:
    """The value of a fact as a key; no rule is entered under `UNSEEN`."""
    value = seen(fact, rule, finding)
    return value if value is UNSEEN else key_of(value)


def _of_bucket(
    bucket: _Bucket, found: list[HealingRule], rule: BoundRule, finding: Finding
) -> list[HealingRule]:
    for ranges in bucket.ranges:
        value = seen(ranges.fact, rule, finding)
        some = () if value is UNSEEN else ranges.of(value)
        found = _better(some, found, rule, finding)
    return _better(bucket.plain, found, rule, finding)


def _better(
    some: Iterable[Entry], found: list[HealingRule], rule: BoundRule, finding: Finding
) -> list[HealingRule]:
    """What was found, or what is better, or both when they are equal."""
    for entry in some:
        if found and entry.priority < found[0].priority:
            break
        if _holds(entry.left, rule, finding):
            if found and entry.priority > found[0].priority:
                found = []
            found.append(entry.rule)
    return found


def _holds(left: Iterable[Asked], rule: BoundRule, finding: Finding) -> bool:
    for fact, wanted in left:
        value = seen(fact, rule, finding)
        if value is UNSEEN or not meets(wanted, value):
            return False
    return True


def _of_check(rules: Iterable[HealingRule]) -> _OfCheck:
    groups: dict[tuple[Fact, ...], dict[tuple[Key, ...], list[Entry]]] = {}
    for rule in rules:
        pins, left = _split(asked_by(rule))
        table = groups.setdefault(tuple(pins), {})
        for keys in product(*pins.values()):
            table.setdefault(keys, []).append(Entry(rule, left))
    pinned = tuple(dict.fromkeys(fact for pins, table in groups.items() if table for fact in pins))
    made = [_group(pins, table, pinned) for pins, table in groups.items() if table]
    return _OfCheck(pinned, tuple(sorted(made, key=lambda group: -group.top)))


def _group(
    pins: tuple[Fact, ...],
    table: Mapping[tuple[Key, ...], Sequence[Entry]],
    pinned: tuple[Fact, ...],
) -> _Group:
    buckets = {keys: _Bucket(*divide(entries)) for keys, entries in table.items()}
    top = max(entries[0].priority for entries in table.values())
    return _Group(tuple(map(pinned.index, pins)), top, buckets)


def _split(asked: Sequence[Asked]) -> tuple[dict[Fact, list[Key]], tuple[Asked, ...]]:
    """Conditions by listed values, as many as can be entered, and the others."""
    pins: dict[Fact, list[Key]] = {}
    left: list[Asked] = []
    listed = [(one, finite(one.wanted)) for one in asked]
    for one, values in sorted(listed, key=lambda pair: (len(pair[1] or ()), pair[0].fact)):
        taken = prod(map(len, pins.values()))
        if values is None or taken * len(values) > MOST_KEYS:
            left.append(one)
        else:
            pins[one.fact] = [key_of(value) for value in values]
    return dict(sorted(pins.items())), tuple(left)

"""Streams of drift for simulations: what goes wrong, when, for how long, and how fixes behave.

A stream is data: written by hand in a file, drawn from a seed, or read out of a ledger
(`reconciler.engine.simulation.replay`). The same seed gives the same stream on every machine.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from reconciler.desired import strict_yaml
from reconciler.errors import InputError, Where
from reconciler.model.desired import BoundRule
from reconciler.model.document import Document
from reconciler.model.values import Value

BEGIN = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
"""When a stream begins that does not say so: a Monday, far from any change of the clocks."""
MOST_DRIFTS = 200_000
FILE_LIMIT = strict_yaml.MAX_BYTES
Fix = Literal["heals", "lies", "fails", "breaks"]
"""What comes of a fix: it heals; it reports success and changes nothing; its step is not carried
out; or it changes nothing and cannot be taken back."""

_SHARE: Mapping[Fix, int] = {"heals": 88, "fails": 6, "lies": 6}
"""How fixes behave in a storm, in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One thing that goes wrong.

    Attributes:
        rule: The bound rule that fails from then on.
        observed: What is observed while it fails; fields that are not named get a wrong value.
        lasts: After so long it is gone by itself; ``None`` when only a fix ends it.
        fix: What comes of a fix of it.
        runbooks: Runbooks whose fix behaves in that way; empty is every one. Others heal.
    """

    at: datetime
    rule: str
    observed: Mapping[str, Value]
    lasts: timedelta | None
    fix: Fix
    runbooks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stream:
    """What goes wrong on one host between two moments, the earliest first."""

    begin: datetime
    end: datetime
    drifts: tuple[Drift, ...]


Moment = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")
]
Observed = bool | int | str | tuple[bool | int | str, ...] | None


class Disturbance(Document):
    """One line of a stream's file.

    Attributes:
        at_min: Minutes after the begin.
        every_min: It comes again so many minutes after, whatever was done: another owner of the
            setting, such as a group policy.
        jitter_min: Up to so many minutes are added to each time.
        times: How often it comes in all; 0 is until the end.
        lasts_min: Minutes after which it is gone by itself.
    """

    rule: str = Field(min_length=1, max_length=200)
    at_min: int = Field(default=0, ge=0, le=366 * 24 * 60)
    every_min: int | None = Field(default=None, ge=1, le=366 * 24 * 60)
    jitter_min: int = Field(default=0, ge=0, le=24 * 60)
    times: int = Field(default=1, ge=0, le=100_000)
    lasts_min: int | None = Field(default=None, ge=1, le=366 * 24 * 60)
    observed: Mapping[str, Observed] = {}
    fix: Fix = "heals"


class StreamFile(Document):
    """A synthetic stream, as a file says it."""

    begin: Moment | None = None
    days: int = Field(default=7, ge=1, le=366)
    seed: int = Field(default=0, ge=0, le=2**53 - 1)
    drifts: tuple[Disturbance, ...] = Field(min_length=1, max_length=10_000)


def read_stream(data: bytes, file: str, rules: Sequence[BoundRule]) -> Stream:
    """Read a stream's file (YAML or JSON).

    Args:
        data: Its bytes.
        file: Its name, for messages.
        rules: Of the host that it is about.

    Raises:
        InputError: It does not read as a stream, names a rule that the host does not have, or
            comes to more than `MOST_DRIFTS` drifts.
    """
    document = strict_yaml.validate(strict_yaml.load(data, file), StreamFile)
    known = {rule.id for rule in rules}
    for number, each in enumerate(document.drifts):
        if each.rule not in known:
            raise InputError(
                f"this host has no rule {each.rule}",
                hint="On the appliance they are listed by: reconciler run --dry-run.",
                where=Where(file, field=f"drifts[{number}].rule"),
            )
    begin = BEGIN if document.begin is None else datetime.fromisoformat(document.begin)
    end = begin + timedelta(days=document.days)
    dice = random.Random(document.seed)  # noqa: S311 - a stream is to be repeatable, not secret
    drifts: list[Drift] = []
    for each in document.drifts:
        for drift in _times(each, begin, end, dice):
            drifts.append(drift)
            if len(drifts) > MOST_DRIFTS:
                hint = "Take fewer times, or longer between them."
                raise InputError(f"more than {MOST_DRIFTS} drifts", hint=hint, where=Where(file))
    return Stream(begin, end, tuple(sorted(drifts, key=_order)))


def storm(
    rules: Sequence[BoundRule],
    number: int,
    *,
    days: int,
    seed: int,
    begin: datetime = BEGIN,
) -> Stream:
    """So many drifts of random rules at random times.

    One in eight is gone by itself within hours; the others are put right by people within a day
    where nothing else does. One in eight fixes does not work (`_SHARE`).

    Args:
        rules: Those that may fail.
        number: How many drifts.
        days: Over how many days.
        seed: The same one gives the same storm.
        begin: When it begins.

    Raises:
        InputError: There is no rule to fail, or more than `MOST_DRIFTS` are asked for.
    """
    if not rules or not 0 <= number <= MOST_DRIFTS:
        hint = f"Name a host with rules, and at most {MOST_DRIFTS} drifts."
        raise InputError("a storm needs rules that can fail", hint=hint)
    dice = random.Random(seed)  # noqa: S311 - a storm is to be repeatable, not secret
    names = sorted(rule.id for rule in rules)
    seconds = days * 24 * 3600
    drifts = [_drawn(names, begin, seconds, dice) for _ in range(number)]
    return Stream(begin, begin + timedelta(days=days), tuple(sorted(drifts, key=_order)))


def _drawn(names: Sequence[str], begin: datetime, seconds: int, dice: random.Random) -> Drift:
    at = begin + timedelta(seconds=dice.randrange(seconds))
    short, by_people = dice.randrange(10, 240), dice.randrange(240, 1440)
    lasts = timedelta(minutes=short if dice.randrange(8) == 0 else by_people)
    fix = dice.choices(list(_SHARE), list(_SHARE.values()))[0]
    return Drift(at=at, rule=dice.choice(names), observed={}, lasts=lasts, fix=fix)


def _times(
    each: Disturbance, begin: datetime, end: datetime, dice: random.Random
) -> Iterator[Drift]:
    at, count = begin + timedelta(minutes=each.at_min), 0
    while at < end and (each.times == 0 or count < each.times):
        late = dice.randrange(each.jitter_min * 60 + 1)
        yield Drift(
            at=at + timedelta(seconds=late),
            rule=each.rule,
            observed=each.observed,
            lasts=None if each.lasts_min is None else timedelta(minutes=each.lasts_min),
            fix=each.fix,
        )
        if each.every_min is None:
            return
        at, count = at + timedelta(minutes=each.every_min), count + 1


def _order(drift: Drift) -> tuple[datetime, str]:
    return drift.at, drift.rule

"""What wakes the loop before its interval is over: events and pressure that a rule asks about.

Rule 1: Waking decides nothing. It begins a run, and the run looks, judges and plans as always.
Rule 2: What is watched is what the rules of the desired state in force ask, and nothing else.
Rule 3: Nothing that a machine says makes the loop run hot: the journal is read at most once in
        `DRAIN_S`, and a run is begun early at most once in `SOONEST_S`.
Rule 4: What cannot be watched is said once, and looked at in every run all the same.
"""

import select
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from reconciler.model.desired import BoundRule, DesiredState
from reconciler.model.event import KINDS, EventKind, Resource, Sighting
from reconciler.targets.watch.journal import READING_FAILED, JournalMissing, JournalWatch
from reconciler.targets.watch.pressure import PressureWatch

SOONEST_S = 10.0
"""Shortest time between two runs of which the second was woken."""
DRAIN_S = 1.0

EVENTS_CHECK = "LNX-EVT-001"
_PRESSURE: dict[str, Resource] = {
    "LNX-PSI-001": "cpu",
    "LNX-PSI-002": "memory",
    "LNX-PSI-003": "io",
}


@dataclass(frozen=True, slots=True, order=True)
class Threshold:
    """From which share of time that tasks wait for a resource to wake."""

    resource: Resource
    line: Literal["some", "full"]
    percent: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the rules of a host ask to be told.

    Attributes:
        events: Kinds of event, each with the unit it must be about; ``any`` is every one.
    """

    events: frozenset[tuple[EventKind, str]] = frozenset()
    pressure: frozenset[Threshold] = frozenset()

    def asks_for(self, seen: Sighting) -> bool:
        """Whether some rule is about an event."""
        return (seen.kind, seen.unit) in self.events or (seen.kind, "any") in self.events


def wanted(desired: DesiredState) -> Wanted:
    """What the rules of a desired state ask to be told."""
    events: set[tuple[EventKind, str]] = set()
    pressure: set[Threshold] = set()
    for rule in desired.rules:
        if rule.check == EVENTS_CHECK:
            about = str(rule.params.get("unit", "any"))
            events |= {(kind, about) for kind in KINDS if kind == rule.params.get("event")}
        elif rule.check in _PRESSURE:
            pressure |= set(_thresholds(rule, _PRESSURE[rule.check]))
    return Wanted(frozenset(events), frozenset(pressure))


def _thresholds(rule: BoundRule, resource: Resource) -> Iterable[Threshold]:
    for name, expectation in rule.expect.items():
        line = name.partition("_")[0]
        limit = expectation.value
        if line in {"some", "full"} and expectation.op == "at_most" and type(limit) is int:
            yield Threshold(resource, "some" if line == "some" else "full", limit)


class Watching:
    """Holds what is watched; follows the desired state from run to run."""

    def __init__(self) -> None:
        self._undo = ExitStack()
        self._wanted = Wanted()
        self._journal: JournalWatch | None = None
        self._pressure: list[PressureWatch] = []
        self._woken = False

    def follow(self, desired: DesiredState | None) -> tuple[str, ...]:
        """Watch what a desired state asks for; does nothing while that stays the same.

        Returns:
            What cannot be watched, in words; only when something changed.
        """
        asked = Wanted() if desired is None else wanted(desired)
        if asked == self._wanted:
            return ()
        self.close()
        self._wanted = asked
        return (*self._open_journal(asked), *self._open_pressure(asked))

    def files(self) -> tuple[tuple[int, int], ...]:
        """File descriptors to poll, each with its events."""
        journal = [] if self._journal is None else [(self._journal.fileno(), select.POLLIN)]
        return (*journal, *((each.fileno(), select.POLLPRI) for each in self._pressure))

    def woke(self, ready: Iterable[int]) -> None:
        """Take in what some of the file descriptors have to tell."""
        told = set(ready)
        if self._journal is not None and self._journal.fileno() in told:
            try:
                seen = self._journal.take()
            except READING_FAILED:
                # Opened anew after the next run, which begins now: nobody knows what was missed.
                self._journal, self._wanted, self._woken = None, Wanted(), True
                return
            self._woken = self._woken or any(map(self._wanted.asks_for, seen))
        self._woken = self._woken or any(each.fileno() in told for each in self._pressure)

    def woken(self) -> bool:
        """Whether a run should begin early."""
        return self._woken

    def rest(self) -> None:
        """A run has begun: what was told is being looked at."""
        self._woken = False

    def close(self) -> None:
        """Stop watching."""
        self._undo.close()
        self._journal = None
        self._pressure = []

    def _open_journal(self, asked: Wanted) -> Iterable[str]:
        kinds = tuple(kind for kind in KINDS if any(kind == k for k, _unit in asked.events))
        if not kinds:
            return
        try:
            self._journal = JournalWatch.open_watch(kinds)
        except JournalMissing as missing:
            yield f"the journal is not watched: {missing}"
        except READING_FAILED:
            yield "the journal is not watched: it cannot be opened"

    def _open_pressure(self, asked: Wanted) -> Iterable[str]:
        for each in sorted(asked.pressure):
            try:
                watch = PressureWatch(each.resource, each.line, each.percent)
            except OSError as error:
                yield f"pressure on {each.resource} is not watched: {error.strerror}"
            else:
                self._pressure.append(self._undo.enter_context(watch))

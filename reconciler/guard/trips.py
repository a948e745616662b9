"""What is remembered of the runs of a runbook, and whether its breaker is open because of them.

Rule 1: A run says under how many trips it was begun, as its intent recorded it: 0 is a run under a
        closed breaker, more is a probe. So nothing that was forgotten can close a breaker.
Rule 2: Consecutive failures count however far they lie apart; slow failures trip it, too.
Rule 3: What began before it opened and ended after closes nothing.
Rule 4: What was never tried is no run.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.guard import memory_form as form
from reconciler.guard.active import Active
from reconciler.model.guard_settings import BreakerSettings

REMEMBERED = 32
"""Runs that are remembered of one runbook."""
FORGET = timedelta(days=90)
"""A runbook that did not run for so long is forgotten."""
_MOST_DOUBLINGS = 16

GOOD = frozenset({"healed"})
BAD = frozenset({"failed", "rolled_back", "interrupted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of a runbook that ended.

    Attributes:
        began: When it was announced.
        at: When it ended; never before the one before it.
        bad: It did not heal.
        trips: Under how many trips of the breaker it began.
    """

    began: datetime
    at: datetime
    bad: bool
    trips: int

    def to_body(self) -> dict[str, Any]:
        """JSON values; times are whole microseconds since 1970."""
        return {
            "began": form.stamp(self.began),
            "at": form.stamp(self.at),
            "bad": self.bad,
            "trips": self.trips,
        }

    @classmethod
    def from_body(cls, body: object) -> "Ran":
        """The inverse of `to_body`.

        Raises:
            Malformed: It does not read as a run.
        """
        fields = form.fields(body, {"began", "at", "bad", "trips"})
        return cls(
            began=form.time(fields["began"]),
            at=form.time(fields["at"]),
            bad=form.flag(fields["bad"]),
            trips=form.count(fields["trips"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A breaker at one moment.

    Attributes:
        trips: How often it opened since it was last closed; 0 is closed.
        opened_at: When it last opened; ``None`` when it is closed.
        successes: Probes in a row that healed.
        failures: Runs in a row that did not.
        why: What opened it, in words; empty when it is closed.
    """

    trips: int = 0
    opened_at: datetime | None = None
    successes: int = 0
    failures: int = 0
    why: str = ""


def from_body(body: object) -> tuple[Ran, ...]:
    """The runs of one runbook; a breaker without one is not remembered.

    Raises:
        Malformed: It does not read as runs.
    """
    runs = tuple(Ran.from_body(each) for each in form.sequence(body))
    if not runs:
        raise form.Malformed("runs are missing")
    return runs


def ended(runs: tuple[Ran, ...], run: Ran) -> tuple[Ran, ...]:
    """The runs after one more; time between them never goes back."""
    at = max(run.at, runs[-1].at) if runs else run.at
    return (*runs, replace(run, at=at))[-REMEMBERED:]


def after(
    breakers: Mapping[str, tuple[Ran, ...]], began: Active, result: str, at: datetime
) -> dict[str, tuple[Ran, ...]]:
    """All breakers after one more outcome, without those that are long over."""
    kept = {name: runs for name, runs in breakers.items() if at - runs[-1].at < FORGET}
    if result not in GOOD | BAD:
        return kept
    run = Ran(began=began.at, at=at, bad=result in BAD, trips=began.trips)
    return {**kept, began.breaker: ended(kept.get(began.breaker, ()), run)}


def open_s(trips: int, settings: BreakerSettings) -> int:
    """For how many seconds it stays open, after so many trips."""
    return min(settings.open_s << min(max(trips - 1, 0), _MOST_DOUBLINGS), settings.cap_s)


def switch(runs: Iterable[Ran], settings: BreakerSettings) -> Switch:
    """The breaker as the runs left it."""
    state, closed = Switch(), list[Ran]()
    for run in runs:
        if run.trips:
            state = _after_probe(state, run, settings)
            closed = closed if state.trips else []
        elif state.opened_at is None or run.began > state.opened_at:
            closed.append(run)
            state = _after_run(state, closed, settings)
    return state


def _after_run(before: Switch, runs: list[Ran], settings: BreakerSettings) -> Switch:
    """After a run that began while it was closed; the runs are those since it was closed."""
    last = runs[-1]
    failures = before.failures + 1 if last.bad else 0
    why = _trips(runs, failures, settings)
    if not why:
        return Switch(failures=failures)
    return Switch(trips=1, opened_at=last.at, failures=failures, why=why)


def _trips(runs: list[Ran], failures: int, settings: BreakerSettings) -> str:
    if failures >= settings.consecutive:
        return f"{failures} failures in a row"
    within = timedelta(seconds=settings.within_s)
    recent = [run for run in runs if runs[-1].at - run.at < within]
    bad = sum(run.bad for run in recent)
    if len(recent) >= settings.runs and bad * 100 >= settings.bad_percent * len(recent):
        return f"{bad} of {len(recent)} runs failed within {settings.within_s} s"
    return ""


def _after_probe(before: Switch, run: Ran, settings: BreakerSettings) -> Switch:
    if run.bad:
        why = f"the probe after trip {run.trips} failed"
        return Switch(trips=run.trips + 1, opened_at=run.at, failures=before.failures + 1, why=why)
    successes = before.successes + 1
    if successes >= settings.close_after:
        return Switch()
    return Switch(
        trips=run.trips,
        opened_at=before.opened_at or run.at - timedelta(seconds=open_s(run.trips, settings)),
        successes=successes,
        why=before.why or f"trip {run.trips}",
    )

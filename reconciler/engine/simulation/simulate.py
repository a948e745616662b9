"""What rules and guards would do with a stream of drift: real runs, one by one, on a fake clock.

Rule 1: There is no second logic. Every run is `reconciler.engine.run.pursue` with its planner,
        guards, executor, incidents and questions; only the machine, the clock, the disk of the
        ledger and the language model are replaced.
Rule 2: The same stream and the same revision give the same answer, on every machine.
Rule 3: A run that would say what the one before said is left out: nothing moved, what is open
        moves at a time that is known, and every guard says how long it will not change its mind.
        An hour is never left out whole: a day may begin, a window may open.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from reconciler.engine.appliance import Appliance
from reconciler.engine.facts import Facts
from reconciler.engine.inquiry.rehearse import RUN_EVERY
from reconciler.engine.past import Past
from reconciler.engine.run import pursue
from reconciler.engine.session import Options, Session
from reconciler.engine.simulation.adviser import Chooser, SimulatedAdviser
from reconciler.engine.simulation.ledger import MemoryLedger
from reconciler.engine.simulation.synthetic import Stream
from reconciler.engine.simulation.world import BOOT, SimulatedEye, SimulatedTarget, World, simulated
from reconciler.engine.trusted.intent import Intent
from reconciler.evidence.record import Record
from reconciler.guard.memory import Memory
from reconciler.incident.register import Register
from reconciler.model.check import Check
from reconciler.model.desired import DesiredState
from reconciler.model.incident import State
from reconciler.model.own_words import own_words
from reconciler.model.quotable import Own
from reconciler.model.run import IntentStatus
from reconciler.model.step import StepKind
from reconciler.model.verdict import Verdict
from reconciler.report.simulation import Tally

Watcher = Callable[[Record], None]

_MOVING: frozenset[State] = frozenset({"detected", "confirmed", "planned"})
"""States in which the next run does something, whatever time it is."""
MOST_LEFT_OUT = timedelta(hours=1)


@dataclass(slots=True)
class SimulatedClock:
    """Wall and monotonic time; waiting lets both pass at once."""

    at: datetime
    up: float = 1000.0

    def now(self) -> datetime:
        """Wall time."""
        return self.at

    def monotonic(self) -> float:
        """Seconds since the simulated boot."""
        return self.up

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)
        self.up += seconds

    def until(self, at: datetime) -> None:
        """Let time pass until a moment; never back."""
        self.sleep(max((at - self.at).total_seconds(), 0.0))


@dataclass(frozen=True, slots=True)
class SimulatedSession(Session):
    """A session under one desired state, whose own words are gathered once."""

    words: Own = field(default_factory=Own)

    @property
    def own(self) -> Own:
        """What the desired state says."""
        return self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What came of a stream.

    Attributes:
        drifts: How many things went wrong in the world.
        healed: How many of them a fix ended.
        vanished: How many were gone by themselves.
        left: How many are there at the end.
    """

    tally: Tally
    drifts: int
    healed: int
    vanished: int
    left: int

    def document(self) -> dict[str, Any]:
        """For machines; equal simulations have equal documents."""
        world = {
            "drifts": self.drifts,
            "healed": self.healed,
            "vanished": self.vanished,
            "left": self.left,
        }
        return {"world": world} | self.tally.document()


def simulate(
    desired: DesiredState,
    stream: Stream,
    checks: Mapping[str, Check],
    steps: Mapping[str, StepKind],
    *,
    chooser: Chooser = "never",
    seed: int = 0,
    every: timedelta = RUN_EVERY,
    watch: Watcher | None = None,
) -> Simulation:
    """Run one host under one revision through a stream.

    Args:
        desired: The desired state, the same from the begin to the end.
        stream: What goes wrong.
        checks: The catalogue of checks.
        steps: The catalogue of kinds of step.
        chooser: What a language model would do where one may be asked.
        seed: Of what it takes at random.
        every: Time between two runs.
        watch: Told every entry.
    """
    machine = _Machine(desired, stream, checks, simulated(steps), chooser, seed, watch)
    at = stream.begin
    for number in _numbers():
        machine.run(number, at)
        due = machine.due(every)
        if due is None or due > stream.end:
            break
        # Runs stay in step, however long one took.
        at += every * max(1, -((at - due) // every))
    return machine.result()


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number


class _Machine:
    """One appliance without a disk, a network or a machine."""

    def __init__(
        self,
        desired: DesiredState,
        stream: Stream,
        checks: Mapping[str, Check],
        steps: Mapping[str, StepKind],
        chooser: Chooser,
        seed: int,
        watch: Watcher | None,
    ) -> None:
        self._desired, self._checks, self._watch = desired, checks, watch
        self._clock = SimulatedClock(stream.begin)
        self._world, self._tally = World(stream), Tally()
        client, host = desired.client.id, desired.host.id
        past = Past(Memory.empty(), register=Register(target=desired.target))
        self._appliance = SimpleNamespace(
            name=desired.target,
            clock=self._clock,
            ledger=MemoryLedger(client, host, stream.begin, self._follow),
            past=past,
            checks=checks,
            steps=steps,
            queue=SimpleNamespace(waiting=None, left_over=False, last=None),
            adviser=SimulatedAdviser(chooser, seed),
            home=None,
        )
        self._past = past
        self._moves, self._still, self._waits = 0, False, list[Verdict]()
        self._words = own_words(desired)
        status = IntentStatus(commit=desired.commit, counter=1, fetched=True)
        self._intent = Intent(desired, status)
        self._eye = SimulatedEye(
            desired=desired,
            checks=checks,
            target=SimulatedTarget(self._world),
            deadline_s=1.0,
            salt=b"",
            today=stream.begin.date(),
            world=self._world,
            clock=self._clock,
        )

    def run(self, number: int, at: datetime) -> None:
        """One run."""
        self._clock.until(at)
        now = self._clock.now()
        session = SimulatedSession(
            # Only what `pursue` uses of an appliance, in memory.
            appliance=cast("Appliance", self._appliance),
            run=f"{number:032x}",
            facts=Facts(now, int(self._clock.monotonic()), BOOT, True, 0),
            intent=self._intent,
            options=Options(promise_s=int(RUN_EVERY.total_seconds())),
            words=self._words,
        )
        before = self._moves
        report = pursue(session, self._eye.on(now.date()), {})
        self._still = self._moves == before and not report.outcomes
        self._waits = [left.verdict for left in report.not_done]

    def due(self, every: timedelta) -> datetime | None:
        """When the next run is that can differ from this one; ``None`` when none ever can."""
        now = self._clock.now()
        incidents = self._past.register.open.values()
        if not incidents and not self._world.broken:
            return self._world.next_change()
        if not self._still or any(one.state in _MOVING for one in incidents):
            return now + every
        if any(one.ruling == "defer" and one.retry_after_s is None for one in self._waits):
            return now + every
        return min(self._moments(now))

    def _moments(self, now: datetime) -> Iterator[datetime]:
        yield now + MOST_LEFT_OUT
        yield from (o.until for o in self._past.register.open.values() if o.until is not None)
        yield from (
            now + timedelta(seconds=v.retry_after_s) for v in self._waits if v.retry_after_s
        )
        change = self._world.next_change()
        if change is not None:
            yield change

    def result(self) -> Simulation:
        """What came of it."""
        world = self._world
        return Simulation(
            tally=self._tally,
            drifts=world.healed + world.vanished + len(world.broken),
            healed=world.healed,
            vanished=world.vanished,
            left=len(world.broken),
        )

    def _follow(self, record: Record) -> None:
        entry = record.entry
        self._world.follow(entry.kind, entry.body)
        self._tally.add(entry.kind.value, entry.body, entry.recorded_at)
        self._moves += len(entry.body.get("incidents", ()))
        if self._watch is not None:
            self._watch(record)

"""Runs inside a guest: weeks of a storm, with the real engine, a signed ledger, and a fake clock.

Reads an order as JSON and prints what came of it. What is real: every run (pull, trust, planner,
guards, executor, incidents, questions, signed entries), the ledger on the disk, and for the rules
of `REAL` the drift, the look and the fix. What is not: the clock, and of all other rules the look
and the fix, which the world of `reconciler.engine.simulation.world` stands in for.

Order: ``{"home", "begin", "runs": [minutes after the begin, …], "seed"}`` with, for a storm,
``"drifts"`` (synthetic ones) and ``"real"`` (how many of the others), and for a reverter
``"reverts": [minutes after the begin, …]``.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.advise.question import Question
from reconciler.advise.reply import Reply
from reconciler.engine import run as engine_run
from reconciler.engine.appliance import Appliance, open_appliance
from reconciler.engine.look import Eye
from reconciler.engine.session import Options
from reconciler.engine.settings import load_settings
from reconciler.engine.simulation.adviser import SimulatedAdviser
from reconciler.engine.simulation.simulate import SimulatedClock
from reconciler.engine.simulation.synthetic import Drift, Stream, storm
from reconciler.engine.simulation.world import SimulatedEye, SimulatedTarget, World, simulated
from reconciler.evidence.entry import Kind
from reconciler.guard.advice_budget import Level
from reconciler.model.answer import Answer, Answers
from reconciler.model.desired import BoundRule
from reconciler.model.finding import Finding
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.probe import Probe
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.ports import Target
from reconciler.targets.linux.target import LinuxTarget

REAL: Mapping[str, Sequence[str]] = {
    "units-running[portal]": ("systemctl", "kill", "--signal=SEGV", "clinic-bridge.service"),
    "secret-files-private[restic-password]": ("chmod", "0644", "/etc/restic/nightly.password"),
    "secret-files-private[authority-key]": ("chown", "1000:1000", "/etc/ssl/clinic/ca.key"),
    "sysctl-accept-redirects": ("sysctl", "-qw", "net.ipv4.conf.all.accept_redirects=1"),
}
"""Rules whose drift is real, each with how it comes about."""
REVERTED = "secret-files-private[restic-password]"
_PROMISE_S = 2 * 3600


class StormClock(SimulatedClock):
    """Fake time; whoever waits for the real machine is given a moment of it."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        time.sleep(min(seconds, 0.05))

    def until(self, at: datetime) -> None:
        super().sleep(max((at - self.at).total_seconds(), 0.0))


@dataclass(slots=True)
class Split:
    """Whose action is under way: the machine's or the world's."""

    world: World
    synthetic: bool = False

    def follow(self, kind: Kind, body: Mapping[str, Any]) -> None:
        if kind is Kind.INTENT:
            self.synthetic = REAL.keys().isdisjoint(body["action"]["rules"])
        if self.synthetic:
            self.world.follow(kind, body)


@dataclass(frozen=True, slots=True)
class SplitTarget:
    """Operations of the world's actions stay in the world."""

    machine: Target
    split: Split

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        if self.split.synthetic:
            return SimulatedTarget(self.split.world).ask(probes, deadline_s)
        return self.machine.ask(probes, deadline_s)

    def carry_out(self, operation: Operation) -> OperationResult:
        if self.split.synthetic:
            return SimulatedTarget(self.split.world).carry_out(operation)
        return self.machine.carry_out(operation)


@dataclass(frozen=True, slots=True)
class SplitEye(SimulatedEye):
    """Looks at the machine for what is real, at the world for the rest."""

    machine: Target = field(default_factory=LinuxTarget)

    def look(self, rules: Sequence[BoundRule]) -> dict[str, Finding]:
        real = [rule for rule in rules if rule.id in REAL]
        found = SimulatedEye.look(self, [rule for rule in rules if rule.id not in REAL])
        if real:
            found |= self._real(real)
        return {rule.id: found[rule.id] for rule in rules}

    def _real(self, rules: Sequence[BoundRule]) -> dict[str, Finding]:
        plain = Eye(
            desired=self.desired, checks=self.checks, target=self.machine,
            deadline_s=self.deadline_s, salt=self.salt, today=self.today,
        )  # fmt: skip
        return plain.look(rules)


def split_kinds(kinds: Mapping[str, StepKind], split: Split) -> dict[str, StepKind]:
    """Kinds of step that work in the world where its action is under way."""
    worldly = simulated(kinds)
    return {name: _either(kind, worldly[name], split) for name, kind in kinds.items()}


def _either(real: StepKind, world: StepKind, split: Split) -> StepKind:
    def which() -> StepKind:
        return world if split.synthetic else real

    def before(params: Params) -> tuple[Probe, ...]:
        return which().before(params)

    def do(params: Params, seen: Answers) -> tuple[Operation, ...]:
        return which().do(params, seen)

    def undo(params: Params, seen: Answers) -> tuple[Operation, ...]:
        return which().undo(params, seen)

    return replace(real, before=before, do=do, undo=undo)


class CountedAdviser(SimulatedAdviser):
    """Chooses at random, as a bad model does, and counts what it was asked; no network."""

    asked = 0

    def ask(self, question: Question, level: Level, timeout_s: float) -> Reply:
        self.asked += 1
        return super().ask(question, level, timeout_s)


@dataclass(slots=True)
class Storm:
    """One appliance in a storm."""

    order: Mapping[str, Any]
    adviser: "CountedAdviser"
    clock: StormClock = field(init=False)
    injected: list[str] = field(default_factory=list)
    opened_eye: Callable[..., Eye] = field(init=False)

    def run(self) -> dict[str, Any]:
        begin = datetime.fromisoformat(self.order["begin"])
        self.clock = StormClock(begin)
        started = time.monotonic()
        home = load_settings(Path(self.order["home"]) / "reconciler.yaml")
        with open_appliance(home, clock=self.clock) as appliance:
            runs = self._weather(appliance, begin)
        return {
            "runs": runs,
            "seconds": round(time.monotonic() - started, 1),
            "injected": self.injected,
            "cpu": round(time.process_time(), 1),
            "asked": self.adviser.asked,
        }

    def _weather(self, appliance: Appliance, begin: datetime) -> int:
        self._split(appliance, begin)
        real = list(self._real(begin))
        appliance.adviser = self.adviser
        for minute in self.order["runs"]:
            self.clock.until(begin + timedelta(minutes=minute))
            while real and real[0][0] <= self.clock.now():
                self._inject(real.pop(0)[1])
            engine_run.reconcile(appliance, Options(promise_s=_PROMISE_S))
        return len(self.order["runs"])

    def _split(self, appliance: Appliance, begin: datetime) -> None:
        end = begin + timedelta(minutes=self.order["runs"][-1])
        world = World(Stream(begin, end, ()))
        split = Split(world)
        appliance.steps = split_kinds(appliance.steps, split)
        append = appliance.ledger.append

        def appending(kind: Kind, body: Mapping[str, Any], **how: Any) -> Any:
            receipt = append(kind, body, **how)
            split.follow(kind, body)
            return receipt

        appliance.ledger.append = appending  # type: ignore[method-assign]
        open_eye = engine_run._open_eye

        def opened(session: Any, desired: Any) -> Eye:
            eye = open_eye(session, desired)
            if not world.stream.drifts and self.order.get("drifts"):
                world.stream = Stream(begin, end, self._drifts(desired.rules, begin))
            return SplitEye(
                desired=desired, checks=eye.checks, target=SplitTarget(eye.target, split),
                deadline_s=eye.deadline_s, salt=eye.salt, today=eye.today,
                world=world, clock=self.clock, machine=eye.target,
            )  # fmt: skip

        engine_run._open_eye = opened

    def _drifts(self, rules: Sequence[BoundRule], begin: datetime) -> tuple[Drift, ...]:
        mine = [rule for rule in rules if rule.id not in REAL]
        count, seed = self.order["drifts"], self.order["seed"]
        days = self.order["runs"][-1] // (24 * 60) + 1
        made = storm(mine, count, days=days, seed=seed, begin=begin)
        # Three to six hours where nothing else ends it, so that runs see it and rules fail again.
        dice = random.Random(seed)
        lasts = (timedelta(minutes=dice.randrange(185, 340)) for _ in made.drifts)
        return tuple(replace(one, lasts=end) for one, end in zip(made.drifts, lasts, strict=True))

    def _real(self, begin: datetime) -> Iterator[tuple[datetime, str]]:
        if "reverts" in self.order:
            yield from ((begin + timedelta(minutes=m), REVERTED) for m in self.order["reverts"])
            return
        dice = random.Random(self.order["seed"])
        last = self.order["runs"][-1]
        moments = sorted(dice.randrange(last) for _ in range(self.order["real"]))
        names = sorted(REAL)
        yield from ((begin + timedelta(minutes=m), dice.choice(names)) for m in moments)

    def _inject(self, rule: str) -> None:
        subprocess.run(REAL[rule], check=True, capture_output=True)
        if rule == "units-running[portal]":
            ask = ("systemctl", "is-failed", "--quiet", "clinic-bridge.service")
            until = time.monotonic() + 5
            while subprocess.run(ask).returncode and time.monotonic() < until:
                time.sleep(0.02)
        self.injected.append(rule)


def main() -> None:
    order = json.load(sys.stdin)
    print(json.dumps(Storm(order, CountedAdviser("random", order["seed"])).run()))


if __name__ == "__main__":
    main()

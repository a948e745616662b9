"""A machine that only goes wrong as a stream says, and obeys fixes as the stream says.

What stands in for the world in a simulation, and nothing else does: the look at the machine and
the operations on it. Judging, planning, guards, executor and memory are the real ones.

Rule 1: A rule that is not disturbed passes; a disturbed one is judged by the real comparator on
        values that do not meet its expectation.
Rule 2: A fix that heals has healed when its action ended so; one that was taken back has not.
Rule 3: What nobody can know, a precheck, what else a runbook verifies, is seen to hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from reconciler.diff.compare import meets
from reconciler.diff.judge import judge
from reconciler.engine.look import Eye
from reconciler.engine.simulation.synthetic import Drift, Fix, Stream
from reconciler.evidence.entry import Kind
from reconciler.model.answer import Answer, Answers
from reconciler.model.check import Check
from reconciler.model.desired import BoundRule, DesiredState
from reconciler.model.expectation import Expectation
from reconciler.model.finding import Finding
from reconciler.model.observation import Observation
from reconciler.model.operation import DaemonReload, Operation, OperationResult
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.step import StepKind
from reconciler.model.values import Params, Value, fits
from reconciler.ports import Clock

BOOT = "51b0f0aa-0000-4000-8000-000000000001"
_STATE = ReadFile("/simulated")
_WORSE: Mapping[Fix, int] = {"heals": 0, "lies": 1, "breaks": 2, "fails": 3}
_WRONG: tuple[Value, ...] = (
    False, True, 0, -1, 1, 2**31, "drifted", (), ("drifted",), (0,), None,
)  # fmt: skip


@dataclass(slots=True)
class World:
    """The machine.

    Attributes:
        stream: What goes wrong.
        broken: By rule: the drift that is there now, and when it is gone by itself.
        healed: How many drifts a fix ended.
        vanished: How many were gone by themselves.
    """

    stream: Stream
    broken: dict[str, tuple[Drift, datetime | None]] = field(default_factory=dict)
    healed: int = 0
    vanished: int = 0
    _next: int = 0
    _action: Mapping[str, Any] | None = None
    _worked: bool = False
    _damage: int = 0

    def advance(self, now: datetime) -> None:
        """Let everything happen that is due."""
        for rule, (_drift, until) in list(self.broken.items()):
            if until is not None and until <= now:
                del self.broken[rule]
                self.vanished += 1
        drifts = self.stream.drifts
        while self._next < len(drifts) and drifts[self._next].at <= now:
            drift = drifts[self._next]
            self._next += 1
            # What is wrong already does not go wrong again.
            if drift.rule not in self.broken:
                until = None if drift.lasts is None else drift.at + drift.lasts
                if until is None or until > now:
                    self.broken[drift.rule] = (drift, until)

    def next_change(self) -> datetime | None:
        """When something happens by itself next."""
        ends = [until for _drift, until in self.broken.values() if until is not None]
        drifts = self.stream.drifts
        ends += [drifts[self._next].at] if self._next < len(drifts) else []
        return min(ends, default=None)

    def wrong(self, rule: str) -> Drift | None:
        """What is wrong with a rule, as a look shows it now."""
        drift = self.broken.get(rule, (None, None))[0]
        return None if drift is not None and self._looks_healed(drift) else drift

    def follow(self, kind: Kind, body: Mapping[str, Any]) -> None:
        """Take notice of an entry: which action begins, and how it ended."""
        if kind is Kind.INTENT:
            self._action, self._worked = body["action"], False
        elif kind is Kind.OUTCOME:
            ended, self._action = self._action, None
            if ended is not None and body["result"] == "healed":
                for rule in ended["rules"]:
                    self.healed += self.broken.pop(rule, None) is not None

    def carry_out(self) -> str:
        """One operation of the action under way; why it was not carried out, or nothing."""
        fix = self._fix()
        if fix == "fails":
            return "the step was not carried out"
        self._worked = True
        self._damage += fix == "breaks"
        return ""

    def state(self) -> str:
        """What steps see of the machine before and after they are undone."""
        return f"damaged {self._damage} times"

    def _fix(self) -> Fix:
        """What comes of the action under way: the worst of what its rules' drifts say."""
        if self._action is None:
            return "heals"
        drifts = [self.broken[rule][0] for rule in self._action["rules"] if rule in self.broken]
        return max((self._of(drift) for drift in drifts), key=_WORSE.__getitem__, default="heals")

    def _of(self, drift: Drift) -> Fix:
        action = self._action
        known = action is None or not drift.runbooks or action["runbook"] in drift.runbooks
        return drift.fix if known else "heals"

    def _looks_healed(self, drift: Drift) -> bool:
        action = self._action
        if action is None or not self._worked or drift.rule not in action["rules"]:
            return False
        return self._of(drift) == "heals"


@dataclass(frozen=True, slots=True)
class SimulatedTarget:
    """What operations reach: they do what the world says comes of them."""

    world: World

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        """Every probe is answered with the state of the world."""
        del deadline_s
        answer = Answer("ok", self.world.state())
        return dict.fromkeys(probes, answer)

    def carry_out(self, operation: Operation) -> OperationResult:
        """As the stream says that fixes go."""
        del operation
        reason = self.world.carry_out()
        return OperationResult(ok=not reason, reason=reason, ms=1)


@dataclass(frozen=True, slots=True)
class SimulatedEye(Eye):
    """A look at the world; conditions of runbooks are seen to hold."""

    world: World
    clock: Clock
    _known: dict[int, Finding] = field(default_factory=dict)

    def on(self, today: date) -> "SimulatedEye":
        """The same eye on another day, when exceptions may have ended."""
        return self if today == self.today else replace(self, today=today, _known={})

    def look(self, rules: Sequence[BoundRule]) -> dict[str, Finding]:
        """One finding for each rule, by its id, in order."""
        self.world.advance(self.clock.now())
        return {rule.id: self._finding(rule) for rule in rules}

    def _finding(self, rule: BoundRule) -> Finding:
        drift = self.world.wrong(rule.id)
        if drift is None:
            return _passing(rule, self.desired)
        # The same fault is judged once a day, however often it is seen.
        found = self._known.get(id(drift))
        if found is None:
            found = self._known[id(drift)] = self._failing(rule, drift)
        return found

    def _failing(self, rule: BoundRule, drift: Drift) -> Finding:
        check = self.checks[rule.check]
        values = _wrong_values(rule, check) | {
            name: value for name, value in drift.observed.items() if name in check.fields
        }
        return judge(
            rule,
            Observation(rule.check, "seen", values=values),
            target=self.desired.target,
            exceptions=self.desired.exceptions,
            controls=self.desired.controls,
            today=self.today,
        )


def simulated(kinds: Mapping[str, StepKind]) -> dict[str, StepKind]:
    """The catalogue of kinds of step, with operations that only the world carries out.

    What a kind cuts and touches, its parameters, and whether it can be undone stay as they are:
    that is what guards judge.
    """
    return {
        name: replace(
            kind,
            before=_before,
            do=_operation,
            undo=_operation if kind.reversible else _nothing,
        )
        for name, kind in kinds.items()
    }


def _before(_params: Params) -> tuple[Probe, ...]:
    return (_STATE,)


def _operation(_params: Params, _before: Answers) -> tuple[Operation, ...]:
    return (DaemonReload(),)


def _nothing(_params: Params, _before: Answers) -> tuple[Operation, ...]:
    return ()


def _passing(rule: BoundRule, desired: DesiredState) -> Finding:
    return Finding(
        rule=rule.id,
        check=rule.check,
        target=desired.target,
        status="pass",
        severity=rule.severity,
        controls=rule.controls,
    )


def _wrong_values(rule: BoundRule, check: Check) -> dict[str, Value]:
    """For each field that something is expected of, a value of its kind that does not meet it."""
    found: dict[str, Value] = {}
    for name, wanted in rule.expect.items():
        declared = check.fields.get(name)
        kinds = (declared.kind,) if declared is not None else ()
        found[name] = _wrong_value(wanted, kinds[0] if kinds else None)
    return found


@cache
def _wrong_value(wanted: Expectation, kind: Any) -> Value:
    fitting = [
        value for value in _WRONG if kind is None or (value is not None and fits(value, kind))
    ]
    near = list(_near(wanted))
    for value in (*near, *fitting, *_WRONG):
        if (kind is None or value is None or fits(value, kind)) and not meets(wanted, value):
            return value
    return None


def _near(wanted: Expectation) -> Iterable[Value]:
    """Values just beside a limit, which people recognise."""
    value = wanted.value
    if type(value) is int and wanted.op in {"at_least", "at_most", "equals"}:
        yield value - 1 if wanted.op == "at_least" else value + 1
    if wanted.op == "contains_none" and isinstance(value, tuple):
        yield value[:1]
    for inner in wanted.inner:
        yield from _near(inner)

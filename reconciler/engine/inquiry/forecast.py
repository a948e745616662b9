"""What a change would do tonight, from evidence: which findings turn, which actions begin.

Rule 1: Only what was recorded is judged, by the comparator that judges on a machine. A value that
        is not in evidence, or that was asked for with other parameters, makes *not known*.
Rule 2: Evidence is proven before it is believed, and its age is said with whatever it shows.
Rule 3: Guards judge with the memory that the ledger holds. What nobody can know beforehand, a
        precheck or a hold, is taken to be in the action's favour and said: a forecast must not be
        quieter than the night.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.diff.judge import judge
from reconciler.engine.inquiry.rehearse import RUN_EVERY, moment
from reconciler.engine.past import Past, recall_from
from reconciler.engine.windows import calendar, window_open
from reconciler.evidence.canonical import encode
from reconciler.evidence.entry import Kind
from reconciler.evidence.follow import ended_at
from reconciler.evidence.record import Branch, Record
from reconciler.guard.gate import admit, admitted
from reconciler.ledger.reader import newest_first
from reconciler.model.desired import BoundRule, DesiredState
from reconciler.model.finding import Finding
from reconciler.model.observation import Observation
from reconciler.model.plan import Action
from reconciler.model.review import ActionForecast, HostForecast, Turn
from reconciler.model.step import StepKind
from reconciler.model.values import Value
from reconciler.plan.choice import unseen
from reconciler.plan.planner import plan

LOOK_AHEAD = timedelta(hours=24)
_HOLES = ("…", "[withheld: ")

States = Mapping[str, DesiredState]
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What the evidence of one host says.

    Attributes:
        past: Memory of the guards, and the newest run with findings.
        confirmed_at: When a run last found the same; ``None`` when there was no run.
    """

    past: Past
    confirmed_at: datetime | None


def gather(repository: Path, branches: Sequence[Branch]) -> dict[str, Known]:
    """Prove and read the newest entries of some branches.

    Raises:
        LedgerDamaged: An entry does not verify; nothing of it is believed.
        LedgerMissing: There is no such branch.
    """
    return {
        f"{branch.client}/{branch.host}": _known(
            newest_first(repository, branch.client, branch.host, branch.signers)
        )
        for branch in branches
    }


def forecast(
    states: States,
    known: Mapping[str, Known],
    earlier: Callable[[str], States],
    steps: Mapping[str, StepKind],
    at: datetime,
) -> tuple[HostForecast, ...]:
    """What would come of desired states that are not in force yet.

    Args:
        states: The desired state of each host under the head.
        known: What evidence says of each host, as far as there is any.
        earlier: The desired states at a commit that evidence names; empty when they are not known.
        steps: The catalogue of kinds of step.
        at: The moment to foresee.
    """
    return tuple(
        _host(state, known.get(target), earlier, steps, at)
        for target, state in sorted(states.items())
    )


def _known(records: Iterator[Record]) -> Known:
    newest: list[datetime] = []

    def noting() -> Iterator[Record]:
        for record in records:
            if record.entry.kind is Kind.RUN and not newest:
                newest.append(datetime.fromisoformat(ended_at(record)))
            yield record

    past = recall_from(noting())
    return Known(past, newest[0] if newest else None)


def _host(
    state: DesiredState,
    known: Known | None,
    earlier: Callable[[str], States],
    steps: Mapping[str, StepKind],
    at: datetime,
) -> HostForecast:
    if known is None:
        return HostForecast(target=state.target, why_not="no evidence of this host was given")
    run = known.past.run
    if run is None:
        return HostForecast(target=state.target, why_not="its evidence holds no run with findings")
    accepted = run.body["intent"]["accepted"]
    was = earlier(accepted["commit"]).get(state.target) if accepted else None
    judged = _Judge(state, was, run.body, at)
    pairs = [(rule, judged.of(rule)) for rule in state.rules]
    turns = tuple(turn for _rule, (turn, _finding) in pairs if turn is not None)
    findings = [finding for _rule, (_turn, finding) in pairs if finding is not None]
    return HostForecast(
        target=state.target,
        observed_at=datetime.fromisoformat(run.recorded_at),
        confirmed_at=known.confirmed_at,
        seq=run.seq,
        turns=turns,
        stays=len(pairs) - len(turns),
        actions=tuple(
            _action(action, state, known, steps, at) for action in plan(findings, state).actions
        ),
    )


class _Judge:
    """Judges the rules of one host by what its newest run with findings recorded."""

    def __init__(
        self, state: DesiredState, was: DesiredState | None, body: Body, at: datetime
    ) -> None:
        self._state = state
        self._at = at
        self._recorded = {finding["rule"]: finding for finding in body["findings"]}
        self._asked = {rule.id: rule for rule in was.rules} if was else {}
        self._found = was is not None
        self._values = _values(self._recorded, self._asked)

    def of(self, rule: BoundRule) -> tuple[Turn | None, Finding | None]:
        """How a rule's status turns, ``None`` when it stays; and the finding, when it is known."""
        recorded = self._recorded.get(rule.id)
        now = recorded["status"] if recorded else None
        observation, why = self._observation(rule, recorded)
        if observation is None:
            return Turn(rule=rule.id, now=now, then=None, why=why), None
        finding = judge(
            rule,
            observation,
            target=self._state.target,
            exceptions=self._state.exceptions,
            controls=self._state.controls,
            today=self._at.date(),
        )
        if finding.status == "unknown":
            return Turn(rule=rule.id, now=now, then=None, why=finding.reason), None
        if finding.status == "fail" and (lacking := unseen(rule, finding, self._state)):
            why = f"healing rules ask for {', '.join(lacking)}, which is not in evidence"
            return Turn(rule=rule.id, now=now, then="fail", why=why), None
        if finding.status == now:
            return None, finding
        return Turn(rule=rule.id, now=now, then=finding.status, why=_why(finding)), finding

    def _observation(
        self, rule: BoundRule, recorded: Body | None
    ) -> tuple[Observation | None, str]:
        if not self._found:
            return None, "the revision that was observed under is not in this repository"
        asked = self._asked.get(rule.id)
        if recorded is not None and asked is not None and _question(asked) == _question(rule):
            if recorded["status"] == "unknown":
                return None, f"was not observed: {recorded['reason']}"
            if recorded["status"] == "not_applicable":
                return Observation(rule.check, "not_applicable", {}, recorded["reason"]), ""
        elif recorded is not None and asked is not None:
            return None, "is looked at in another way now (check or parameters)"
        values = self._values.get(_question(rule))
        if values is None:
            return None, "was never observed"
        return Observation(rule.check, "seen", values), ""


def _question(rule: BoundRule) -> bytes:
    """What was asked of the machine: rules that ask the same share what was seen."""
    params = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in rule.params.items()
    }
    return encode([rule.check, params])


def _values(
    recorded: Mapping[str, Body], asked: Mapping[str, BoundRule]
) -> dict[bytes, dict[str, Value]]:
    found: dict[bytes, dict[str, Value]] = {}
    for name, finding in recorded.items():
        rule = asked.get(name)
        if rule is not None and finding["status"] not in {"unknown", "not_applicable"}:
            seen = {
                field: tuple(value) if isinstance(value, list) else value
                for field, value in finding["observed"].items()
                if not _withheld(value)
            }
            found.setdefault(_question(rule), {}).update(seen)
    return found


def _withheld(value: Any) -> bool:
    """Whether part of a value was left out before it was signed; then nobody can judge it again."""
    items = value if isinstance(value, list) else [value]
    return any(isinstance(i, str) and any(mark in i for mark in _HOLES) for i in items)


def _why(finding: Finding) -> str:
    names = finding.failed or tuple(finding.expected)
    parts = (
        f"{name} was {_shown(finding.observed.get(name))}, expected {finding.expected[name]}"
        for name in names
    )
    return "; ".join([*parts, *([finding.reason] if finding.reason else [])])


def _shown(value: Value) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, tuple) else str(value)


def _action(
    action: Action,
    state: DesiredState,
    known: Known,
    steps: Mapping[str, StepKind],
    at: datetime,
) -> ActionForecast:
    def verdicts(now: datetime) -> Any:
        window, told = window_open(state.client, now), calendar(state.client, now)
        memory = known.past.memory
        return admit(
            action, moment(state, steps, now, memory, action, window=window, calendar=told)
        )

    first = verdicts(at)
    last, runs_at = first[-1], at if admitted(first) else None
    if last.ruling == "defer":
        later = (at + RUN_EVERY * n for n in range(1, LOOK_AHEAD // RUN_EVERY + 1))
        runs_at = next((then for then in later if admitted(verdicts(then))), None)
    stopped = not admitted(first)
    return ActionForecast(
        runbook=action.runbook,
        rules=action.rules,
        ruling=last.ruling,
        guard=last.guard if stopped else "",
        reason=last.reason if stopped else "",
        runs_at=runs_at,
        prechecks=len(state.runbooks[action.runbook].runbook.precheck),
    )

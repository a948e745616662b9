"""Contexts and memories for tests of guards."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.evidence.bodies import action_body
from reconciler.guard.charging import charge
from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.memory import Memory, fold
from reconciler.model.desired import DesiredState
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict
from reconciler.steps import catalogue
from tests.support.desired_states import make_action, make_desired

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACTION = "f" * 64
STEPS = catalogue.load()
DOING = make_action()


def make_context(**changes: Any) -> GuardContext:
    fields: dict[str, Any] = {
        "now": NOW,
        "desired": make_desired(),
        "memory": Memory.empty(),
        "steps": STEPS,
        "prechecks": (),
        "window_open": False,
        "holds": (),
    }
    return GuardContext(**(fields | changes))


def intent_body(action: Action = DOING, context: GuardContext | None = None) -> dict[str, Any]:
    """What an intent says that was admitted in a context; without one, as an older version did."""
    body = {"action": action_body(action)}
    return body if context is None else body | {"charge": charge(action, context).to_body()}


def begin(memory: Memory, at: datetime, action: str = ACTION) -> Memory:
    return fold(memory, "intent", intent_body(make_action(id=action)), at)


def finish(memory: Memory, result: str, at: datetime, action: str = ACTION) -> Memory:
    body = {"action": action, "result": result, "rules": list(DOING.rules)}
    return fold(memory, "outcome", body, at)


def attempt(memory: Memory, result: str, at: datetime) -> Memory:
    return finish(begin(memory, at), result, at)


def numbers(**changes: Any) -> DesiredState:
    """A desired state with other numbers of guards: ``numbers(flap={"cap": 3000})``."""
    return make_desired(guards=GuardSettings.model_validate(changes))


class Story:
    """One host over time: what guards say, and what the ledger makes of what was done.

    Attributes:
        memory: Folded from the entries that the story wrote.
        now: May go back, as clocks do.
    """

    def __init__(self, desired: DesiredState | None = None, action: Action = DOING) -> None:
        self.desired = desired or make_desired()
        self.action = action
        self.memory = Memory.empty()
        self.now = NOW

    @property
    def context(self) -> GuardContext:
        return make_context(desired=self.desired, memory=self.memory, now=self.now)

    def wait(self, seconds: float) -> "Story":
        self.now += timedelta(seconds=seconds)
        return self

    def ask(self, guard: Guard, action: Action | None = None) -> Verdict:
        return guard.judge(action or self.action, self.context)

    def begin(self, action: Action | None = None) -> "Story":
        body = intent_body(action or self.action, self.context)
        self.memory = fold(self.memory, "intent", body, self.now)
        return self

    def end(self, result: str, action: Action | None = None) -> "Story":
        acted = action or self.action
        body = {"action": acted.id, "result": result, "rules": list(acted.rules)}
        self.memory = fold(self.memory, "outcome", body, self.now)
        return self

    def act(self, result: str) -> "Story":
        return self.begin().end(result)

    def tell(self, *transitions: dict[str, Any]) -> "Story":
        """What a run says of incidents."""
        return self.report(incidents=list(transitions))

    def report(self, **members: Any) -> "Story":
        """A run that did nothing, with more members."""
        body = {"intent": {"accepted": None, "refused": None}} | members
        self.memory = fold(self.memory, "run", body, self.now)
        return self


def transition(to: str, **changes: Any) -> dict[str, Any]:
    """A transition as entries carry it."""
    told = {
        "id": "f" * 12 + "-1",
        "fingerprint": "f" * 64,
        "rule": "time",
        "from": "planned",
        "to": to,
        "at": "2026-03-02T09:00:00.000Z",
        "reason": "x",
    }
    return told | changes

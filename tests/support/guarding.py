"""Contexts and memories for tests of guards."""

from datetime import UTC, datetime
from typing import Any

from reconciler.evidence.bodies import action_body
from reconciler.guard.charging import charge
from reconciler.guard.context import GuardContext
from reconciler.guard.memory import Memory, fold
from reconciler.model.desired import DesiredState
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.plan import Action
from reconciler.steps import catalogue
from tests.support.desired_states import make_action, make_desired

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACTION = "f" * 64
DOING = make_action()


def make_context(**changes: Any) -> GuardContext:
    fields: dict[str, Any] = {
        "now": NOW,
        "desired": make_desired(),
        "memory": Memory.empty(),
        "steps": catalogue.load(),
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

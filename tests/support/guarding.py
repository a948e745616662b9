"""Contexts and memories for tests of guards."""

from datetime import UTC, datetime
from typing import Any

from reconciler.guard.context import GuardContext
from reconciler.guard.memory import Memory, fold
from reconciler.steps import catalogue
from tests.support.desired_states import make_desired

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACTION = "f" * 64


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


def begin(memory: Memory, at: datetime, action: str = ACTION) -> Memory:
    return fold(memory, "intent", {"action": {"id": action}}, at)


def finish(memory: Memory, result: str, at: datetime, action: str = ACTION) -> Memory:
    return fold(memory, "outcome", {"action": action, "result": result}, at)


def attempt(memory: Memory, result: str, at: datetime) -> Memory:
    return finish(begin(memory, at), result, at)

"""A chain never leads to silence."""

from datetime import timedelta

from reconciler.incident.chain import chain_of, missing
from reconciler.model.client import Escalation
from tests.support.ticketing import step

CHANNELS = frozenset({"desk", "mail"})


def escalation(minutes: int, *names: str) -> Escalation:
    return Escalation(after_min=minutes, notify=names)


def test_a_client_without_a_chain_calls_everybody_at_once() -> None:
    assert chain_of((), CHANNELS) == (step(0, "desk", "mail"),)


def test_steps_come_in_the_order_of_their_time() -> None:
    steps = (escalation(30, "mail"), escalation(0, "desk"))

    assert chain_of(steps, CHANNELS) == (step(0, "desk"), step(30, "mail"))
    assert [one.after for one in chain_of(steps, CHANNELS)] == [timedelta(0), timedelta(minutes=30)]


def test_a_step_that_leads_nowhere_calls_everybody_and_is_named() -> None:
    steps = (escalation(0, "desk", "gone"), escalation(10, "away"))

    assert chain_of(steps, CHANNELS) == (step(0, "desk"), step(10, "desk", "mail"))
    assert missing(steps, CHANNELS) == ("away", "gone")

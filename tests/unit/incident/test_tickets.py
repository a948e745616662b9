"""The memory of tickets is what entries say: garbled ones are errors, never a fresh start."""

from typing import Any

import pytest

from reconciler.engine.tickets.entries import before_body, note_body
from reconciler.errors import LedgerDamaged
from reconciler.incident.calls import calls
from reconciler.incident.tickets import Tickets, fold
from tests.support.ticketing import NOW, Office, make_incident


def said() -> tuple[Tickets, dict[str, Any]]:
    office = Office({"time": make_incident()})
    (call,) = calls(office.situation(), "desk", per_run=5, per_hour=5)
    body = before_body("r", "desk", call)
    return fold(Tickets.empty(), "ticket", body, NOW), body


def test_other_entries_and_older_ledgers_say_nothing_of_tickets() -> None:
    tickets, _ = said()

    assert fold(tickets, "run", {"phase": "opened"}, NOW) is tickets
    assert Tickets.from_body(None) == Tickets.empty()


@pytest.mark.parametrize(
    "change",
    [
        {"phase": "lost"},
        {"phase": "acknowledged"},
        {"message": "x"},
        {"ticket": "x"},
        {"round": -1},
        {"step": True},
        {"rule": ""},
        {"covers": "all"},
        {"covers": [{"ticket": "a" * 64}]},
    ],
)
def test_an_entry_that_does_not_read_as_one_is_damage(change: dict[str, Any]) -> None:
    _, body = said()

    with pytest.raises(LedgerDamaged):
        fold(Tickets.empty(), "ticket", body | change, NOW)


def test_an_answer_that_nothing_was_sent_for_is_damage() -> None:
    _, body = said()

    with pytest.raises(LedgerDamaged):
        fold(Tickets.empty(), "ticket", body | {"phase": "sent"}, NOW)


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(value, dict):
        return [leaf for key, one in value.items() for leaf in leaves(one, (*path, key))]
    return [path]


def test_a_memory_with_any_member_of_another_type_is_damage() -> None:
    tickets, _ = said()
    paths = leaves(tickets.to_body())
    assert len(paths) > 15

    for path in paths:
        garbled = tickets.to_body()
        place: Any = garbled
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = {"no": "such"}
        with pytest.raises(LedgerDamaged):
            Tickets.from_body(garbled)


def test_a_closed_ticket_is_forgotten() -> None:
    tickets, body = said()
    office = Office({"time": make_incident()}, tickets=tickets)
    (call,) = calls(office.situation(), "desk", per_run=5, per_hour=5) or (None,)
    assert call is None, "it was just tried"

    from reconciler.incident.ticket_form import covered

    closed = fold(tickets, "ticket", note_body("r", "closed", covered(body)), NOW)
    assert closed.open == {}
    assert closed.lines == tickets.lines

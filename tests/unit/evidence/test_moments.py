"""When the runs were that an entry stands for."""

from typing import Any

import pytest

from reconciler.evidence import moments
from reconciler.evidence.fault import Code
from reconciler.evidence.statement import Kind
from tests.support.entries import record
from tests.support.forge import Forge, honest

AT = 1_772_366_400_000
"""2026-03-01T12:00:00Z"""


def sealed(**body: Any) -> Any:
    return record(7, "run", {"like": 1, **body}, slim=True).entry


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [AT]),
        ({"ago_ms": 5}, [AT - 5]),
        ({"ticks": [3]}, [AT]),
        ({"ticks": [9, 1, 2]}, [AT - 3, AT - 2, AT]),
        ({"ticks": [9, 0], "ago_ms": 10}, [AT - 10, AT - 10]),
        ({"ticks": [AT]}, [AT]),
        ({"ago_ms": AT}, [0]),
    ],
)
def test_moments_of_a_quiet_run(body: dict[str, Any], expected: list[int]) -> None:
    assert moments.moments(sealed(**body)) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"ticks": []},
        {"ticks": [True]},
        {"ticks": [-1]},
        {"ticks": None},
        {"ticks": [AT + 1]},
        {"ago_ms": -1},
        {"ago_ms": "1"},
        {"ago_ms": AT + 1},
        {"ago_ms": 1, "ticks": [AT]},
        {"ago_ms": 2**53 - 1},
    ],
)
def test_a_run_that_does_not_say_when_it_was(body: dict[str, Any]) -> None:
    assert moments.moments(sealed(**body)) is None


@pytest.mark.parametrize("kind", ["heartbeat", "checkpoint"])
def test_other_entries_are_when_they_were_written(kind: str) -> None:
    entry = record(7, kind, {"ticks": [1, 2], "ago_ms": 9}, slim=True).entry
    assert moments.moments(entry) == [AT]
    assert moments.ended_at(entry) == entry.recorded_at


def test_a_run_with_a_file_is_when_it_was_written() -> None:
    assert moments.moments(record(7, "run", {"ticks": [1, 2], "ago_ms": 9}).entry) == [AT]


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (0, "2026-03-01T12:00:00.000Z"),
        (1, "2026-03-01T11:59:59.999Z"),
        (AT, "1970-01-01T00:00:00.000Z"),
        (AT + 1, "2026-03-01T12:00:00.000Z"),
        (-1, "2026-03-01T12:00:00.000Z"),
        (True, "2026-03-01T12:00:00.000Z"),
    ],
)
def test_when_the_last_of_it_happened(ago: object, expected: str) -> None:
    assert moments.ended_at(sealed(ago_ms=ago)) == expected


MINUTES_20 = 20 * 60_000


@pytest.mark.parametrize(
    ("body", "early"),
    [
        ({"ticks": [7, MINUTES_20]}, False),
        ({"ticks": [0, MINUTES_20 + 1]}, True),
        ({"ticks": [MINUTES_20 * 9]}, False),
        ({"ago_ms": MINUTES_20}, False),
        ({"ago_ms": MINUTES_20 + 1}, True),
    ],
)
def test_no_run_is_before_the_entry_before_ended(body: dict[str, Any], early: bool) -> None:
    forge: Forge = honest(2)
    oid = forge.append_slim(body={"like": 1, "reached": True, "took_ms": 1, **body})
    found = [(fault.code, fault.place.commit) for fault in forge.audit().faults]
    assert found == ([(Code.TIME, oid)] if early else [])


def test_after_runs_that_were_sealed_late_there_is_room_again() -> None:
    forge = honest(2)
    body = {"like": 1, "reached": True, "took_ms": 1}
    forge.append_slim(body={**body, "ago_ms": MINUTES_20})
    forge.append_slim(body={**body, "ticks": [1, 2 * MINUTES_20]})
    forge.append(Kind.HEARTBEAT)
    assert forge.audit().ok

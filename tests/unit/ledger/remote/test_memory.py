from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import MachineError
from reconciler.ledger.remote.memory import Memory, hurry, load, next_try, save

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FULL = Memory("a" * 40, 3, NOW + timedelta(minutes=4))


@given(st.integers(1, 10**9), st.integers())
def test_delay_is_between_a_minute_and_an_hour(attempts: int, seed: int) -> None:
    delay = next_try(attempts, NOW, Random(seed)) - NOW
    assert timedelta(minutes=1) <= delay <= timedelta(hours=1)


def test_delay_grows_and_differs_between_appliances() -> None:
    longest = [
        max(next_try(attempts, NOW, Random(seed)) - NOW for seed in range(50))
        for attempts in range(1, 8)
    ]
    assert longest[0] == timedelta(minutes=1)
    assert longest[:6] == sorted(longest[:6])
    assert longest[-1] > timedelta(minutes=55)
    assert len({next_try(6, NOW, Random(seed)) for seed in range(50)}) > 20


@pytest.mark.parametrize("memory", [Memory(), FULL, Memory("b" * 40), Memory(None, 1, NOW)])
def test_what_is_saved_is_loaded(memory: Memory, tmp_path: Path) -> None:
    file = tmp_path / "state" / "push.json"
    save(file, memory)
    assert load(file) == memory
    assert [path.name for path in file.parent.iterdir()] == ["push.json"]


def test_any_torn_file_starts_anew(tmp_path: Path) -> None:
    file = tmp_path / "push.json"
    save(file, FULL)
    data = file.read_bytes()
    for end in range(len(data)):
        file.write_bytes(data[:end])
        assert load(file) == Memory()


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '{"tip": 1, "attempts": 1, "next_try": null}',
        '{"tip": "HEAD", "attempts": 1, "next_try": null}',
        '{"tip": null, "attempts": -1, "next_try": null}',
        '{"tip": null, "attempts": true, "next_try": null}',
        '{"tip": null, "attempts": 1, "next_try": "2026-03-01"}',
        '{"tip": null, "attempts": 1, "next_try": 5}',
        "[" * 4000,
    ],
)
def test_any_wrong_file_starts_anew(text: str, tmp_path: Path) -> None:
    file = tmp_path / "push.json"
    file.write_text(text)
    assert load(file) == Memory()


def test_it_waits_until_then_and_not_after_a_clock_that_was_set_back() -> None:
    assert FULL.waits(NOW)
    assert not FULL.waits(NOW + timedelta(minutes=5))
    assert not FULL.waits(NOW - timedelta(days=1))
    assert not Memory().waits(NOW)


def test_somebody_in_a_hurry_does_not_wait_and_does_not_forget(tmp_path: Path) -> None:
    file = tmp_path / "push.json"
    hurry(file)
    assert not file.exists()
    save(file, FULL)
    hurry(file)
    assert load(file) == Memory(FULL.tip, FULL.attempts, None)


def test_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(MachineError, match="cannot write"):
        save(tmp_path / "state" / "push.json", FULL)

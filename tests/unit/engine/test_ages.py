"""Ages of upkeep: an alarm by age alone, for whatever reason, and a file that may be lost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.engine.upkeep.ages import FILE, Ages, Event, failed, limit_of

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_part_that_never_came_about_is_an_alarm_after_its_limit(tmp_path: Path) -> None:
    ages = Ages(tmp_path)
    ages.begin(["push"], START)

    assert ages.alarm("push", START + limit_of("push")) is None
    assert ages.alarm("push", START + 2 * DAY) == (
        "has not come about since 2026-03-01T00:00:00Z, 2 days ago"
    )
    assert ages.alarm("copies", START + 9 * DAY) is None, "nobody asked for it"


def test_what_the_ledger_says_counts_as_well(tmp_path: Path) -> None:
    ages = Ages(tmp_path)
    ages.begin(["push"], START)

    assert ages.alarm("push", START + 2 * DAY, START + DAY) is None
    message = ages.alarm("push", START + 5 * DAY, START + DAY)
    assert message == "last came about 2026-03-02T00:00:00Z, 4 days ago"


def test_a_time_that_has_not_come_yet_excuses_nothing(tmp_path: Path) -> None:
    ages = Ages(tmp_path)
    ages.begin(["push"], START)
    ages.note(Event("push"), START + 900 * DAY)

    assert ages.alarm("push", START + 2 * DAY) is not None


def test_it_is_remembered_across_processes_and_forgotten_with_the_setting(tmp_path: Path) -> None:
    first = Ages(tmp_path)
    first.begin(["push", "copies"], START)
    first.note(failed("copies", "the store is away", "wait"), START + DAY)
    first.note(Event("push"), START + DAY)
    first.save()
    second = Ages(tmp_path)

    copies, push = second.get("copies"), second.get("push")
    assert copies is not None
    assert push is not None
    assert (copies.since, copies.ok, copies.trouble) == (START, None, "the store is away")
    assert (push.ok, push.trouble) == (START + DAY, "")
    second.begin(["push"], START + 2 * DAY)
    second.save()
    assert Ages(tmp_path).get("copies") is None


def test_a_quiet_part_is_not_written_again_and_again(tmp_path: Path) -> None:
    ages = Ages(tmp_path)
    ages.begin(["push"], START)
    ages.note(Event("push"), START)
    ages.save()
    before = (tmp_path / FILE).stat().st_mtime_ns
    for minute in range(20):
        ages.note(Event("push"), START + timedelta(minutes=minute))
        ages.save()

    assert (tmp_path / FILE).stat().st_mtime_ns == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"push": 1}', '{"push": {"since": "x"}}'])
def test_a_file_that_is_none_makes_every_part_new(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    ages = Ages(tmp_path)

    assert ages.get("push") is None
    ages.begin(["push"], START)
    assert ages.alarm("push", START + 2 * DAY) is not None

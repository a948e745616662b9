"""The ledgers that benchmarks measure are what an appliance would have written, and verify."""

from pathlib import Path

import pytest

from benchmarks.drift import Habit
from benchmarks.long_ledger import CLIENT, HOST, Place, build, grow
from reconciler.evidence.entry import Entry
from reconciler.evidence.record import Branch, Record
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.reader import proven
from reconciler.ledger.verify import load_signers, verify

DAY = Habit(interval_s=1800, news_every=10)


def entries(place: Place) -> list[Entry]:
    branch = Branch(CLIENT, HOST, load_signers(place.signers))
    records: list[Record] = list(proven(ObjectStore(place.repository), branch, place.repository))
    return [record.entry for record in reversed(records)]


@pytest.mark.parametrize(
    "habit",
    [DAY, Habit(1800, 1), Habit(1800, 10, healed=1.0), Habit(300, 40, sealed=12)],
    ids=["drift", "full", "healed", "sealed"],
)
def test_it_verifies_and_has_every_run(tmp_path: Path, habit: Habit) -> None:
    place = build(tmp_path, 120, habit)

    found = verify(place.repository, load_signers(place.signers))

    assert found.ok, found.sentence
    assert found.branches[0].runs == 120
    assert found.sweep.unreferenced == 0
    assert not list(place.repository.glob("objects/??/*")), "all of it is packed"


def test_each_day_begins_in_full_and_what_is_the_same_has_no_file(tmp_path: Path) -> None:
    found = entries(build(tmp_path, 200, DAY))
    runs = [entry for entry in found if entry.kind.value == "run"]
    firsts = {entry.recorded_at[:10]: entry for entry in reversed(runs)}

    assert len(firsts) >= 4
    assert not any(entry.slim for entry in firsts.values())
    assert sum(entry.slim for entry in runs) > 100


def test_a_sealed_entry_says_when_each_of_its_runs_was(tmp_path: Path) -> None:
    found = entries(build(tmp_path, 100, Habit(60, 1000, sealed=60)))
    ticks = [entry.body["ticks"] for entry in found if entry.slim and "ticks" in entry.body]

    assert max(map(len, ticks)) >= 50
    assert sum(map(len, ticks)) + sum(e.kind.value == "run" and not e.slim for e in found) == 100
    assert all(55_000 < tick < 65_000 for one in ticks for tick in one[1:])


def test_a_ledger_goes_on(tmp_path: Path) -> None:
    place = build(tmp_path, 30, DAY)
    grow(place, 30, DAY)

    assert verify(place.repository, load_signers(place.signers)).branches[0].runs == 60


def test_the_same_habit_makes_the_same_ledger(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found = entries(build(tmp_path / name, 40, DAY))
        made.append([(e.kind, e.recorded_at, e.slim) for e in found])
    assert made[0] == made[1]

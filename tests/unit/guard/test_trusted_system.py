from dataclasses import replace

import pytest

from reconciler.guard import memory_form as form
from reconciler.guard import trusted_system
from tests.support.releases import digest, in_force, store_path, trusted

ONE, TWO = store_path("one"), store_path("two")
FIRST = in_force(ONE)
SECOND = replace(in_force(TWO, 2), before=FIRST.followed_by(trusted(TWO)))


def run(held) -> dict:
    return {"intent": {"system": {"in_force": held and held.to_body(), "waiting": None}}}


def test_what_evidence_holds_reads_as_what_was_written() -> None:
    evaluated = replace(FIRST, key=None, system=trusted(ONE, source="evaluated"))
    old = replace(FIRST, system=trusted(ONE, closure_sha256=None))
    for each in (FIRST, SECOND, evaluated, old):
        assert trusted_system.read(each.to_body()) == each
    assert SECOND.before == ((ONE, digest(f"nar of {ONE}")),)


def test_it_goes_on_from_run_to_run_and_with_an_intent_between() -> None:
    assert trusted_system.after(None, "run", run(FIRST)) == FIRST
    assert trusted_system.after(FIRST, "run", run(FIRST)) == FIRST
    assert trusted_system.after(FIRST, "intent", {"system": SECOND.to_body()}) == SECOND
    assert trusted_system.after(SECOND, "run", run(SECOND)) == SECOND


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("run", run(None)),
        ("run", {"intent": {}}),
        ("run", {"intent": {"system": None}}),
        ("intent", {}),
        ("outcome", {"system": SECOND.to_body()}),
    ],
)
def test_what_says_nothing_changes_nothing(kind, body) -> None:
    assert trusted_system.after(FIRST, kind, body) == FIRST
    assert trusted_system.after(None, kind, body) is None


def test_it_never_goes_back() -> None:
    with pytest.raises(form.Malformed, match="goes back"):
        trusted_system.after(SECOND, "run", run(FIRST))
    other = replace(SECOND, system=trusted(store_path("three")))
    with pytest.raises(form.Malformed, match="goes back"):
        trusted_system.after(SECOND, "intent", {"system": other.to_body()})


def test_only_the_newest_of_what_ran_before_are_known() -> None:
    held = FIRST
    for number in range(2, 15):
        system = trusted(store_path(str(number)))
        held = replace(in_force(system.path, number), before=held.followed_by(system))
    assert [path for path, _ in held.before] == [store_path(str(n)) for n in range(13, 5, -1)]
    again = trusted(store_path("13"))
    assert [path for path, _ in held.followed_by(again)][:2] == [store_path("14"), store_path("12")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": -1},
        {"number": True},
        {"path": ""},
        {"nar_sha256": "x"},
        {"closure_sha256": "x"},
        {"source": "elsewhere"},
        {"time": "yesterday"},
        {"time": "2026-03-02T08:00:00"},
        {"by": None},
        {"before": None},
        {"before": [{"path": ONE}]},
        {"before": [{"path": ONE, "nar_sha256": "a" * 64}] * 9},
        {"extra": 1},
    ],
)
def test_what_does_not_read_is_damage(wrong) -> None:
    with pytest.raises(form.Malformed):
        trusted_system.read(FIRST.to_body() | wrong)
    with pytest.raises(form.Malformed):
        trusted_system.read({n: v for n, v in FIRST.to_body().items() if n != "release"})

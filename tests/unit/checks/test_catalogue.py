"""What every check owes: a subject, a place, typed fields, recorded answers, and no surprises."""

from collections import Counter
from importlib import import_module
from importlib.metadata import EntryPoint

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.checks import catalogue
from reconciler.checks.catalogue import file_name, load
from reconciler.errors import InputError, Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable
from reconciler.model.parameter import bind
from reconciler.model.values import Value, fits
from tests.support.hostile import hostile_answers
from tests.support.vectors import Vector, all_vectors, bound_params, run

CHECKS = load()
VECTORS = all_vectors()
SEEN = [vector for vector in VECTORS if "values" in vector.expected]
LARGEST_EXACT_INTEGER = 2**53 - 1


def module_of(check: Check) -> str:
    return check.parse.__module__


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_check_lies_in_the_file_that_its_id_names(check: Check) -> None:
    assert module_of(check).rpartition(".")[2] == file_name(check.id)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_check_says_what_it_is_about_and_where_that_comes_from(check: Check) -> None:
    doc = import_module(module_of(check)).__doc__
    assert doc is not None
    assert len(doc) > 80, "the subject, why it matters, and the source"
    assert check.title
    assert not check.title.endswith(".")
    assert check.source
    assert check.platforms
    assert all(field.doc.endswith(".") for field in check.fields.values())
    assert all(parameter.doc.endswith(".") for parameter in check.params.values())


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_check_reports_at_least_one_field_by_a_plain_name(check: Check) -> None:
    assert check.fields
    assert all(name.isidentifier() and name == name.lower() for name in check.fields)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_check_has_recorded_answers_good_and_bad(check: Check) -> None:
    mine = [vector for vector in VECTORS if vector.check == check.id]
    kinds = Counter(next(iter(vector.expected)) for vector in mine)
    assert len(mine) >= 3
    assert kinds["values"] >= 2, "one where all is well, one where it is not"
    assert kinds["unobservable"] >= 1, "one where nothing can be known"
    assert len({str(v.expected) for v in mine if "values" in v.expected}) >= 2


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_defaults_of_parameters_are_allowed_values(check: Check) -> None:
    optional = {name: p for name, p in check.params.items() if not p.required}
    _, problems = bind(optional, {})
    assert problems == []


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_check_asks_something_and_nothing_twice(vector: Vector) -> None:
    check = CHECKS[vector.check]
    probes = check.probes(bound_params(check, vector.params))
    assert len(probes) == len(set(probes)) > 0


@pytest.mark.parametrize("vector", SEEN, ids=str)
def test_what_is_seen_has_every_declared_field_in_its_declared_kind(vector: Vector) -> None:
    values = run(CHECKS[vector.check], vector)
    assert not isinstance(values, NotApplicable)
    assert problems_of(CHECKS[vector.check], values) == []


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_silence_is_never_an_observation(check: Check) -> None:
    vector = next(vector for vector in VECTORS if vector.check == check.id)
    with pytest.raises(Unobservable):
        check.parse(bound_params(check, vector.params), Answers({}))


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_answer_makes_a_parser_crash_or_report_what_it_did_not_declare(
    check: Check, data: st.DataObject
) -> None:
    mine = [vector for vector in VECTORS if vector.check == check.id]
    vector = data.draw(st.sampled_from(mine), label="vector")
    answers = data.draw(hostile_answers(vector.answers), label="answers")
    try:
        seen = check.parse(bound_params(check, vector.params), Answers(answers))
    except Unobservable as unknown:
        str(unknown).encode("utf-8")
        return
    if isinstance(seen, NotApplicable):
        seen.reason.encode("utf-8")
    else:
        assert problems_of(check, seen) == []


def problems_of(check: Check, values: object) -> list[str]:
    """What would keep values from evidence: undeclared, missing, of another kind, not exact."""
    assert isinstance(values, dict)
    found = [f"{name}: not declared" for name in values if name not in check.fields]
    for name, field in check.fields.items():
        if name not in values:
            found.append(f"{name}: missing")
        elif values[name] is None and not field.optional:
            found.append(f"{name}: none, and not optional")
        elif values[name] is not None and not fits(values[name], field.kind):
            found.append(f"{name}: {values[name]!r} is not {field.kind}")
        elif not is_exact(values[name]):
            found.append(f"{name}: has no canonical form")
    return found


def is_exact(value: Value) -> bool:
    """Whether JSON holds the value exactly (RFC 8785): UTF-8 text, integers below 2^53."""
    if isinstance(value, tuple):
        return all(map(is_exact, value))
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return value is None or abs(value) <= LARGEST_EXACT_INTEGER


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, catalogue.ENTRY_POINT_GROUP)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    entries: list[EntryPoint] = []
    monkeypatch.setattr(catalogue, "entry_points", lambda group: entries)
    return entries


def test_the_catalogue_cannot_be_changed_and_is_sorted() -> None:
    assert list(CHECKS) == sorted(CHECKS)
    with pytest.raises(TypeError):
        CHECKS["LNX-SSH-001"] = CHECKS["LNX-SSH-002"]  # type: ignore[index]


def test_a_check_of_another_package_is_found(installed: list[EntryPoint]) -> None:
    installed.append(entry("EXT-ONE-001", "tests.support.foreign_check:CHECK"))
    assert load.__wrapped__()["EXT-ONE-001"].id == "EXT-ONE-001"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("EXT-ONE-001", "no_such_package.checks:CHECK", "cannot be loaded"),
        ("EXT-ONE-001", "tests.support.foreign_check:NOTHING", "cannot be loaded"),
        ("EXT-ONE-002", "tests.support.foreign_check:CHECK", "is not the check EXT-ONE-002"),
        ("EXT-ONE-001", "reconciler.errors:Where", "is not the check EXT-ONE-001"),
        ("LNX-SSH-001", "reconciler.checks.linux.lnx_ssh_001:CHECK", "exists already"),
    ],
)
def test_a_foreign_check_that_is_broken_stops_the_census(
    installed: list[EntryPoint], name: str, value: str, message: str
) -> None:
    installed.append(entry(name, value))
    with pytest.raises(InputError, match=message):
        load.__wrapped__()

import pytest

from reconciler.desired.problem import FleetInvalid
from reconciler.desired.strict_yaml import load
from reconciler.desired.validation import read, show, validate
from reconciler.model.exemption import PolicyException
from reconciler.model.host import Host
from reconciler.model.rule import Rule
from reconciler.model.runbook import Runbook
from tests.support.policy import base_files

BASE = base_files()
RULE = BASE["policies/rules/unit-runs.yaml"]
HOST = BASE["hosts/clinic/desk.yaml"]
RUNBOOK = BASE["runbooks/RB-UNIT-001.yaml"]
EXCEPTION = BASE["policies/exceptions/clinic/long-idle.yaml"]


def said(data: bytes, model: type, old: str, new: str) -> list[str]:
    assert old.encode() in data
    page = load(data.replace(old.encode(), new.encode()), "f.yaml")
    document, problems = read(page, model)
    assert (document is None) == bool(problems)
    return [str(problem) for problem in problems]


def test_what_fits_becomes_a_document():
    assert said(RULE, Rule, "active: true", "active: true") == []


def test_dates_are_read_from_text():
    document = validate(load(EXCEPTION, "f.yaml"), PolicyException)
    assert document.decided_on.isoformat() == "2026-01-31"


@pytest.mark.parametrize("text", ["20260131", "2026-1-31", "2026-W05-6", "2026-01-31T00:00:00"])
def test_a_date_has_one_notation(text):
    assert said(EXCEPTION, PolicyException, "decided_on: 2026-01-31", f"decided_on: '{text}'") == [
        f"f.yaml:6: decided_on: {text!r} is not a date such as 2026-01-31"
    ]


def test_every_problem_is_found_in_the_order_of_lines():
    assert said(HOST, Host, "kind: linux\nmode: enforce", "kind: linus\nmode: 1") == [
        "f.yaml:2: kind: must be 'linux' or 'nixos', not 'linus'",
        "f.yaml:3: mode: must be 'observe' or 'enforce', not 1",
    ]


def test_a_list_item_is_named_by_its_number():
    assert said(HOST, Host, "unit: nginx.service", "unit: nginx") == [
        "f.yaml:14: declares.units[1].unit: 'nginx' does not match "
        r"^[A-Za-z0-9:_.\\@-]{1,240}\.(service|socket|timer|mount|target|path)$"
    ]


def test_a_missing_field_is_placed_where_it_belongs():
    assert said(HOST, Host, "      unit: nginx.service\n", "") == [
        "f.yaml:13: declares.units[1].unit: is missing"
    ]


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("{ref: item.unit, x: 1}", ["f.yaml:6: params.unit.x: is not a known field"]),
        (
            "{ref: unit}",
            [r"f.yaml:6: params.unit.ref: 'unit' does not match ^(host|item)\.[a-z_]+$"],
        ),
        (
            "null",
            [
                "f.yaml:6: params.unit: must be a mapping or true or false or a whole number "
                "or text or a list, not null"
            ],
        ),
        (
            "[a, null]",
            ["f.yaml:6: params.unit[1]: must be true or false or a whole number or text, not null"],
        ),
    ],
)
def test_a_value_that_may_be_many_things_gets_one_answer(new, message):
    assert (
        said(RULE, Rule, "unit: {ref: item.unit}\n  accounts", f"unit: {new}\n  accounts")
        == message
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 1", "version: 0", "f.yaml:3: version: 0 is below 1"),
        ("version: 1", "version: 1\nsettle_s: 4000", "f.yaml:4: settle_s: 4000 is above 3600"),
        (
            "platforms: [linux]",
            "platforms: []",
            "f.yaml:4: platforms: must have at least 1 item(s)",
        ),
        (
            "title: Restart a unit",
            "title: ''",
            "f.yaml:2: title: must have at least 1 character(s)",
        ),
        ("title: Restart a unit", "title: [a]", "f.yaml:2: title: must be text, not a list"),
        ("mode: auto", "mode: automatic", None),
        ("    type: str", "    type: string", None),
        ("    doc: Unit to restart.", "    docs: Unit.", None),
    ],
)
def test_messages_are_in_the_words_of_the_file(old, new, message):
    problems = said(RUNBOOK, Runbook, old, new)
    assert problems
    assert all(problem.startswith("f.yaml:") for problem in problems)
    assert message is None or problems == [message]


def test_a_document_must_be_a_mapping():
    _, problems = read(load(b"- a\n", "f.yaml"), Rule)
    assert [str(problem) for problem in problems] == ["f.yaml:1: must be a mapping, not a list"]


def test_validate_raises_with_all_problems():
    with pytest.raises(FleetInvalid) as caught:
        validate(load(b"id: 1\n", "f.yaml"), Host)
    assert len(caught.value.problems) == 4


def test_values_in_messages_are_short():
    assert show("x" * 5000).endswith("...")
    assert len(show("x" * 5000)) == 60
    assert show({"secret": 1}) == "a mapping"

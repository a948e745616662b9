from typing import Any

import pytest

from reconciler.advise.candidates import MOST, candidates
from reconciler.model.parameter import bind
from tests.support.advising import UNITS, offered, timed_desired, timed_finding, timed_rule
from tests.support.advising import timed_runbook as runbook
from tests.support.desired_states import make_client, make_desired, make_host, pin


def parameter(**fields: Any) -> dict[str, Any]:
    return {"x": {"type": "str", "doc": "x", **fields}}


def values(desired: Any, **observed: Any) -> list[Any]:
    return [one.action.params["x"] for one in offered(desired, timed_finding(observed=observed))]


def test_every_value_of_an_enum_is_a_candidate_and_what_it_would_be_is_complete() -> None:
    found = offered(timed_desired(runbook()))

    assert [one.action.params["unit"] for one in found] == list(UNITS)
    for one in found:
        assert (one.action.tier, one.action.rules) == ("L2", ("time",))
        assert (one.action.runbook, one.action.runbook_digest) == ("RB-TIME-001", "a" * 64)
        assert bind(dict(one.pinned.runbook.parameters), one.action.params)[1] == []
    assert len({one.action.id for one in found}) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"fixes": ["LNX-LOG-001"]},
        {"platforms": ["nixos"]},
        {"mode": "never", "steps": [], "procedure": "Ask"},
    ],
    ids=str,
)
def test_a_runbook_that_is_not_for_it_is_never_offered(change: dict[str, Any]) -> None:
    assert offered(timed_desired(runbook(**change))) == ()


def test_a_runbook_that_is_not_approved_or_that_the_client_denies_is_never_offered() -> None:
    rule = timed_rule()
    unapproved = make_desired(rules=[rule], runbooks=[pin(runbook(), approved=False)])
    client = make_client(denied_runbooks=["RB-TIME-001"])
    denied = make_desired(rules=[rule], runbooks=[pin(runbook())], client=client)

    assert offered(unapproved) == offered(denied) == ()


def test_five_at_most_and_of_every_runbook_one_before_any_has_two() -> None:
    desired = timed_desired(*(runbook(f"RB-TIME-00{n}") for n in (1, 2, 3)))
    found, more = candidates(desired.rules[0], timed_finding(), desired)

    assert [one.action.runbook[-1] for one in found] == ["1", "2", "3", "1", "2"]
    assert (len(found), more) == (MOST, 7)


def test_millions_of_combinations_are_not_enumerated() -> None:
    enum = {"type": "int", "doc": "x", "enum": list(range(1000))}
    desired = timed_desired(runbook(parameters={f"p{n}": enum for n in range(12)}))

    assert len(offered(desired)) == MOST


@pytest.mark.parametrize(
    ("fields", "observed", "expected"),
    [
        ({}, "chrony.service", []),
        ({"pattern": "[a-z]+[.]service"}, "chrony.service", ["chrony.service"]),
        ({"pattern": "[a-z]+[.]service"}, "chrony.service; rm -rf /", []),
        ({"pattern": "[a-z]+[.]service"}, "chrony.service\n", []),
        ({"pattern": "[a-z]+[.]service"}, 7, []),
        ({"pattern": "/[a-z/]+"}, "/etc/ssh", ["/etc/ssh"]),
        ({"pattern": "/[a-z/]+"}, "/srv/gonzalez", []),
        ({"enum": ["a", "b"]}, "b", ["b", "a"]),
        ({"enum": ["a", "b"]}, "c", ["a", "b"]),
        ({"required": False, "default": "d"}, "c", ["d"]),
        ({"required": False}, "c", [None]),
        ({"type": "int"}, 7, []),
        ({"type": "int", "minimum": 1}, 7, []),
        ({"type": "int", "minimum": 1, "maximum": 9}, 7, [7]),
        ({"type": "int", "minimum": 1, "maximum": 9}, 10, []),
        ({"type": "int", "minimum": 1, "maximum": 9}, True, []),
        ({"type": "bool"}, True, [True, False]),
        ({"type": "list[str]", "pattern": "[a-z]+"}, ("a", "b"), [("a", "b")]),
        ({"type": "list[str]", "pattern": "[a-z]+"}, ("a", "B"), []),
        ({"type": "list[str]", "enum": ["a"]}, ("b",), []),
    ],
    ids=str,
)
def test_an_observed_value_counts_only_where_the_runbook_bounds_it(
    fields: dict[str, Any], observed: Any, expected: list[Any]
) -> None:
    assert values(timed_desired(runbook(parameters=parameter(**fields))), x=observed) == expected


def test_one_and_true_are_two_values() -> None:
    desired = timed_desired(runbook(parameters=parameter(type="int", enum=[1, 2])))
    assert [type(value) for value in values(desired, x=True)] == [int, int]


def test_what_the_rule_is_bound_to_comes_first_even_without_a_pattern() -> None:
    desired = make_desired(
        rules=[timed_rule(params={"x": "declared"})],
        runbooks=[pin(runbook(parameters=parameter(required=False, default="else")))],
    )
    assert values(desired, x="observed") == ["declared", "else"]


def test_what_the_host_declares_of_the_same_item_is_a_source_and_of_another_is_not() -> None:
    one = {"name": "portal", "path": "/etc/a.pem", "key": "/etc/a.key", "renew_unit": "a.service"}
    other = {"name": "mail", "path": "/etc/b.pem", "key": "/etc/b.key", "renew_unit": "b.service"}
    host = make_host(declares={"certificates": [one, other], "open_ports": ["tcp/22"]})
    free = {"type": "str", "doc": "x"}
    ports = {"type": "list[str]", "doc": "x"}
    taken = {"path": free, "key": free, "renew_unit": free, "open_ports": ports}
    desired = make_desired(
        rules=[timed_rule(params={"path": "/etc/b.pem"})],
        runbooks=[pin(runbook(parameters=taken))],
        host=host,
    )

    (found,) = offered(desired)
    assert found.action.params == {
        "path": "/etc/b.pem",
        "key": "/etc/b.key",
        "renew_unit": "b.service",
        "open_ports": ("tcp/22",),
    }


def test_a_value_that_nobody_could_sign_is_no_candidate() -> None:
    fields = {"type": "int", "minimum": 0, "maximum": 2**60}
    assert values(timed_desired(runbook(parameters=parameter(**fields))), x=2**55) == []

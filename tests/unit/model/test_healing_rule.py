"""What a healing rule may be: narrow where it was learned, compared with values alone."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.healing import make_healing

LEARNED: dict[str, Any] = {"source": "promoted", "evidence": ["clinic/desk@7:sha256:" + "a" * 64]}


@pytest.mark.parametrize(
    "narrow",
    [
        {"rules": ["time"]},
        {"roles": ["server"]},
        {"tags": ["old"]},
        {"severity": ["low"]},
        {"where": {"observed.active": False}},
    ],
)
def test_a_learned_rule_needs_one_condition_of_any_kind(narrow: dict[str, Any]) -> None:
    assert make_healing(**LEARNED, **narrow).match.narrows


def test_a_learned_rule_without_conditions_or_evidence_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs a condition beside its check"):
        make_healing(**LEARNED)
    with pytest.raises(ValidationError, match="names the evidence"):
        make_healing(source="promoted", tags=["old"])


def test_a_person_may_write_a_rule_about_a_whole_check() -> None:
    assert not make_healing().match.narrows


@pytest.mark.parametrize(
    "wanted",
    [{"equals": {"ref": "host.id"}}, {"not": {"any": [1, {"one_of": {"ref": "host.accounts"}}]}}],
)
def test_facts_are_not_compared_with_what_a_host_declares(wanted: Any) -> None:
    with pytest.raises(ValidationError, match="is compared with values"):
        make_healing(where={"observed.x": wanted})


@pytest.mark.parametrize("name", ["observed", "observed.", "observed.X", "host.id", "observed.a.b"])
def test_a_fact_has_a_source_and_one_name(name: str) -> None:
    with pytest.raises(ValidationError):
        make_healing(where={name: 1})
    with pytest.raises(ValidationError):
        make_healing(params={"unit": {"ref": name}})

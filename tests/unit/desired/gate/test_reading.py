"""One revision, read as an appliance reads it; and the approval that it asks for."""

from datetime import date

import pytest

from reconciler.desired import strict_yaml
from reconciler.desired.gate.approval_file import approval_file
from reconciler.desired.gate.reading import POLICY, refused
from reconciler.desired.refusal import Reason, refuse
from reconciler.desired.validation import validate
from reconciler.errors import InputError
from reconciler.model.approval import Approval
from tests.support import gated
from tests.support.gated import edited, reading

APPROVE = edited(gated.RUNBOOK, "mode: auto", "mode: approve")
LAB = gated.text(gated.DESK).replace("id: desk", "id: lab")
REASON = "It is: right # really"
OTHER_CLIENT = gated.text(gated.CLIENT).replace("id: clinic", "id: other")


def approve(
    changes: gated.Texts, *hosts: str, approver: str = "alice", reason: str = REASON
) -> tuple[str, Approval]:
    path, text = approval_file(
        reading(changes),
        hosts,
        plan="a" * 64,
        approver=approver,
        reason=reason,
        today=date(2026, 6, 1),
    )
    return path, validate(strict_yaml.load(text.encode(), path), Approval)


def test_a_revision_without_errors_has_a_plan_for_each_host() -> None:
    found = reading({"hosts/clinic/lab.yaml": LAB})
    assert found.whole
    assert sorted(found.plans) == sorted(found.states) == ["clinic/desk", "clinic/lab"]
    assert found.plans["clinic/lab"]["target"] == "clinic/lab"


def test_a_revision_with_an_error_has_no_plan_at_all() -> None:
    found = reading(edited(gated.ROOT_LOGIN, "tries:", "attempts:"))
    assert not found.whole
    assert (found.states, found.plans) == ({}, {})


def test_a_trust_policy_that_cannot_be_read_is_an_error_of_the_revision() -> None:
    found = reading(trust="format: 2\n")
    assert not found.whole
    assert {r.where.file for r in found.remarks if r.severity == "error"} == {POLICY}
    assert found.plans == {}


def test_a_number_without_a_canonical_form_is_an_error_and_no_crash() -> None:
    found = reading(edited(gated.ROOT_LOGIN, "at_most: 4", "at_most: 9007199254740993"))
    assert not found.whole


def test_a_tree_that_is_refused_is_told_in_the_words_of_the_refusal() -> None:
    found = refused(refuse(Reason.TREE_REFUSED, "1" * 40, "is refused: x is a symbolic link"))
    [remark] = found.remarks
    assert "a symbolic link" in remark.message
    assert remark.hint
    assert not found.whole


def test_an_approval_names_plans_and_runbooks_and_ends_after_a_month() -> None:
    path, found = approve(APPROVE, "clinic/desk")
    state = reading(APPROVE).states["clinic/desk"]
    assert path == f"approvals/clinic/{found.id}.yaml"
    assert found.hosts == {"desk": f"sha256:{state.plan_digest}"}
    assert found.runbooks == {"RB-UNIT-001": f"sha256:{state.runbooks['RB-UNIT-001'].digest}"}
    assert (found.issued_on, found.expires) == (date(2026, 6, 1), date(2026, 7, 1))
    assert found.reason == REASON


def test_hosts_that_ask_for_nobody_are_left_out() -> None:
    observed = LAB.replace("mode: enforce", "mode: observe")
    _path, found = approve(
        {**APPROVE, "hosts/clinic/lab.yaml": observed}, "clinic/desk", "clinic/lab"
    )
    assert list(found.hosts) == ["desk"]
    with pytest.raises(InputError, match="nothing here asks"):
        approve({**APPROVE, "hosts/clinic/lab.yaml": observed}, "clinic/lab")


def test_an_approval_is_of_one_client() -> None:
    two = {
        **APPROVE,
        "hosts/other/client.yaml": OTHER_CLIENT,
        "hosts/other/desk.yaml": gated.text(gated.DESK),
    }
    with pytest.raises(InputError, match="hosts of 2 clients"):
        approve(two, "clinic/desk", "other/desk")
    assert approve(two, "other/desk")[0].startswith("approvals/other/")


@pytest.mark.parametrize("reason", ['a"b\nhosts: {}', "'x': y", "# x", "é \u4e16", "- a", "no"])
def test_words_of_a_person_stay_words(reason: str) -> None:
    _path, found = approve(APPROVE, "clinic/desk", reason=reason)
    assert found.reason == reason
    assert list(found.hosts) == ["desk"]


def test_a_name_that_is_no_principal_is_refused() -> None:
    with pytest.raises(InputError):
        approve(APPROVE, "clinic/desk", approver="a b")

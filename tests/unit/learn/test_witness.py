"""What counts as a success, as a failure, and as neither."""

from datetime import timedelta

import pytest

from reconciler.learn.trial import Trial
from reconciler.learn.witness import trials_of
from tests.support.learning import YES, Host


def only(host: Host) -> Trial:
    (trial,) = trials_of(host.records)
    return trial


def test_healed_and_held_through_its_soak_is_a_success_shown_by_the_outcome() -> None:
    host = Host()
    host.heal()
    trial = only(host)
    assert (trial.ending, trial.chooser, trial.target) == ("success", "model", "clinic/frontdesk")
    outcome = host.records[1]
    assert trial.reference == f"clinic/frontdesk@1:sha256:{outcome.digest}"
    assert trial.choice.params == b'{"unit":"portal.service"}'


def test_healed_and_still_soaking_is_neither() -> None:
    host = Host()
    host.heal(soak=None)
    assert only(host).ending == "open"


@pytest.mark.parametrize("to", ["confirmed", "escalated"])
def test_recurrence_in_the_soak_is_a_failure(to: str) -> None:
    host = Host()
    host.heal(soak=to)
    assert only(host).ending == "failure"


def test_fix_that_came_undone_failed_though_the_next_one_of_the_same_incident_holds() -> None:
    host = Host()
    host.heal(soak=None, later=timedelta(0))
    host.occurrence = 0  # The incident keeps its id.
    host.heal(back=("soak", "confirmed"))
    assert [trial.ending for trial in trials_of(host.records)] == ["failure", "success"]


@pytest.mark.parametrize("result", ["failed", "rolled_back", "interrupted"])
def test_what_did_not_heal_is_a_failure(result: str) -> None:
    host = Host()
    host.heal(result=result)
    assert only(host).ending == "failure"


@pytest.mark.parametrize("result", ["denied", "deferred", "not_applicable"])
def test_what_was_not_begun_is_no_trial(result: str) -> None:
    host = Host()
    host.heal(result=result)
    assert trials_of(host.records) == ()


def test_four_rules_of_one_check_are_one_trial_and_one_that_recurs_fails_it() -> None:
    rules = ("units-running[a]", "units-running[b]")
    host = Host()
    host.heal(rules=rules)
    assert only(host).ending == "success"
    assert len(only(host).seen) == 2
    host = Host()
    host.heal(rules=rules, soak=None)
    held = {"id": "units-running[a]-1", "from": "soak", "to": "closed", "reason": "held"}
    closed = {"incidents": [held]}
    again = {"incidents": [{"id": "units-running[b]-1", "from": "soak", "to": "confirmed"}]}
    for body in (closed, again):
        host.append(host.records[-1].entry.kind.RUN, body)
    assert only(host).ending == "failure"


@pytest.mark.parametrize(
    ("guard", "ruling", "reason", "chooser"),
    [
        ("approval", "allow", YES, "person"),
        ("approval", "deny", YES, "rule"),
        ("mode", "allow", YES, "rule"),
        ("approval", "allow", "", "rule"),
    ],
)
def test_only_an_approval_that_names_its_file_makes_a_rule_a_persons_choice(
    guard: str, ruling: str, reason: str, chooser: str
) -> None:
    host = Host()
    host.heal(tier="L1", verdicts=({"guard": guard, "ruling": ruling, "reason": reason},))
    assert only(host).chooser == chooser


def test_ledger_without_incidents_proves_no_success() -> None:
    host = Host()
    host.heal()
    for record in host.records:
        record.entry.body.pop("incidents", None)  # type: ignore[attr-defined]
    assert only(host).ending == "open"


def test_value_that_evidence_withholds_is_not_learned_from() -> None:
    host = Host()
    host.heal(observed={"active_state": "inactive", "said": "no such [withheld: name]"})
    assert dict(only(host).seen[0].failed) == {"active_state": "inactive"}


@pytest.mark.parametrize("reason", ["excepted", "not-applicable", "rule-removed"])
def test_a_soak_that_ended_for_another_reason_proves_nothing(reason: str) -> None:
    host = Host()
    host.heal(soak=None)
    (trial,) = trials_of(host.records)
    moved = next(
        move["id"]
        for record in host.records
        for move in record.entry.body.get("incidents", ())
        if move["to"] == "soak"
    )
    move = {"id": moved, "from": "soak", "to": "closed", "reason": reason}
    host.append(host.records[-1].entry.kind.RUN, {"incidents": [move]})
    assert (trial.ending, only(host).ending) == ("open", "open")

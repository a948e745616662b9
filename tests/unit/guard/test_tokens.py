"""Only so many actions begin: on a host, for a client, and few that people notice at a site."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.evidence.bodies import verdict_body
from reconciler.guard import bucket, tokens
from reconciler.guard.charge import Charge
from reconciler.guard.charging import charge
from reconciler.guard.memory import fold
from reconciler.guard.memory_form import Malformed
from reconciler.model.approval import Approval
from reconciler.model.desired import PinnedApproval
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.own_words import own_words
from tests.support.desired_states import (
    frozen,
    make_action,
    make_desired,
    make_host,
    make_runbook,
    pin,
)
from tests.support.guarding import NOW, Story, intent_body, make_context, numbers

HOST, CLIENT, SITE = "host:clinic/frontdesk", "client:clinic", "site:clinic/north"
PLAN, FILE = "1" * 64, "f" * 64


def said(story: Story) -> tuple[str, int | None]:
    verdict = story.ask(tokens.GUARD)
    return verdict.ruling, verdict.retry_after_s


def disruptive(**changes: Any) -> Story:
    runbook = pin(make_runbook(disruptive=True))
    return Story(make_desired(runbooks=[runbook], host=make_host(site="north"), **changes))


def approval(**changes: Any) -> PinnedApproval:
    document = {
        "id": "first",
        "approver": "alice@msp.example",
        "hosts": {"frontdesk": f"sha256:{PLAN}"},
        "runbooks": {"RB-TIME-001": f"sha256:{'a' * 64}"},
        "onboarding": True,
        "reason": "A new host.",
        "issued_on": NOW.date().isoformat(),
        "expires": (NOW.date() + timedelta(days=7)).isoformat(),
    }
    return PinnedApproval(Approval.model_validate(frozen(document | changes)), FILE)


def onboarding(**changes: Any) -> Story:
    return Story(make_desired(approvals=(approval(**changes),), plan_digest=PLAN))


def test_a_host_begins_three_and_then_one_in_fifteen_minutes() -> None:
    story = Story().begin().begin()
    assert said(story) == ("allow", None)
    assert said(story.begin()) == ("defer", 900)
    assert said(story.wait(899.5)) == ("defer", 1)
    assert said(story.wait(0.5)) == ("allow", None)
    assert said(story.begin()) == ("defer", 900)


def test_it_says_whose_token_is_missing() -> None:
    story = Story().begin().begin().begin()
    verdict = story.ask(tokens.GUARD)
    assert verdict.reason == (
        "no token is left for host clinic/frontdesk: 3 at once, then one in 900 s"
    )
    assert verdict_body(verdict, own_words(story.desired))["reason"] == verdict.reason


def test_a_full_bucket_is_no_fuller_after_a_year() -> None:
    story = Story().wait(365 * 86_400).begin().begin().begin()
    assert said(story)[0] == "defer"


def test_other_hosts_of_the_client_take_from_the_clients_bucket_only() -> None:
    story = Story()
    for number in range(10):
        other = make_desired(host=make_host(id=f"host{number}"))
        action = make_action(target=f"clinic/host{number}", id=f"{number:064x}")
        body = intent_body(action, make_context(desired=other, memory=story.memory))
        story.memory = fold(story.memory, "intent", body, NOW)
    assert said(story) == ("defer", 360)
    assert "for client clinic: 10 at once, then one in 360 s" in story.ask(tokens.GUARD).reason
    assert HOST not in story.memory.tokens


def test_the_longest_wait_decides() -> None:
    story = Story(numbers(tokens={"host": 1, "host_refill_s": 10, "client": 1})).begin()
    assert said(story) == ("defer", 360)


def test_what_people_notice_begins_once_an_hour_in_a_site() -> None:
    story = disruptive().begin()
    assert said(story) == ("defer", 3600)
    assert "people at clinic/north" in story.ask(tokens.GUARD).reason
    assert set(story.memory.tokens) == {HOST, CLIENT, SITE}
    quiet = Story(make_desired(host=make_host(site="north")))
    quiet.memory = story.memory
    assert said(quiet) == ("allow", None)


def test_an_approved_plan_spends_one_token_of_the_host() -> None:
    story = onboarding()
    for number in range(25):
        story.action = make_action(id=f"{number:064x}")
        assert said(story) == ("allow", None)
        story.act("healed")
    assert story.memory.onboarding == {FILE: NOW}
    assert bucket.whole(story.memory.tokens[HOST], 3, 900, NOW) == 2
    assert bucket.whole(story.memory.tokens[CLIENT], 10, 360, NOW) == 9


@pytest.mark.parametrize(
    "changes",
    [
        {"onboarding": False},
        {"hosts": {"frontdesk": f"sha256:{'2' * 64}"}},
        {"runbooks": {"RB-TIME-001": f"sha256:{'b' * 64}"}},
        {"issued_on": "2026-02-01", "expires": "2026-03-01"},
    ],
    ids=["no onboarding", "another plan", "another runbook", "over"],
)
def test_an_approval_that_does_not_cover_it_spares_nothing(changes: dict[str, Any]) -> None:
    story = onboarding(**changes).act("healed").act("healed").act("healed")
    assert said(story)[0] == "defer"
    assert story.memory.onboarding == {}


def test_the_first_action_of_a_plan_needs_its_token() -> None:
    story = Story().begin().begin().begin()
    later = onboarding()
    later.memory = story.memory
    assert said(later) == ("defer", 900)


def test_a_plan_spares_nobody_what_people_notice() -> None:
    story = disruptive(approvals=(approval(),), plan_digest=PLAN).begin()
    assert said(story) == ("defer", 3600)


def test_judging_takes_nothing() -> None:
    story = Story()
    before = story.memory.to_body()
    for _number in range(10):
        assert said(story) == ("allow", None)
    assert story.memory.to_body() == before


def test_a_bucket_that_is_full_again_is_forgotten() -> None:
    story = Story().begin().wait(3600).begin()
    assert story.memory.tokens[HOST].full_at == NOW + timedelta(seconds=3600 + 900)
    assert len(story.memory.tokens) == 2


def test_a_clock_that_went_back_frees_nothing() -> None:
    story = Story().begin().begin().begin().wait(-365 * 86_400)
    assert said(story) == ("defer", 900)
    at = story.begin().memory.tokens[HOST].at
    assert at == NOW, "and nothing is charged in the past"


def test_no_memory_is_cooling_down() -> None:
    verdict = tokens.judge(make_action(), make_context(memory=None))
    assert (verdict.ruling, verdict.retry_after_s) == ("defer", 6 * 3600)


def test_an_intent_of_an_older_version_took_what_it_takes_today() -> None:
    story = Story()
    story.memory = fold(story.memory, "intent", intent_body(), NOW)
    assert story.memory == Story().begin().memory


def test_a_charge_reads_as_it_was_written() -> None:
    story = disruptive(
        approvals=(approval(),), plan_digest=PLAN, guards=GuardSettings.model_validate({})
    )
    spent = charge(story.action, story.context)
    assert Charge.from_body(spent.to_body(), "clinic/frontdesk") == spent
    assert (spent.onboarding, spent.site, spent.trips) == (FILE, "clinic/north", 0)


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"site": ""},
        {"roles": "x"},
        {"refill_s": {HOST: -1}},
        {"refill_s": {"": 1}},
        {"onboarding": "x"},
        {"trips": True},
    ],
)
def test_a_garbled_charge_is_damage(change: dict[str, Any]) -> None:
    body = charge(make_action(), make_context()).to_body()
    with pytest.raises(Malformed):
        Charge.from_body(body | change, "clinic/frontdesk")

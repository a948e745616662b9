"""One action at a time on a host, two in a site, never two domain controllers."""

from typing import Any

import pytest

from reconciler.evidence.bodies import verdict_body
from reconciler.guard import mutex
from reconciler.guard.memory import fold
from reconciler.model.own_words import own_words
from reconciler.model.verdict import Verdict
from tests.support.desired_states import make_action, make_desired, make_host
from tests.support.guarding import NOW, Story, intent_body, make_context, numbers

DC = ("domain-controller",)


def elsewhere(story: Story, host: str, **changes: Any) -> Story:
    """Another host of the client, with an action that has no outcome yet."""
    desired = make_desired(host=make_host(id=host, **changes))
    action = make_action(target=f"clinic/{host}", id=host.encode().hex().rjust(64, "0"))
    body = intent_body(action, make_context(desired=desired))
    story.memory = fold(story.memory, "intent", body, NOW)
    return story


def at(**host: Any) -> Story:
    return Story(make_desired(host=make_host(**host)))


def said(story: Story) -> Verdict:
    return story.ask(mutex.GUARD)


def test_a_host_does_one_thing_at_a_time() -> None:
    story = Story()
    assert said(story) == Verdict("allow", "mutex")
    story.begin()
    verdict = story.ask(mutex.GUARD, make_action(id="0" * 64))
    assert verdict == Verdict(
        "defer", "mutex", "RB-TIME-001 has begun on this host and has no outcome yet"
    )
    assert verdict_body(verdict, own_words(story.desired))["reason"] == verdict.reason
    assert said(story.end("failed")).ruling == "allow"


def test_no_time_ends_it() -> None:
    verdict = said(Story().begin().wait(365 * 86_400))
    assert (verdict.ruling, verdict.retry_after_s) == ("defer", None)


def test_two_in_a_site() -> None:
    story = elsewhere(at(site="north"), "a", site="north")
    assert said(story).ruling == "allow"
    verdict = said(elsewhere(story, "b", site="north"))
    assert verdict.ruling == "defer"
    assert verdict.reason == "2 actions run in clinic/north, at most 2 may"
    assert said(elsewhere(elsewhere(at(site="south"), "a", site="north"), "b")).ruling == "allow"


def test_hosts_that_name_no_site_stand_in_the_only_one() -> None:
    story = elsewhere(elsewhere(Story(), "a"), "b")
    assert said(story).reason == "2 actions run in clinic, at most 2 may"
    story.desired = numbers(per_site=3)
    assert said(story).ruling == "allow"


def test_never_two_domain_controllers_wherever_they_stand() -> None:
    story = elsewhere(at(site="north", roles=DC), "dc2", site="south", roles=DC)
    verdict = said(story)
    assert verdict.ruling == "defer"
    assert verdict.reason == "RB-TIME-001 runs on clinic/dc2, a domain-controller as this host is"


@pytest.mark.parametrize(("mine", "theirs"), [(DC, ()), ((), DC), (("file-server",), DC)])
def test_one_of_them_is_enough_to_go_on(mine: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    assert said(elsewhere(at(roles=mine), "a", roles=theirs)).ruling == "allow"


def test_no_memory_is_cooling_down() -> None:
    assert mutex.judge(make_action(), make_context(memory=None)).ruling == "defer"

from reconciler.model.own_words import own_words
from reconciler.model.scrub import scrub
from tests.support.desired_states import make_client, make_desired, make_rule, make_runbook, pin


def test_ids_and_parameters_are_names() -> None:
    rules = (
        make_rule("zq-share[xy]", params={"path": "/srv/zq", "items": ("zq-one", 7), "limit": 3}),
    )
    own = own_words(make_desired(rules=rules), ["ssh://git@zq.example/fleet"])

    assert {"zq-share[xy]", "zq-share", "/srv/zq", "zq-one", "clinic", "frontdesk"} <= own.names
    assert "" not in own.names
    said = "not healed: zq-share[xy] is fail; /srv/zq: no such file (ssh://git@zq.example/fleet)"
    assert scrub(said, own) == said


def test_what_people_wrote_are_words_and_no_names() -> None:
    client = make_client(kill_switch={"engaged": True, "reason": "Zorro moves to Quux street"})
    own = own_words(make_desired(client=client))

    said = "kill switch engaged (client: Zorro moves to Quux street)"
    assert scrub(said, own) == said
    assert own.names.isdisjoint({"Zorro", "Quux"})


def test_runbooks_bring_their_steps_and_conditions() -> None:
    runbook = make_runbook()
    own = own_words(make_desired(runbooks=[pin(runbook)]))

    assert runbook.id in own.names
    assert {step.id for step in runbook.steps} <= own.names


def test_without_a_desired_state_only_the_settings_count() -> None:
    assert own_words(None, ["/srv/fleet.git"]).names == {"/srv/fleet.git"}
    assert own_words(None).words == frozenset()

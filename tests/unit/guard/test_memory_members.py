"""What was added to memory: read strictly, and empty where an older version wrote nothing."""

import json
from typing import Any

import pytest

from reconciler.errors import LedgerDamaged
from reconciler.evidence import canonical
from reconciler.guard.memory import FORGET, Memory, fold
from tests.support.desired_states import make_action
from tests.support.guarding import ACTION, NOW, Story, intent_body, transition

SINCE = {"flaps", "breakers", "tokens", "onboarding", "active", "quarantined", "advice"}


def full() -> Memory:
    """One of everything."""
    story = Story().act("healed").wait(60).act("failed").wait(60).act("healed").begin()
    story.begin(make_action(id="0" * 64))
    return story.tell(transition("quarantined")).memory


BODY = full().to_body()
FLAP = BODY["flaps"]["time"]
RUNS = BODY["breakers"]["clinic|RB-TIME-001"]
TOKEN = BODY["tokens"]["client:clinic"]
ACTIVE = BODY["active"][ACTION]
CLOSED = next(iter(BODY["quarantined"].values()))


def test_memory_survives_evidence_byte_for_byte() -> None:
    read = json.loads(canonical.encode(BODY))
    assert Memory.from_body(read) == full()
    assert all(BODY[name] for name in SINCE - {"onboarding"})


def test_what_an_older_version_wrote_reads_as_nothing_more() -> None:
    older = {name: value for name, value in BODY.items() if name not in SINCE}
    read = Memory.from_body(older)
    assert read.attempts == full().attempts
    empty = Memory.empty().to_body()
    assert {name: read.to_body()[name] for name in SINCE} == {name: empty[name] for name in SINCE}


@pytest.mark.parametrize("name", sorted(SINCE))
def test_one_that_is_missing_alone_is_damage(name: str) -> None:
    with pytest.raises(LedgerDamaged, match="garbled"):
        Memory.from_body({key: value for key, value in BODY.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flaps", []),
        ("flaps", {"": FLAP}),
        ("flaps", {"time": FLAP | {"held": 1}}),
        ("flaps", {"time": FLAP | {"recurred": {}}}),
        ("flaps", {"time": FLAP | {"recurred": [-1]}}),
        ("flaps", {"time": FLAP | {"score": 1000}}),
        ("breakers", {"x": {}}),
        ("breakers", {"x": []}),
        ("breakers", {"x": [RUNS[0] | {"bad": "no"}]}),
        ("breakers", {"x": [RUNS[0] | {"trips": -1}]}),
        ("breakers", {"x": [RUNS[0] | {"at": 1.5}]}),
        ("tokens", {"x": TOKEN | {"at": None}}),
        ("tokens", {"x": {"at": TOKEN["at"]}}),
        ("onboarding", {"short": TOKEN["at"]}),
        ("onboarding", {ACTION: None}),
        ("active", {"short": ACTIVE}),
        ("active", {ACTION: ACTIVE | {"roles": ["", "x"]}}),
        ("active", {ACTION: ACTIVE | {"site": 1}}),
        ("quarantined", {"": CLOSED}),
        ("quarantined", {"x": CLOSED | {"fingerprint": "short"}}),
        ("advice", {}),
    ],
)
def test_garbled_members_are_damage_never_a_fresh_start(name: str, value: object) -> None:
    with pytest.raises(LedgerDamaged, match="garbled"):
        Memory.from_body(BODY | {name: value})


ENTRIES = [
    ("intent", {"action": {"id": ACTION}}),
    ("intent", intent_body() | {"charge": {}}),
    ("intent", {"action": intent_body()["action"] | {"target": None}}),
    ("intent", {"action": intent_body()["action"] | {"rules": "time"}}),
    ("outcome", {"action": ACTION, "result": "healed"}),
    ("run", {"intent": {}, "not_done": [{"guard": "flap"}]}),
    ("run", {"intent": {}, "incidents": {}}),
    ("ticket", {"incidents": [{"id": "x"}]}),
    ("run", {"intent": {}, "incidents": [transition("soak", recurred=1)]}),
    ("run", {"intent": {}, "incidents": [transition("soak", fingerprint="x")]}),
    ("advice", {}),
]


@pytest.mark.parametrize(("kind", "body"), ENTRIES)
def test_an_entry_that_does_not_say_what_it_must_is_damage(kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(LedgerDamaged, match=f"entry {kind} is garbled"):
        fold(full(), kind, body, NOW)


@pytest.mark.parametrize("kind", ["intent", "outcome", "run", "ticket"])
def test_every_kind_that_may_carry_transitions_is_heard(kind: str) -> None:
    story = Story().begin()
    bodies = {
        "intent": intent_body(make_action(id="0" * 64)),
        "outcome": {"action": ACTION, "result": "failed", "rules": ["time"]},
        "run": {"intent": {}},
        "ticket": {},
    }
    body = bodies[kind] | {"incidents": [transition("quarantined")]}
    assert fold(story.memory, kind, body, NOW).quarantined


def test_what_is_long_over_is_forgotten() -> None:
    story = Story().act("healed").wait(FORGET.total_seconds())
    story.begin(make_action(id="0" * 64, rules=("other",), runbook="RB-DNS-001"))
    other = make_action(id="0" * 64, rules=("other",), runbook="RB-DNS-001")
    memory = story.end("healed", other).memory
    assert set(memory.flaps) == {"other"}
    assert set(memory.breakers) == {"clinic|RB-DNS-001"}
    assert ACTION not in memory.attempts


def test_memory_does_not_grow_with_history() -> None:
    story = Story()
    for _number in range(200):
        story.act("healed").wait(300)
    size = len(canonical.encode(story.memory.to_body()))
    for _number in range(200):
        story.act("healed").wait(300)
    assert len(canonical.encode(story.memory.to_body())) <= size
    assert size < 6000

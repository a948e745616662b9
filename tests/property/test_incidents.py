"""Whatever is seen, said and done, in any order and with crashes: incidents go along NEXT only."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.incident import ends, look, verdicts
from reconciler.incident.fingerprint import Sighting
from reconciler.incident.register import Register, fold
from reconciler.incident.story import Story
from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.incident import ENDED, NEXT
from reconciler.model.outcome import Outcome
from reconciler.model.verdict import Verdict
from reconciler.report.incident_words import REASONS
from tests.support.desired_states import TARGET, make_action, make_finding
from tests.support.incidents import AT_REST, FAULTS, RULES, make_sighting

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GUARDS = ("kill_switch", "mode", "approval", "flap", "cooldown", "tokens", "allow_list", "stop")
NUMBERS = GuardSettings()

rules = st.sampled_from(RULES)
some_rules = st.lists(rules, min_size=1, unique=True)
seen = st.builds(
    make_sighting,
    rule=rules,
    status=st.sampled_from(("fail", "fail", "fail", "pass", "unknown", "excepted")),
    fault=st.sampled_from(FAULTS),
    critical=st.booleans(),
)
looks = st.tuples(st.just("look"), st.lists(seen, max_size=4, unique_by=lambda s: s.rule))
denials = st.tuples(
    st.just("deny"),
    some_rules,
    st.sampled_from(("defer", "deny")),
    st.sampled_from(GUARDS),
    st.booleans(),
)
acts = st.tuples(
    st.just("act"),
    some_rules,
    st.sampled_from(("healed", "failed", "rolled_back", "interrupted", "denied")),
    st.sampled_from(("none", "unverified")),
    st.booleans(),
)
left = st.tuples(st.just("leave"), rules, st.sampled_from(("observe", "no-remedy", "conflict")))
others = st.sampled_from((("drop",), ("acknowledge",), ("crash",)))
events = st.tuples(
    st.one_of(looks, looks, looks, denials, acts, left, others),
    st.sampled_from((0, 1, 300, 3600, 86_400, 8 * 86_400)),
)


class World:
    """A ledger in a list: what is in no entry when a crash comes is gone."""

    def __init__(self) -> None:
        self.at = START
        self.entries: list[dict[str, object]] = []
        self.story = Story(Register(target=TARGET))

    def write(self, kind: str = "run") -> None:
        body: dict[str, object] = {
            "kind": kind,
            "incidents": [move.to_body() for move in self.story.moves],
        }
        self.story.moves.clear()
        self.entries.append(body)

    def recall(self) -> Register:
        register = Register(target=TARGET)
        for body in self.entries:
            register = fold(register, str(body["kind"]), body)
        return register

    def crash(self) -> None:
        self.story = Story(self.recall())

    def look(self, sightings: list[Sighting]) -> None:
        look.look(self.story, sightings, NUMBERS, self.at)

    def deny(self, on: list[str], ruling: str, guard: str, never: bool) -> None:
        verdict = Verdict(ruling, guard, "x", 60 if ruling == "defer" else None)  # type: ignore[arg-type]
        action = make_action(on)
        verdicts.turned_away(self.story, action, [verdict], NUMBERS, self.at, never=never)

    def act(self, on: list[str], result: str, rollback: str, blind: bool) -> None:
        ready = [r for r in on if (i := self.story.of(r)) and i.state in verdicts.READY]
        verdicts.admitted(self.story, make_action(ready), self.at)
        self.write("intent")
        if result == "interrupted":
            self.crash()
        after = {} if blind else {rule: make_finding(rule, "pass") for rule in ready}
        outcome = Outcome(
            action="f" * 64,
            runbook="RB-TIME-001",
            rules=tuple(ready),
            result=result,  # type: ignore[arg-type]
            reason="",
            steps=(),
            undone=(),
            rollback=rollback,  # type: ignore[arg-type]
            after=after,
            intent=1,
        )
        ends.ended(self.story, outcome, (), 300, NUMBERS, self.at)
        self.write("outcome")

    def leave(self, rule: str, reason: str) -> None:
        verdicts.left_over(self.story, rule, reason, self.at)

    def drop(self) -> None:
        look.drop(self.story, RULES[:1], self.at)

    def acknowledge(self) -> None:
        taken = [
            Acknowledgement(
                id="a",
                incident=one.fingerprint,
                by="ann",
                until=date(2027, 1, 1),
                looked_at=self.at,
            )
            for one in self.story.register.open.values()
        ]
        look.acknowledge(self.story, taken, self.at.date(), self.at)

    def do(self, event: tuple[object, ...]) -> None:
        name, *arguments = event
        method: Callable[..., None] = getattr(self, str(name))
        method(*arguments)


def steps_of(world: World) -> list[dict[str, object]]:
    return [step for body in world.entries for step in body["incidents"]]  # type: ignore[attr-defined]


@settings(max_examples=150, deadline=None)
@given(st.lists(events, max_size=30))
def test_any_history_goes_along_next_and_every_incident_is_in_one_explained_state(
    history: list[tuple[tuple[object, ...], int]],
) -> None:
    world = World()
    for event, pause_s in history:
        world.at += timedelta(seconds=pause_s)
        world.do(event)
        now = world.story.register
        assert {one.state for one in now.open.values()} <= AT_REST
        assert all(one.reason in REASONS or one.reason in GUARDS for one in now.open.values())
        assert {one.rule for one in now.open.values()} == set(now.open)
    world.write()

    states: dict[object, object] = {}
    for step in steps_of(world):
        before, after = step["from"], step["to"]
        if before is None:
            assert step["id"] not in states, "no id is used twice"
            assert after == "detected"
        else:
            assert states[step["id"]] == before, "the one state that it was in"
            assert after in NEXT[before]  # type: ignore[index]
        states[step["id"]] = after
    still = {one.id: one.state for one in world.story.register.open.values()}
    assert {i: s for i, s in states.items() if s not in ENDED} == still


@settings(max_examples=60, deadline=None)
@given(st.lists(events, max_size=25))
def test_what_is_remembered_is_what_the_entries_say_and_reads_back(
    history: list[tuple[tuple[object, ...], int]],
) -> None:
    world = World()
    for event, pause_s in history:
        world.at += timedelta(seconds=pause_s)
        world.do(event)
    world.write()

    register = world.story.register
    assert world.recall() == register
    assert Register.from_body(register.to_body(), TARGET) == register


@settings(max_examples=60, deadline=None)
@given(st.lists(events, max_size=25), st.data())
def test_what_is_said_again_is_not_written_again(
    history: list[tuple[tuple[object, ...], int]], data: st.DataObject
) -> None:
    world = World()
    for event, pause_s in history:
        world.at += timedelta(seconds=pause_s)
        world.do(event)
    again = data.draw(st.one_of(denials, left))
    world.do(again)
    world.write()
    world.do(again)

    assert world.story.moves == []

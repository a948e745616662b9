"""Plans do not depend on how YAML was written; a change back is the change, sides exchanged."""

import random
from dataclasses import replace
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.client import KillSwitch
from reconciler.model.desired import BoundRemedy, DesiredState
from reconciler.model.expectation import Expectation
from reconciler.model.guard_settings import CooldownSettings, GuardSettings
from reconciler.model.review import Change, FieldChange, HostChange
from reconciler.plan.change import host_change
from reconciler.plan.host_plan import host_plan
from tests.support.desired_states import make_client, make_desired, make_rule, make_runbook, pin
from tests.support.gated import reading, text
from tests.support.healing import random_rules
from tests.support.policy import base_files

DOCUMENTS = sorted(p for p in base_files() if p.endswith(".yaml") and "runbooks/" not in p)
PLANS = reading(trust=None).plans

VALUES = st.one_of(st.booleans(), st.integers(0, 3), st.sampled_from(["a", "b", "true"]))
EXPECTATIONS = st.one_of(
    st.builds(lambda v: Expectation("equals", v), VALUES),
    st.builds(lambda v: Expectation("one_of", tuple(v)), st.lists(VALUES, min_size=1, max_size=3)),
    st.builds(
        lambda v: Expectation("not", None, (Expectation("equals", v),)), st.sampled_from("ab")
    ),
)
RULES = st.builds(
    lambda name, expect, severity, enforce, unit: make_rule(
        name,
        expect={"active": expect},
        severity=severity,
        enforce=enforce,
        remedy=BoundRemedy(runbook="RB-TIME-001", params={"unit": unit}) if unit else None,
    ),
    st.sampled_from(["a", "b", "c"]),
    EXPECTATIONS,
    st.sampled_from(["low", "high"]),
    st.booleans(),
    st.sampled_from([None, "x.service", "y.service"]),
)
STATES = st.builds(
    lambda rules, mode, digest, approved, client, switch, healing, base_s: make_desired(
        list({rule.id: rule for rule in rules}.values()),
        [pin(make_runbook(mode=mode), digest=digest * 64, approved=approved)],
        client=make_client(mode=client),
        kill_switches={"fleet": KillSwitch(engaged=True, reason="x")} if switch else {},
        healing=tuple(healing),
        guards=GuardSettings(cooldown=CooldownSettings(base_s=base_s)),
    ),
    st.lists(RULES, max_size=4),
    st.sampled_from(["auto", "window", "approve"]),
    st.sampled_from("ab"),
    st.booleans(),
    st.sampled_from(["observe", "enforce"]),
    st.booleans(),
    st.integers(0, 2**32).map(lambda seed: random_rules(random.Random(seed), 4)),
    st.sampled_from([300, 600]),
)
SWAPPED: dict[Change, Change] = {"added": "removed", "removed": "added", "changed": "changed"}


def rewritten(document: str, chance: random.Random) -> str:
    """The same document: keys in another order, other quotes, comments, blank lines."""

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            items = [(key, shuffled(item)) for key, item in value.items()]
            chance.shuffle(items)
            return dict(items)
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    plain = yaml.load(document, Loader=yaml.BaseLoader)
    lines = written(shuffled(plain), yaml.load(document, Loader=yaml.SafeLoader)).splitlines()
    return "# another comment\n\n" + "".join(
        f"{line}  # {chance.randrange(99)}\n" if not line.endswith("|") else f"{line}\n"
        for line in lines
    )


def written(value: Any, typed: Any) -> str:
    """YAML with the types of ``typed``: what was a number or a truth is one again."""

    def typed_like(value: Any, typed: Any) -> Any:
        if isinstance(value, dict):
            return {key: typed_like(item, lookup(typed, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [typed_like(a, b) for a, b in zip(value, typed, strict=True)]
        return typed if isinstance(typed, bool | int) else value

    return yaml.safe_dump(typed_like(value, typed), sort_keys=False, width=10_000)


def lookup(typed: Any, key: str) -> Any:
    return next(item for name, item in typed.items() if str(name) == key)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_order_of_keys_and_comments_do_not_change_a_plan(seed: int) -> None:
    chance = random.Random(seed)
    chosen = chance.sample(DOCUMENTS, k=chance.randint(1, len(DOCUMENTS)))
    other = reading({path: rewritten(text(path), chance) for path in chosen}, trust=None)
    assert [str(remark.where) + remark.message for remark in other.remarks] == []
    assert other.plans == PLANS


@settings(max_examples=150, deadline=None)
@given(STATES, STATES)
def test_a_change_back_is_the_change_with_sides_exchanged(
    one: DesiredState, other: DesiredState
) -> None:
    there = host_change(host_plan(one), host_plan(other))
    back = host_change(host_plan(other), host_plan(one))
    assert (there is None) == (one == other or host_plan(one) == host_plan(other))
    if there is not None and back is not None:
        assert told(back) == told(reverse(there))


@settings(max_examples=60, deadline=None)
@given(STATES)
def test_equal_states_do_not_change(state: DesiredState) -> None:
    assert host_change(host_plan(state), host_plan(replace(state))) is None


def told(change: HostChange) -> HostChange:
    """Without what is told of the side that is present, which a reverse cannot know."""
    runbooks = (
        replace(r, mode="", blast_radius="", digest="", approved=False, rules=())
        for r in change.runbooks
    )
    return replace(change, runbooks=tuple(runbooks))


def reverse(change: HostChange) -> HostChange:
    return replace(
        change,
        old_digest=change.new_digest,
        new_digest=change.old_digest,
        settings=swapped(change.settings),
        rules=tuple(
            replace(r, change=SWAPPED[r.change], fields=swapped(r.fields)) for r in change.rules
        ),
        runbooks=tuple(
            replace(r, change=SWAPPED[r.change], fields=swapped(r.fields)) for r in change.runbooks
        ),
    )


def swapped(fields: tuple[FieldChange, ...]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(f.field, f.new, f.old) for f in fields)

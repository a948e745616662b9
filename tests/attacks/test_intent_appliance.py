"""The same attacks against a whole appliance, which runs once: refused, written down, nothing done.

`test_intent_authority.py` lists which file holds which attack.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from reconciler.desired.limits import MIB
from reconciler.engine.appliance import Appliance
from reconciler.errors import ExitCode
from tests.support.intent_drill import IntentDrill, copied, new_intent_drill, reset
from tests.support.trust_attacks import APPROVALS, CLINIC, ROLES, Act, Story
from tests.support.trust_attacks_branch import RECOVERIES, RELEASES
from tests.support.trust_fleet import TrustFleet


def unsigned_ancestor(fleet: TrustFleet) -> None:
    side = fleet.commit(None, {CLINIC: "x\n"}, move=False)
    fleet.merge("bob", fleet.commit("bob", {CLINIC: "y\n"}, parents=[side], move=False))


def force_push(fleet: TrustFleet) -> None:
    fleet.move(fleet.parents(fleet.head)[0])


def fork(fleet: TrustFleet) -> None:
    fleet.commit("bob", {CLINIC: "x\n"}, parents=fleet.parents(fleet.head))


def deleted(fleet: TrustFleet) -> None:
    fleet.repository.references.delete("refs/heads/main")


def honest(fleet: TrustFleet) -> None:
    fleet.commit("bob", {CLINIC: "x\n"})


def odd_node(mode: str, name: str) -> Act:
    """An entry that a reviewer and a machine could read differently, beside honest files."""

    def act(fleet: TrustFleet) -> None:
        tree = fleet.tree(fleet.head)
        blob = str(fleet.repository.create_blob(b"../../../etc/shadow"))
        oid = fleet.head if mode == "160000" else blob
        tree[f"hosts/example-clinic/{name}"] = (mode, oid)
        fleet.commit("bob", tree=tree)

    return act


def huge(fleet: TrustFleet) -> None:
    fleet.commit("bob", {CLINIC: b"\0" * (20 * MIB)})


CLASSIC = {
    "unsigned tip": Story("unsigned", lambda f: f.commit(None, {CLINIC: "x\n"}), honest),
    "unsigned ancestor": Story("unsigned", unsigned_ancestor, honest),
    "unknown key": Story("unknown-signer", lambda f: f.commit("mallory", {CLINIC: "x"}), honest),
    "force-push to an old signed commit": Story("rewound", force_push, honest),
    "fork": Story("not-fast-forward", fork, honest),
    "deleted branch": Story("missing-branch", deleted, honest),
    "link out of the tree": Story("tree-refused", odd_node("120000", "link"), honest),
    "submodule": Story("tree-refused", odd_node("160000", "module"), honest),
    "name in another case": Story("tree-refused", odd_node("100644", "notes.MD"), honest),
    "name that is turned round": Story("tree-refused", odd_node("100644", "x\u202ey"), honest),
    "huge file that compresses to nothing": Story("too-large", huge, honest),
}
STORIES = {**CLASSIC, **APPROVALS, **ROLES, **RECOVERIES, **RELEASES}


Trust = tuple[str, str]
"""Policy and signers that a story begins with."""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[Trust, IntentDrill]:
    """Appliances that have accepted a state, one for each trust that a story begins with."""
    made: dict[Trust, IntentDrill] = {}
    for story in STORIES.values():
        key = (story.policy, story.signers)
        if key not in made:
            folder = tmp_path_factory.mktemp("site") / "site"
            site = new_intent_drill(folder, policy=story.policy, signers=story.signers)
            story.prepare(site.fleet)
            assert site.run().intent.refused is None
            site.fleet.commit("bob", {CLINIC: "id: note\n"})
            story.prepare(site.fleet)
            assert site.run().intent.commit == site.fleet.head
            made[key] = site
    return made


@pytest.fixture(scope="module")
def opened(sites: dict[Trust, IntentDrill]) -> Iterator[dict[Trust, Appliance]]:
    """The appliances, running as daemons do."""
    with ExitStack() as stack:
        yield {key: stack.enter_context(site.drill.open()) for key, site in sites.items()}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_attack_leaves_the_machine_on_its_last_good_state(story, sites, opened):
    key = (story.policy, story.signers)
    site, head, attestations = sites[key], sites[key].fleet.head, sites[key].fleet.attestations
    try:
        story.attack(site.fleet)
        report = site.run_in(opened[key])
    finally:
        reset(site, head, attestations)
    assert report.intent.refused == story.code
    assert report.exit_code == ExitCode.REFUSED
    assert report.intent.commit == site.accepted == head
    assert site.refusals()[-1] == (story.code, report.intent.refused_commit)
    assert site.drill.carried == []


TWINS = ("nobody approved", "a merge by the author", "trust changed by a single key", "fork")


@pytest.mark.parametrize("name", TWINS)
def test_honest_twin_is_taken_over(name, sites, tmp_path):
    story = STORIES[name]
    site = copied(sites[story.policy, story.signers], tmp_path / "site")
    before = site.refusals()
    story.honest(site.fleet)
    report = site.run()
    assert (report.intent.refused, report.intent.commit) == (None, site.fleet.head)
    assert site.refusals() == before

"""Pushes by people, keys and machines that may something, but not this; each with its honest twin.

Which file holds which attack on the way from the fleet repository to a machine:

- test_fleet_signatures.py: unsigned, edited, smuggled headers, unknown, expired, other namespace.
- test_fleet_history.py: force-push, fork, deleted branch, shallow, grafts, times.
- test_fleet_trees.py: links, submodules, names, sizes under the four roots.
- test_fleet_trust.py: signers files without a policy.
- test_fleet_servers.py: servers that hang, flood, lie.
- test_attestation_servers.py: what a server does with the attestations branch on the wire.
- test_intent_authority.py (here): roles, thresholds, approvals, merges, recoveries, releases.
- test_intent_memory.py: what must not count a second time, or on another branch; revoked content.
- test_intent_trees.py: tricks with paths where rules decide by path.
- test_intent_appliance.py: the same attacks against a whole appliance that runs once.
- test_keyless_release.py, test_keyless_statements.py: releases and statements signed without a key.
- test_intent_freshness.py: frozen repositories, heartbeats, clocks, lost state; a whole appliance.
"""

import pytest

from reconciler.errors import IntentRefused
from tests.support.reference_git import History
from tests.support.reference_trust import Accepted, Question, Refused, decide
from tests.support.trust_attacks import APPROVALS, PINNED, ROLES, begin
from tests.support.trust_attacks_branch import RECOVERIES, RELEASES
from tests.support.trust_fleet import NOW, TrustFleet

STORIES = {**APPROVALS, **ROLES, **RECOVERIES, **RELEASES}


@pytest.fixture
def fleet(tmp_path):
    return TrustFleet(tmp_path / "fleet.git")


def second_opinion(fleet: TrustFleet, accepted: str) -> Accepted | Refused:
    history = History(fleet.path)
    attestations = fleet.attestations
    return decide(Question(history, fleet.head, accepted, PINNED, NOW, attestations=attestations))


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_attack_is_refused_with_its_reason(fleet, story):
    accepted = begin(fleet, story)
    story.attack(fleet)
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(accepted, pinned=PINNED)
    assert caught.value.reason == story.code
    assert caught.value.hint
    assert caught.value.commit in fleet.new_since(accepted) | {fleet.head}
    assert second_opinion(fleet, accepted) == Refused(story.code, caught.value.commit)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_honest_twin_is_accepted(fleet, story):
    accepted = begin(fleet, story)
    story.honest(fleet)
    acceptance = fleet.verify(accepted, pinned=PINNED)
    assert acceptance.commit == fleet.head != accepted
    assert {one.commit for one in acceptance.commits} <= fleet.new_since(accepted)
    assert isinstance(second_opinion(fleet, accepted), Accepted)

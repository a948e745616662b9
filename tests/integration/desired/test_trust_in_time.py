"""R6, R7, R8 and heartbeats: releases, recoveries, revoked keys, freshness of the head."""

from datetime import timedelta

import pytest
from pygit2.enums import ObjectType

from reconciler.desired.attestations import Attestations
from reconciler.desired.trust.verify import heartbeat, standing
from reconciler.errors import IntentRefused
from tests.support.fleet_git import SIGNERS, START, at
from tests.support.trust_asking import NOW, refusal, rulings, verify
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet, line, signers_text
from tests.support.trust_signing import ATTESTATION, fingerprint

CLINIC = "hosts/example-clinic/client.yaml"
RUNBOOK = "runbooks/RB-A-001.yaml"
RELEASED = POLICY_TEXT + "branches: [{name: main, require: [ssh, release]}]\n"
UNSIGNED = POLICY_TEXT + "branches: [{name: main, require: [release]}]\n"


def revoking(name, minutes, text=POLICY_TEXT):
    moment = at(minutes).strftime("%Y-%m-%dT%H:%M:%SZ")
    one = f'{{key: "{fingerprint(name)}", effective: "{moment}", reason: stolen}}'
    return f"{text}revoked: [{one}]\n"


@pytest.fixture
def fleet(tmp_path):
    return TrustFleet(tmp_path / "fleet.git")


def stand(fleet, head=None):
    beside = Attestations(fleet.repository, fleet.attestations)
    return standing(
        fleet.repository, head or fleet.head, branch="main", now=NOW, attestations=beside
    )


# --- R6 ---


def test_branch_that_the_policy_does_not_list(fleet):
    root = fleet.begin(policy=POLICY_TEXT + "branches: [{name: next}]\n")
    fleet.commit("erin", {"hosts/elm-street/x.yaml": "x\n"})
    assert refusal(fleet, root).reason == "branch-untrusted"
    assert verify(fleet, root, branch="next")


def test_release_of_the_head_is_needed(fleet):
    root = fleet.begin(policy=RELEASED)
    fleet.commit("alice", {CLINIC: "id: x\n"})
    assert refusal(fleet, root).reason == "release-missing"
    fleet.release("ci")
    assert verify(fleet, root)
    fleet.commit("alice", {CLINIC: "id: y\n"})
    assert refusal(fleet, root).reason == "release-missing"


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "alice"},
        {"branch": "next"},
        {"tree": "e" * 40},
        {"files_sha256": "e" * 64},
        {"time": 60 * 24 * 60},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_release_that_does_not_count(fleet, wrong):
    root = fleet.begin(policy=RELEASED)
    fleet.commit("alice", {CLINIC: "id: x\n"})
    fleet.release(**{"by": "ci", **wrong})
    assert refusal(fleet, root).reason == "release-refused"


def test_release_by_a_key_that_ended_since(fleet):
    lines = signers_text("alice", "bob", "bob-sk", "carol", "erin", "frank", "bot")
    lines += line("ci", namespaces=(ATTESTATION,), before="20260315Z")
    root = fleet.begin(policy=RELEASED, signers=lines)
    fleet.commit("alice", {CLINIC: "id: x\n"})
    fleet.release("ci")
    assert refusal(fleet, root).reason == "release-refused"
    assert verify(fleet, root, now=START + timedelta(days=2))


def test_branch_without_ssh_takes_unsigned_commits_that_ci_vouches_for(fleet):
    root = fleet.begin(policy=UNSIGNED)
    fleet.commit(None, {"flake.nix": "x\n"})
    assert refusal(fleet, root).reason == "release-missing"
    fleet.release("ci")
    assert verify(fleet, root).commits == ()
    assert stand(fleet).signed is None


def test_head_does_not_excuse_itself_from_signatures_at_enrolment(fleet):
    fleet.begin("mallory", policy=UNSIGNED, signers=signers_text())
    fleet.release("ci")
    assert refusal(fleet, None).reason == "unknown-signer"


# --- R7 ---


@pytest.fixture
def rewritten(fleet):
    """What was accepted, and a head that does not follow from it."""
    root = fleet.begin()
    accepted = fleet.commit("alice", {CLINIC: "id: old\n"})
    fleet.commit("alice", {CLINIC: "id: new\n"}, parents=(root,))
    return accepted


def test_two_people_bless_a_rewritten_history(fleet, rewritten):
    assert refusal(fleet, rewritten).reason == "not-fast-forward"
    fleet.recover(("alice", "carol"), [rewritten])
    found = verify(fleet, rewritten)
    assert found.recovery.people == ("alice", "carol")
    assert (found.previous, found.recovery.to) == (rewritten, fleet.head)


@pytest.mark.parametrize(
    "by", [("alice",), ("bob", "bob-sk"), ("alice", "frank"), ("alice", "ci"), ("alice", "erin")]
)
def test_too_few_people_are_said_to_be_short(fleet, rewritten, by):
    fleet.recover(by, [rewritten])
    assert refusal(fleet, rewritten).reason == "not-fast-forward"
    short = [one for one in rulings(fleet, rewritten) if one.reason == "recovery-short"]
    assert len(short) == 1
    assert not short[0].refuses


@pytest.mark.parametrize(
    "wrong", [{"branch": "next"}, {"issued": 60 * 24 * 60}], ids=["branch", "future"]
)
def test_recovery_of_something_else(fleet, rewritten, wrong):
    fleet.recover(("alice", "carol"), [rewritten], **wrong)
    assert refusal(fleet, rewritten).reason == "not-fast-forward"


def test_recovery_that_does_not_replace_what_was_accepted(fleet, rewritten):
    fleet.recover(("alice", "carol"), ["e" * 40])
    assert refusal(fleet, rewritten).reason == "not-fast-forward"


def test_recovery_works_once(fleet, rewritten):
    fleet.recover(("alice", "carol"), [rewritten], issued=10)
    used = verify(fleet, rewritten).recovery.issued
    assert refusal(fleet, rewritten, recovered_at=used).reason == "not-fast-forward"
    fleet.recover(("alice", "carol"), [rewritten], issued=11)
    assert verify(fleet, rewritten, recovered_at=used)


def test_what_follows_a_recovery_is_verified_as_ever(fleet, rewritten):
    fleet.recover(("alice", "carol"), [rewritten])
    tip = fleet.commit("erin", {CLINIC: "id: evil\n"})
    error = refusal(fleet, rewritten)
    assert (error.reason, error.commit) == ("wrong-role", tip)


def test_recovery_to_a_commit_that_could_not_be_lived_with(fleet):
    root = fleet.begin()
    accepted = fleet.commit("alice", {CLINIC: "id: old\n"})
    fleet.commit("alice", {POLICY: None}, parents=(root,))
    fleet.recover(("alice", "carol"), [accepted])
    assert refusal(fleet, accepted).reason == "trust-policy-dropped"


def test_stolen_key_recovers_nothing(fleet):
    root = fleet.begin(policy=revoking("carol", 60))
    accepted = fleet.commit("alice", {CLINIC: "id: old\n"})
    fleet.commit("alice", {CLINIC: "id: new\n"}, parents=(root,))
    fleet.recover(("alice", "carol"), [accepted])
    assert refusal(fleet, accepted).reason == "not-fast-forward"
    assert verify(fleet, accepted, now=at(30)).recovery is not None


# --- R8 ---


@pytest.fixture
def stolen(fleet):
    """Erin's key wrote something after it was stolen; the theft becomes known later."""
    root = fleet.begin()
    fleet.commit("erin", {"hosts/elm-street/old.yaml": "id: old\n"}, minutes=5)
    bad = fleet.commit("erin", {"hosts/elm-street/new.yaml": "id: evil\n"}, minutes=10)
    fleet.commit("alice", {POLICY: revoking("erin", 8)}, minutes=20)
    fleet.approve("carol")
    return root, bad


def test_what_a_stolen_key_wrote_is_accepted_and_held(fleet, stolen):
    root, bad = stolen
    found = verify(fleet, root)
    assert [(one.path, one.commit) for one in found.tainted] == [("hosts/elm-street/new.yaml", bad)]
    assert stand(fleet).tainted == found.tainted
    held = [one for one in found.rulings if not one.held]
    assert [(one.reason, one.refuses) for one in held] == [("revoked-content", False)]


def test_nothing_is_tainted_before_the_theft_is_known(fleet, stolen):
    assert stand(fleet, stolen[1]).tainted == ()


def test_content_that_was_written_anew_is_clean(fleet, stolen):
    fleet.commit("alice", {"hosts/elm-street/new.yaml": "id: good\n"})
    assert stand(fleet).tainted == ()


def test_content_that_was_removed_is_clean(fleet, stolen):
    fleet.commit("alice", {"hosts/elm-street/new.yaml": None})
    assert stand(fleet).tainted == ()


def test_another_person_clears_what_was_written(fleet, stolen):
    fleet.approve("alice", base=fleet.head, issued=30)
    assert stand(fleet).tainted == ()


@pytest.mark.parametrize("wrong", [{"issued": 7}, {"branch": "next"}, {"expires": 60}])
def test_approval_that_clears_nothing(fleet, stolen, wrong):
    fleet.approve("alice", **{"base": fleet.head, "issued": 30, **wrong})
    assert len(stand(fleet).tainted) == 1


@pytest.mark.parametrize("by", ["erin", "frank", "bot", "bob"])
def test_who_clears_nothing(fleet, stolen, by):
    """Erin wrote it, Frank has no role, a bot is nobody, Bob has another client."""
    fleet.approve(by, base=fleet.head, issued=30)
    assert len(stand(fleet).tainted) == 1


def test_who_agreed_with_the_revocation_has_not_cleared_what_it_left(fleet, stolen):
    """Carol, who may approve the path as well, approved the revocation: that is the fixture."""
    assert len(stand(fleet).tainted) == 1
    fleet.approve("carol", base=fleet.head, issued=30)
    assert stand(fleet).tainted == ()


def test_approval_of_an_earlier_tree_without_the_content_clears_nothing(fleet, stolen):
    bad = stolen[1]
    fleet.approve("alice", fleet.parents(bad)[0], base=fleet.head, issued=30)
    assert len(stand(fleet).tainted) == 1
    fleet.approve("alice", bad, base=fleet.head, issued=30)
    assert stand(fleet).tainted == ()


def test_old_history_that_does_not_read_stops_nobody(fleet):
    """Below a pin nothing was ever verified: no signers, no policy, forms that are refused."""
    old = fleet.commit("alice", {"README.md": "0\n"}, parents=(), minutes=1)
    raw = fleet.raw("erin", fleet.tree_id(old), (old,), "git")
    odd = fleet.store(raw.replace(b"\n\n", b"\nencoding latin1\n\n", 1))
    files = {SIGNERS: signers_text(), POLICY: revoking("erin", 0), "docs/a.md": "a\n"}
    wrote = fleet.commit("erin", files, parents=(odd,), minutes=2)
    pin = fleet.commit("alice", {"docs/b.md": "b\n"}, minutes=3)
    found = verify(fleet, None, pin=pin)
    assert {(one.path, one.commit) for one in found.tainted} == {
        (path, wrote) for path in (SIGNERS, POLICY, "docs/a.md")
    }
    assert stand(fleet).tainted == found.tainted


def test_commit_whose_tree_cannot_be_compared_may_have_written_all_that_is_live(fleet):
    root = fleet.begin(policy=None)
    blob = fleet.repository.create_blob(b"x").raw
    nodes = b"".join(
        b"%b %b\x00%b" % (mode.encode(), name.encode(), bytes.fromhex(oid))
        for mode, name, oid in _top(fleet, root)
    )
    twice = fleet.store(nodes + b"100644 zz\x00" + blob + b"100644 zz\x00" + blob, ObjectType.TREE)
    bad = fleet.commit("erin", tree=twice, minutes=10)
    pin = fleet.commit("alice", {POLICY: revoking("erin", 5)}, tree=fleet.tree(root), minutes=20)
    found = verify(fleet, None, pin=pin)
    assert {one.commit for one in found.tainted} == {bad}
    assert "hosts/example-clinic/client.yaml" in {one.path for one in found.tainted}


def _top(fleet, commit):
    tree = fleet.repository[fleet.tree_id(commit)]
    for node in tree:
        mode = "40000" if node.type == ObjectType.TREE else f"{int(node.filemode):o}"
        yield mode, node.name, str(node.id)


def test_what_was_found_once_need_not_be_looked_for_again(fleet, stolen):
    found = stand(fleet)
    beside = Attestations(fleet.repository, fleet.attestations)
    again = standing(
        fleet.repository,
        fleet.head,
        branch="main",
        now=NOW,
        attestations=beside,
        suspects=found.suspects,
    )
    assert again == found


def test_signer_who_is_no_longer_listed_is_refused_as_ever(fleet):
    fleet.begin()
    fleet.commit("alice", {SIGNERS: signers_text("bob", "carol")})
    with pytest.raises(IntentRefused) as caught:
        stand(fleet)
    assert caught.value.reason == "signer-revoked"


# --- heartbeats ---


def pulse(fleet, head=None, newest=None):
    return heartbeat(
        fleet.repository,
        head or fleet.head,
        head or fleet.head,
        branch="main",
        now=NOW,
        attestations=Attestations(fleet.repository, fleet.attestations),
        newest=newest,
    )


def test_heartbeat_by_ci(fleet):
    root = fleet.begin()
    fleet.commit("alice", {CLINIC: "id: x\n"})
    assert pulse(fleet).objection.code == "heartbeat-missing"
    fleet.heartbeat("ci", root)
    assert (pulse(fleet).beat.by, pulse(fleet).objection) == ("ci", None)
    fleet.heartbeat("ci", counter=2)
    assert pulse(fleet).beat.counter == 2


def test_heartbeat_by_somebody_else(fleet):
    fleet.begin()
    fleet.heartbeat("alice")
    assert pulse(fleet).objection.code == "heartbeat-refused"


def test_file_that_is_no_heartbeat_is_refused_and_not_missing(fleet):
    fleet.begin()
    fleet.put("heartbeats/main/heartbeat.dsse.json", b"{}")
    assert pulse(fleet).objection.code == "heartbeat-refused"


def test_head_before_a_commit_that_ci_has_seen(fleet):
    root = fleet.begin()
    fleet.commit("alice", {CLINIC: "id: x\n"})
    fleet.heartbeat("ci")
    assert pulse(fleet, root).objection.code == "head-went-back"
    fleet.move(fleet.commit("alice", {CLINIC: "id: y\n"}, parents=(root,)))
    assert pulse(fleet).objection.code == "head-went-back"


def test_commit_that_the_server_does_not_show(fleet, tmp_path):
    fleet.begin()
    other = TrustFleet(tmp_path / "other.git")
    other.begin("alice", files={"docs/x.md": "x\n"})
    other.heartbeat("ci")
    path = "heartbeats/main/heartbeat.dsse.json"
    data = other.read(other.tree(other.attestations)[path][1])
    fleet.put(path, data)
    assert pulse(fleet).objection.code == "head-went-back"


def test_without_a_policy_nobody_may_sign_heartbeats(fleet):
    fleet.begin(policy=None)
    assert pulse(fleet).objection.code == "heartbeat-missing"
    fleet.heartbeat("ci")
    assert pulse(fleet).objection.code == "heartbeat-refused"

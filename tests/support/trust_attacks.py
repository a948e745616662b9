"""Attacks on who may change a fleet, each with its honest twin: the same, as it should be done.

A story gets a fleet whose head an appliance has accepted, and pushes. `tests/attacks/test_intent_*`
tell every story twice: to `verify_new`, and to a whole appliance that runs once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.fleet_git import SIGNERS
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet, line, signers_text
from tests.support.trust_signing import ATTESTATION, GIT, fingerprint

RUNBOOK = "runbooks/NOTES.md"
CLINIC = "hosts/example-clinic/NOTES.md"
EDIT = {RUNBOOK: "id: RB-A-001\ntitle: other\n"}

PINNED = (line("alice") + line("bob")).encode()
"""Who is trusted before anything was accepted."""

Act = Callable[[TrustFleet], object]


@dataclass(frozen=True)
class Story:
    """One attack.

    Attributes:
        code: Why it must be refused.
        attack: What the attacker pushes.
        honest: What an honest team pushes for the same end; must be accepted.
        signers: Allowed signers of the accepted state.
        policy: Policy of the accepted state.
        prepare: What else the accepted state needs.
    """

    code: str
    attack: Act
    honest: Act
    signers: str = field(default_factory=signers_text)
    policy: str = POLICY_TEXT
    prepare: Act = lambda fleet: None


def begin(fleet: TrustFleet, story: Story) -> str:
    """The accepted state of a story; returns its commit."""
    fleet.begin(policy=story.policy, signers=story.signers)
    accepted = fleet.commit("bob", {CLINIC: "id: note\n"})
    story.prepare(fleet)
    return accepted


def _edited(by: str, *approvers: str, **wrong: object) -> Act:
    """A change of a runbook by somebody, and who approves it."""

    def act(fleet: TrustFleet) -> None:
        fleet.commit(by, EDIT)
        for approver in approvers:
            fleet.approve(approver, **wrong)  # type: ignore[arg-type]

    return act


def _change(by: str, path: str, content: str = "x\n", *approvers: str) -> Act:
    def act(fleet: TrustFleet) -> None:
        fleet.commit(by, {path: content})
        for approver in approvers:
            fleet.approve(approver)

    return act


def _policy(old: str, new: str) -> str:
    assert old in POLICY_TEXT
    return POLICY_TEXT.replace(old, new)


# --- approvals ----------------------------------------------------------------------------------


def approval_of_another_tree(fleet: TrustFleet) -> None:
    """Bob has seen a harmless change; Alice pushes another one in its place."""
    base = fleet.head
    seen = fleet.commit("alice", EDIT)
    fleet.approve("bob", seen)
    fleet.move(base)
    fleet.commit("alice", {RUNBOOK: "id: RB-A-001\ntitle: evil\n"})


def approval_kept_under_another_tree(fleet: TrustFleet) -> None:
    """As before, and the host puts the approval into the folder of the tree that it did not see."""
    approval_of_another_tree(fleet)
    assert fleet.attestations is not None
    files = fleet.tree(fleet.attestations)
    for path, (_, oid) in files.items():
        name = path.rsplit("/", 1)[1]
        fleet.put(f"approvals/{fleet.tree_id(fleet.head)}/{name}", fleet.read(oid))


def approved_rollback(fleet: TrustFleet) -> None:
    """What two people approved once, and replaced since, comes back by one of them."""
    good = fleet.commit("alice", EDIT)
    fleet.approve("bob", good)
    old = fleet.tree(good)
    fixed = fleet.commit("alice", {RUNBOOK: "id: RB-A-001\ntitle: fixed\n"})
    fleet.approve("bob", fixed)
    fleet.commit("alice", tree=old)


def approved_rollback_seen(fleet: TrustFleet) -> None:
    approved_rollback(fleet)
    fleet.approve("bob")


def approval_for_a_later_tree_hides_trust(fleet: TrustFleet) -> None:
    """Trust is loosened and tightened again; the approved outcome shows nothing of it."""
    base = fleet.head
    loose = POLICY_TEXT.replace(
        'runbooks, paths: ["runbooks/**"], authors: [engineer], approvals: 1',
        'runbooks, paths: ["runbooks/**"], authors: [engineer], approvals: 0',
    )
    fleet.commit("alice", {POLICY: loose})
    fleet.commit("alice", EDIT)
    fleet.commit("alice", {POLICY: POLICY_TEXT, CLINIC: "id: note\n"})
    fleet.approve("bob", base=base)


def approval_for_a_later_tree(fleet: TrustFleet) -> None:
    """Two commits of a pull request, and one approval of what they amount to."""
    base = fleet.head
    fleet.commit("alice", EDIT)
    fleet.commit("alice", {"runbooks/MORE.md": "id: RB-B-001\n"})
    fleet.approve("bob", base=base)


def flooded_folder(junk: int) -> Act:
    """So many files with names that sort before every honest one."""

    def act(fleet: TrustFleet) -> None:
        fleet.commit("alice", EDIT)
        tree = fleet.tree_id(fleet.head)
        fleet.approve("bob")
        files = {f"approvals/{tree}/{n:064x}.dsse.json": b"{}" for n in range(junk)}
        fleet.put_all(files)  # type: ignore[arg-type]

    return act


APPROVALS = {
    "nobody approved": Story("approvals-missing", _edited("alice"), _edited("alice", "bob")),
    "approved by the author": Story(
        "approvals-missing", _edited("alice", "alice"), _edited("alice", "carol")
    ),
    "approved by the author's second key": Story(
        "approvals-missing", _edited("bob", "bob-sk"), _edited("alice", "bob-sk")
    ),
    "approved by a machine": Story(
        "approvals-missing", _edited("alice", "bot"), _edited("bot", "alice")
    ),
    "approved by who has no such role": Story(
        "approvals-missing", _edited("alice", "frank"), _edited("alice", "erin")
    ),
    "approved by the key of CI": Story(
        "approvals-missing", _edited("alice", "ci"), _edited("alice", "bob")
    ),
    "approved by a stranger": Story(
        "approvals-missing", _edited("alice", "mallory"), _edited("alice", "bob")
    ),
    "approved by a stranger in another's name": Story(
        "approvals-missing",
        _edited("alice", "mallory", approver="bob@msp.example"),
        _edited("alice", "bob", approver="bob@msp.example"),
    ),
    "approved for another branch": Story(
        "approvals-missing",
        _edited("alice", "bob", branch="staging"),
        _edited("alice", "bob", branch="main"),
    ),
    "approved with no base": Story(
        "approvals-missing", _edited("alice", "bob", base=None), _edited("alice", "bob")
    ),
    "approved with a base elsewhere": Story(
        "approvals-missing", _edited("alice", "bob", base="1" * 40), _edited("alice", "bob")
    ),
    "approved until yesterday": Story(
        "approvals-missing",
        _edited("alice", "bob", issued=-600, expires=-1),
        _edited("alice", "bob", expires=600),
    ),
    "approved in the far future": Story(
        "approvals-missing",
        _edited("alice", "bob", issued=60 * 24 * 365 * 5),
        _edited("alice", "bob", issued=0),
    ),
    "approved with a signature made for commits": Story(
        "approvals-missing",
        _edited("alice", "bob", namespace=GIT),
        _edited("alice", "bob", namespace=ATTESTATION),
    ),
    "approved by a key that may sign commits alone": Story(
        "approvals-missing",
        _edited("alice", "carol"),
        _edited("alice", "bob"),
        signers=signers_text("alice", "bob", "bob-sk", "erin", "frank", "bot", "ci")
        + line("carol", namespaces=(GIT,)),
    ),
    "approved by a key whose time is over": Story(
        "approvals-missing",
        _edited("alice", "carol"),
        _edited("alice", "bob"),
        signers=signers_text("alice", "bob", "bob-sk", "erin", "frank", "bot", "ci")
        + line("carol", before="20260301Z"),
    ),
    "approved by a revoked key": Story(
        "approvals-missing",
        _edited("alice", "carol"),
        _edited("alice", "bob"),
        policy=POLICY_TEXT
        + f'revoked: [{{key: "{fingerprint("carol")}", effective: "2026-03-01T00:00:00Z",'
        + " reason: laptop-stolen}]\n",
    ),
    "approved before the key was revoked, used after": Story(
        "approvals-missing",
        _edited("alice", "carol", issued=-60 * 24 * 9),
        _edited("alice", "bob", issued=-60 * 24 * 9),
        policy=POLICY_TEXT
        + f'revoked: [{{key: "{fingerprint("carol")}", effective: "2026-03-01T00:00:00Z",'
        + " reason: laptop-stolen}]\n",
    ),
    "approval of another tree": Story(
        "approvals-missing", approval_of_another_tree, _edited("alice", "bob")
    ),
    "approval put under another tree": Story(
        "approvals-missing", approval_kept_under_another_tree, _edited("alice", "bob")
    ),
    "an approved state comes back": Story(
        "approvals-missing", approved_rollback, approved_rollback_seen
    ),
    "trust changed and changed back below an approval": Story(
        "approvals-missing", approval_for_a_later_tree_hides_trust, approval_for_a_later_tree
    ),
    "approvals buried under junk": Story(
        "approvals-missing", flooded_folder(300), flooded_folder(200)
    ),
}


# --- roles --------------------------------------------------------------------------------------

_PUPPET = (
    "  - {id: mallory, principals: [mallory@msp.example], roles: [engineer], all_clients: true}"
)
_WITH_PUPPET = _policy("machines:\n", _PUPPET + "\nmachines:\n")


def trust_inside_a_side_branch(fleet: TrustFleet) -> None:
    """Alice lets a puppet in, the puppet writes, Alice shows it out, and merges it all herself."""
    trust = {SIGNERS: signers_text() + line("mallory"), POLICY: _WITH_PUPPET}
    let_in = fleet.commit("alice", trust, move=False)
    used = fleet.commit("mallory", EDIT, parents=[let_in], move=False)
    shown_out = {SIGNERS: signers_text(), POLICY: POLICY_TEXT}
    fleet.merge("alice", fleet.commit("alice", shown_out, parents=[used], move=False))


def trust_first(fleet: TrustFleet) -> None:
    """The new colleague is let in on the branch itself, by two people, and then works."""
    fleet.commit("alice", {SIGNERS: signers_text() + line("mallory"), POLICY: _WITH_PUPPET})
    fleet.approve("bob")
    side = fleet.commit("mallory", EDIT, move=False)
    fleet.merge("alice", side)


def role_inside_a_side_branch(fleet: TrustFleet) -> None:
    """Bob has one client; on a side branch he gives himself all, for as long as it takes."""
    more = _policy("    clients: [example-clinic]\n", "    all_clients: true\n")
    given = fleet.commit("bob", {POLICY: more}, move=False)
    used = fleet.commit("bob", {"hosts/elm-street/NOTES.md": "x\n"}, parents=[given], move=False)
    fleet.merge("bob", fleet.commit("bob", {POLICY: POLICY_TEXT}, parents=[used], move=False))


def policy_gone_inside_a_side_branch(fleet: TrustFleet) -> None:
    """Without a policy everybody listed may change everything: for two commits of a side branch."""
    gone = fleet.commit("bob", {POLICY: None}, move=False)
    used = fleet.commit("erin", {CLINIC: "x\n"}, parents=[gone], move=False)
    fleet.merge("bob", fleet.commit("bob", {POLICY: POLICY_TEXT}, parents=[used], move=False))


def side_branch(fleet: TrustFleet) -> None:
    side = fleet.commit("bob", {CLINIC: "x\n"}, move=False)
    fleet.merge("bob", side)


def foreign_root(fleet: TrustFleet) -> None:
    """Files that begin in another history are nobody's change, unless somebody looks."""
    root = fleet.commit(
        "alice", {SIGNERS: signers_text(), "runbooks/EVIL.md": "x\n"}, parents=(), move=False
    )
    fleet.merge("alice", root)


def evil_merge(fleet: TrustFleet) -> None:
    """A merge that changes a runbook besides what it merges."""
    side = fleet.commit("bob", {CLINIC: "x\n"}, move=False)
    fleet.merge("alice", side, changes=EDIT)


def clean_merge(fleet: TrustFleet) -> None:
    """Bob wrote, Alice merges: two people."""
    fleet.merge("alice", fleet.commit("bob", EDIT, move=False))


def merged_by_the_author(fleet: TrustFleet) -> None:
    fleet.merge("alice", fleet.commit("alice", EDIT, move=False))


def merge_that_takes_an_old_version(fleet: TrustFleet) -> None:
    """The branch fixed a runbook; a merge of an older side brings the old text back."""
    old = fleet.head
    fleet.commit("alice", EDIT)
    fleet.approve("bob")
    side = fleet.commit("bob", {CLINIC: "x\n"}, parents=[old], move=False)
    tree = fleet.tree(side)
    fleet.commit("bob", parents=[fleet.head, side], tree=tree)


def merge_that_keeps_the_new_version(fleet: TrustFleet) -> None:
    old = fleet.head
    fleet.commit("alice", EDIT)
    fleet.approve("bob")
    fleet.merge("bob", fleet.commit("bob", {CLINIC: "x\n"}, parents=[old], move=False))


def the_wrong_way_round(fleet: TrustFleet) -> None:
    """The side becomes the first-parent line: its steps would be asked and the branch's not."""
    accepted = fleet.head
    parent = fleet.parents(accepted)[0]
    side = fleet.commit("bob", {CLINIC: "x\n"}, parents=[parent], move=False)
    fleet.merge("bob", accepted, into=side)


def the_right_way_round(fleet: TrustFleet) -> None:
    parent = fleet.parents(fleet.head)[0]
    side = fleet.commit("bob", {CLINIC: "x\n"}, parents=[parent], move=False)
    fleet.merge("bob", side)


def _trust(by: str, files: dict[str, str | None], *approvers: str) -> Act:
    def act(fleet: TrustFleet) -> None:
        fleet.commit(by, files)
        for approver in approvers:
            fleet.approve(approver)

    return act


_MORE_SIGNERS: dict[str, str | None] = {SIGNERS: signers_text() + line("grace")}

ROLES = {
    "another clinic's engineer": Story(
        "wrong-role", _change("erin", CLINIC), _change("bob", CLINIC)
    ),
    "an auditor edits a runbook": Story(
        "wrong-role", _edited("frank", "bob"), _edited("alice", "bob")
    ),
    "a signer who is no member": Story(
        "wrong-role",
        _change("heidi", CLINIC),
        _change("bob", CLINIC),
        signers=signers_text() + line("heidi"),
    ),
    "a path that nobody owns": Story(
        "path-unowned", _change("alice", "flake.nix"), _change("alice", "docs/a.md")
    ),
    "the key of CI signs a commit": Story(
        "unknown-signer", _change("ci", CLINIC), _change("bot", CLINIC)
    ),
    "trust changed by a single key": Story(
        "approvals-missing",
        _trust("alice", _MORE_SIGNERS),
        _trust("alice", _MORE_SIGNERS, "bob"),
    ),
    "trust changed by who may not": Story(
        "wrong-role",
        _trust("carol", _MORE_SIGNERS, "bob"),
        _trust("bob", _MORE_SIGNERS, "carol"),
    ),
    "policy dropped": Story(
        "trust-policy-dropped",
        _trust("alice", {POLICY: None}, "bob"),
        _trust("alice", {POLICY: POLICY_TEXT + "# reviewed\n"}, "bob"),
    ),
    "policy that locks everybody out": Story(
        "trust-policy-broken",
        _trust("alice", {POLICY: _policy("authors: [security]", "authors: [nobody]")}, "bob"),
        _trust("alice", {POLICY: _policy("authors: [security]", "authors: [owner]")}, "bob"),
    ),
    "policy with a recovery that one person holds": Story(
        "trust-policy-broken",
        _trust("alice", {POLICY: _policy("people: 2}", "people: 1}")}, "bob"),
        _trust("alice", {POLICY: _policy("people: 2}", "people: 3}")}, "bob"),
    ),
    "policy that names people without keys": Story(
        "trust-policy-broken",
        _trust("alice", {SIGNERS: signers_text("alice", "bob", "bob-sk", "ci", "bot")}, "bob"),
        _trust("alice", _MORE_SIGNERS, "bob"),
    ),
    "trust inside a side branch": Story("signer-revoked", trust_inside_a_side_branch, trust_first),
    "a role for the length of a side branch": Story(
        "wrong-role", role_inside_a_side_branch, side_branch
    ),
    "no policy for the length of a side branch": Story(
        "wrong-role", policy_gone_inside_a_side_branch, side_branch
    ),
    "a foreign root brings a runbook": Story("approvals-missing", foreign_root, clean_merge),
    "a merge that changes something else": Story("approvals-missing", evil_merge, clean_merge),
    "a merge by the author": Story("approvals-missing", merged_by_the_author, clean_merge),
    "a merge that takes an old version": Story(
        "approvals-missing", merge_that_takes_an_old_version, merge_that_keeps_the_new_version
    ),
    "a merge the wrong way round": Story(
        "not-first-parent", the_wrong_way_round, the_right_way_round
    ),
    "a key that is revoked": Story(
        "signer-revoked",
        _change("carol", CLINIC),
        _change("bob", CLINIC),
        policy=POLICY_TEXT
        + f'revoked: [{{key: "{fingerprint("carol")}", effective: "2026-03-01T00:00:00Z",'
        + " reason: laptop-stolen}]\n",
    ),
    "a key whose time is over": Story(
        "signer-expired",
        _change("carol", CLINIC),
        _change("bob", CLINIC),
        signers=signers_text("alice", "bob", "bob-sk", "erin", "frank", "bot", "ci")
        + line("carol", before="20260301Z"),
    ),
}

"""Tricks with paths and trees where a rule decides by the path; each with its honest twin.

`test_fleet_trees.py` holds what is refused under the four roots whatever the policy says; here it
is about paths anywhere, and about who would be asked. The list of files is in
`test_intent_authority.py`.
"""

import pytest
from pygit2.enums import ObjectType

from reconciler.desired.limits import MIB, ReadLimits
from reconciler.desired.source import FleetSource
from reconciler.errors import IntentRefused, MachineError
from reconciler.evidence import signers
from tests.support.fleet_git import NOW, SIGNERS
from tests.support.trust_attacks import CLINIC
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet, line, signers_text

OPEN = POLICY_TEXT.replace(
    "recovery:", '  - {id: rest, paths: ["**"], authors: [engineer], approvals: 0}\nrecovery:'
)
"""One person may change what no other rule owns: what a trick would have to reach."""


@pytest.fixture
def fleet(tmp_path):
    return TrustFleet(tmp_path / "fleet.git")


def refused(fleet, accepted, **options):
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(accepted, **options)
    return caught.value.reason


def with_node(fleet, accepted, folder, mode, name, oid):
    """A commit by carol with one more entry in a folder, whatever Git thinks of it."""
    repository, raw = fleet.repository, b""
    levels = [repository[accepted].tree]
    for part in folder:
        levels.append(levels[-1][part])
    nodes = bytes(repository.odb.read(levels[-1].id)[1])
    raw = nodes + b"%b %b\x00%b" % (mode, name, bytes.fromhex(oid))
    made = fleet.store(raw, ObjectType.TREE)
    for level, part in zip(reversed(levels[:-1]), reversed(folder), strict=True):
        old = bytes(repository.odb.read(level.id)[1])
        was, now = b" %b\x00" % part.encode(), bytes.fromhex(made)
        place = old.index(was) + len(was)
        made = fleet.store(old[:place] + now + old[place + 20 :], ObjectType.TREE)
    return fleet.commit("carol", tree=made)


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "Policies/trust/policy.yaml",
        "POLICIES/rules/ssh.yaml",
        "polici\u0435s/trust/policy.yaml",
        "Runbooks/RB-A-001.yaml",
        "hosts /example-clinic/x",
    ],
    ids=["case", "shout", "cyrillic", "runbooks", "space"],
)
def test_path_that_looks_like_another_one_is_not_read_as_it(fleet, path):
    """It is owned by the rule for the rest, and must not be what an appliance reads."""
    accepted = fleet.begin(policy=OPEN)
    fleet.commit("carol", {path: "evil\n"})
    try:
        fleet.verify(accepted)
    except IntentRefused as refusal:
        assert refusal.reason == "tree-refused"
        return
    source = FleetSource(fleet.path.parent / "mirror.git", str(fleet.path), "main")
    assert path not in source.read_files(source.fetch())


@pytest.mark.parametrize("path", ["policies/Trust/x", "policies/trusT/policy.yaml"])
def test_trust_folder_in_another_case_is_no_way_around_its_rule(fleet, path):
    accepted = fleet.begin(policy=OPEN)
    fleet.commit("carol", {path: "x\n"})
    fleet.approve("bob")
    assert refused(fleet, accepted) == "tree-refused"


def test_folder_below_is_owned_by_the_rule_of_its_own_path(fleet):
    """``hosts/policies/trust`` is a host's and not trust; ``policies/hosts`` is not a host's."""
    accepted = fleet.begin(policy=OPEN)
    fleet.commit("bob", {"policies/hosts/example-clinic/x.yaml": "x\n"})
    assert refused(fleet, accepted) == "approvals-missing"
    fleet.move(accepted)
    fleet.commit("bob", {"hosts/example-clinic/policies/trust/x.yaml": "x\n"})
    assert fleet.verify(accepted).commit == fleet.head


@pytest.mark.parametrize("path", ["hosts/elm-street/x", "hosts/example-clinic-2/x", "hosts/x"])
def test_client_is_one_whole_segment(fleet, path):
    accepted = fleet.begin()
    tree = fleet.tree(accepted)
    tree.pop("hosts/example-clinic/client.yaml")
    fleet.commit("bob", {path: "x\n"}, tree=tree)
    assert refused(fleet, accepted) in {"wrong-role", "path-unowned"}


# --- trees --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "name"),
    [((), b"README.md"), ((), b"policies"), (("policies", "trust"), b"policy.yaml")],
    ids=["file", "folder", "policy"],
)
def test_entry_twice_where_two_readers_take_different_ones(fleet, folder, name):
    accepted = fleet.begin(policy=OPEN)
    oid = str(fleet.repository.create_blob(b"format: 1\n"))
    with_node(fleet, accepted, folder, b"100644", name, oid)
    assert refused(fleet, accepted) == "tree-refused"


def test_tree_out_of_order_outside_the_four_roots(fleet):
    """A binary search misses what is there."""
    accepted = fleet.begin(policy=OPEN)
    with_node(fleet, accepted, (), b"100644", b"AAA", str(fleet.repository.create_blob(b"x")))
    assert refused(fleet, accepted) == "tree-refused"


def test_odd_tree_in_the_middle_of_a_range(fleet):
    """Put right again by the next commit; it was to be looked at all the same."""
    accepted = fleet.begin(policy=OPEN)
    good = fleet.tree(accepted)
    with_node(fleet, accepted, (), b"100644", b"AAA", str(fleet.repository.create_blob(b"x")))
    fleet.commit("carol", {"notes": "x\n"}, tree=good)
    assert refused(fleet, accepted) == "tree-refused"


@pytest.mark.parametrize("path", [POLICY, SIGNERS])
@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_trust_file_that_is_a_link_or_a_submodule(fleet, path, mode):
    accepted = fleet.begin()
    tree = fleet.tree(accepted)
    oid = str(fleet.repository.create_blob(b"../../README.md"))
    tree[path] = (mode, accepted if mode == "160000" else oid)
    fleet.commit("alice", tree=tree)
    fleet.approve("bob")
    assert refused(fleet, accepted) in {"tree-refused", "signers-missing", "trust-policy-broken"}


def test_policy_that_is_a_folder(fleet):
    accepted = fleet.begin()
    tree = fleet.tree(accepted)
    tree[f"{POLICY}/x"] = tree.pop(POLICY)
    fleet.commit("alice", tree=tree)
    fleet.approve("bob")
    assert refused(fleet, accepted) in {"trust-policy-broken", "trust-policy-dropped"}


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_link_and_submodule_outside_the_roots_are_somebodys_change(fleet, mode):
    """They change what Nix or CI reads, and need who may change that."""
    accepted = fleet.begin()
    tree = fleet.tree(accepted)
    oid = str(fleet.repository.create_blob(b"/etc/passwd"))
    tree["flake.nix"] = (mode, accepted if mode == "160000" else oid)
    fleet.commit("alice", tree=tree)
    assert refused(fleet, accepted) == "path-unowned"


def test_mode_of_a_runbook_is_its_change(fleet):
    accepted = fleet.begin()
    tree = fleet.tree(accepted)
    tree["runbooks/RB-A-001.yaml"] = ("100755", tree["runbooks/RB-A-001.yaml"][1])
    fleet.commit("alice", tree=tree)
    assert refused(fleet, accepted) == "approvals-missing"
    fleet.approve("bob")
    assert fleet.verify(accepted).commit == fleet.head


def test_removal_of_a_runbook_is_a_change(fleet):
    accepted = fleet.begin()
    fleet.commit("alice", {"runbooks/RB-A-001.yaml": None})
    assert refused(fleet, accepted) == "approvals-missing"
    fleet.approve("bob")
    assert fleet.verify(accepted).commit == fleet.head


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [POLICY, SIGNERS])
def test_huge_trust_file(fleet, path):
    accepted = fleet.begin()
    fleet.commit("alice", {path: b"#" * (2 * MIB)})
    fleet.approve("bob")
    assert refused(fleet, accepted) in {"too-large", "trust-policy-broken", "signers-missing"}


def test_policy_that_costs_more_than_it_says(fleet):
    """A thousand aliases of a thousand aliases."""
    accepted = fleet.begin()
    bomb = "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nformat: 1\n"
    fleet.commit("alice", {POLICY: bomb})
    fleet.approve("bob")
    assert refused(fleet, accepted) == "trust-policy-broken"


def test_pattern_that_would_take_forever(fleet):
    """Rules are matched segment by segment; stars beside one another do not multiply."""
    stars = "/".join(["**"] * 12) + "/a*a*a*a*a*a*a*a*b"
    policy = OPEN.replace('["*.md", "docs/**"]', f'["*.md", "docs/**", "{stars}"]')
    accepted = fleet.begin(policy=POLICY_TEXT)
    fleet.commit("alice", {POLICY: policy})
    fleet.approve("bob")
    try:
        fleet.verify(accepted)
    except IntentRefused as refusal:
        assert refusal.reason == "trust-policy-broken"
        return
    accepted = fleet.head
    fleet.commit("alice", {"/".join(["a" * 30] * 30): "x\n"})
    fleet.verify(accepted, limits=ReadLimits(depth=64))


def test_approval_and_heartbeat_of_gigabytes_are_not_read(fleet):
    accepted = fleet.begin()
    fleet.commit("alice", {"runbooks/NOTES.md": "x\n"})
    tree = fleet.tree_id(fleet.head)
    fleet.put(f"approvals/{tree}/{'0' * 64}.dsse.json", b" " * (40 * MIB))
    assert refused(fleet, accepted) == "approvals-missing"
    fleet.approve("bob")
    assert fleet.verify(accepted).commit == fleet.head


# --- references ---------------------------------------------------------------------------------


def packed(fleet, count):
    """So many references to one commit, in one file, as a host keeps them."""
    lines = [b"# pack-refs with: peeled fully-peeled sorted \n"]
    oid = fleet.head.encode()
    lines += [b"%b refs/heads/noise/%07d\n" % (oid, n) for n in range(count)]
    (fleet.path / "packed-refs").write_bytes(b"".join(lines))


def test_hundreds_of_thousands_of_references(fleet, tmp_path):
    """The fetch ends with an error and in bounded time, or brings the branch; never neither."""
    accepted = fleet.begin()
    source = FleetSource(tmp_path / "mirror.git", str(fleet.path), "main")
    assert source.fetch() == accepted
    fleet.commit("bob", {CLINIC: "x\n"})
    packed(fleet, 250_000)
    with pytest.raises(MachineError, match="more than is allowed"):
        source.fetch()
    assert source.read_files(accepted)
    packed(fleet, 1000)
    head = source.fetch()
    pinned = signers.parse(line("alice").encode(), "pinned")
    assert source.verify_new(accepted=accepted, head=head, pinned=pinned, now=NOW).commit == head


def test_history_with_more_commits_than_allowed(fleet):
    accepted = fleet.begin()
    for n in range(12):
        fleet.commit("bob", {CLINIC: f"{n}\n"})
    assert refused(fleet, accepted, limits=ReadLimits(commits=10)) == "too-many-commits"
    assert fleet.verify(accepted, limits=ReadLimits(commits=12)).commit == fleet.head


def test_merge_of_more_parents_than_allowed(fleet):
    accepted = fleet.begin()
    sides = [
        fleet.commit("bob", {f"hosts/example-clinic/{n}": "x\n"}, parents=[accepted], move=False)
        for n in range(5)
    ]
    fleet.merge("bob", *sides)
    assert refused(fleet, accepted, limits=ReadLimits(parents=5)) == "malformed-commit"
    assert fleet.verify(accepted, limits=ReadLimits(parents=6)).commit == fleet.head


def test_names_of_signers_are_one_word(fleet):
    """A principal with a pattern would be everybody."""
    accepted = fleet.begin()
    fleet.commit("alice", {SIGNERS: signers_text() + line("mallory", principal="*")})
    fleet.approve("bob")
    assert refused(fleet, accepted) == "signers-missing"

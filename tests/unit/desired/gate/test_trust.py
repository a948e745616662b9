"""What is said about trust files: what weakens them, what changes, and what a change needs."""

from datetime import UTC, datetime

import pytest

from reconciler.desired.gate.needs import needs_of, short, unowned
from reconciler.desired.gate.reading import POLICY, SIGNERS, Trust, read_trust
from reconciler.desired.gate.trust_change import trust_changes
from reconciler.desired.gate.trust_health import trust_problems
from reconciler.model.review import Remark
from tests.support.fleet_git import signer_line
from tests.support.gated import PEOPLE, TRUST, everywhere

AT = datetime(2026, 6, 1, tzinfo=UTC)


def trust(policy: str | None = TRUST, signers: str | None = None) -> Trust:
    files = {SIGNERS: (everywhere(*PEOPLE) if signers is None else signers).encode()}
    if policy is not None:
        files[POLICY] = policy.encode()
    return read_trust(files)


def problems(policy: str | None = TRUST, signers: str | None = None) -> list[Remark]:
    return list(trust_problems(trust(policy, signers), ["clinic"], AT))


def said(policy: str | None = TRUST, signers: str | None = None) -> list[tuple[str, str]]:
    return [(remark.severity, remark.message) for remark in problems(policy, signers)]


def test_a_sound_policy_has_nothing_said_about_it() -> None:
    assert said() == []


CASES = {
    "locked out: too few": (
        'paths: ["policies/trust/**"], authors: [security], approvals: 1',
        'paths: ["policies/trust/**"], authors: [security], approvals: 2',
        "error",
        "too few people could change the policy itself",
    ),
    "alone with trust": (
        'paths: ["policies/trust/**"], authors: [security], approvals: 1',
        'paths: ["policies/trust/**"], authors: [security], approvals: 0',
        "warning",
        "alice or carol alone may change policies/trust/",
    ),
    "alone with runbooks": (
        'paths: ["runbooks/**"], authors: [engineer], approvals: 1',
        'paths: ["runbooks/**"], authors: [engineer], approvals: 0',
        "warning",
        "alice or bob alone may change runbooks/",
    ),
    "role nobody holds": (
        'paths: ["runbooks/**"], authors: [engineer]',
        'paths: ["runbooks/**"], authors: [engineer, wizard]',
        "warning",
        "rule runbooks: nobody holds the role wizard",
    ),
    "shadowed": (
        'paths: ["policies/**"], authors',
        'paths: ["policies/trust/deep/*.yaml"], authors',
        "warning",
        "policies/trust/deep/*.yaml never counts, because an earlier rule has policies/trust/**",
    ),
    "principal without a key": (
        "principals: [bob@msp.example]",
        "principals: [bob@msp.example, bob-key@msp.example]",
        "error",
        "gives bob-key@msp.example to bob",
    ),
    "no recovery": ("recovery: {roles: [security], people: 2}\n", "", "warning", "no recovery"),
    "recovery nobody can give": (
        "people: 2}",
        "people: 3}",
        "error",
        "too few people have a role of its recovery",
    ),
    "too few for a rule": (
        'paths: ["runbooks/**"], authors: [engineer], approvals: 1',
        'paths: ["runbooks/**"], authors: [engineer], approvals: 2',
        "warning",
        "rule runbooks: too few people",
    ),
    "a client nobody serves": (
        "clients: [clinic]",
        "clients: [other]",
        None,
        "",
    ),
}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.replace(" ", "-"))
def test_what_is_wrong_with_a_policy_is_said(case: str) -> None:
    old, new, severity, message = CASES[case]
    assert old in TRUST
    found = said(TRUST.replace(old, new))
    if severity is None:
        # Bob serves every client, so nothing is wrong; without him there is.
        assert found == []
        alone = TRUST.replace(old, new).replace("all_clients: true", "clients: [other]")
        assert any("paths of client clinic" in text for _severity, text in said(alone))
        return
    assert any(one == severity and message in text for one, text in found), found


def test_a_policy_that_nobody_owns_locks_itself_out() -> None:
    policy = TRUST.replace('"policies/trust/**"', '"other/**"').replace("policies/**", "more/**")
    assert ("error", "no rule owns the policy itself") in [
        (severity, text.split(": ")[1].split(";")[0])
        for severity, text in said(policy)
        if "locks itself out" in text
    ]


def test_a_narrower_rule_that_comes_first_shadows_nothing() -> None:
    first = '  - {id: one, paths: ["policies/*/x", "a/**/b"], authors: [security], approvals: 1}\n'
    assert said(TRUST.replace("rules:\n", f"rules:\n{first}")) == []


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("a/**", "a/b/**"), ("a/**", "a/*/c"), ("*/b", "{client}/b"), ("**", "x/**/y"), ("a*", "ab*")],
)
def test_a_pattern_that_can_never_own_a_path_is_found(earlier: str, later: str) -> None:
    rules = "".join(
        f'  - {{id: r{n}, paths: ["{pattern}"], authors: [security], approvals: 1}}\n'
        for n, pattern in enumerate((earlier, later))
    )
    found = said(TRUST + "", None) + said(TRUST.replace("recovery:", f"{rules}recovery:"))
    assert any(f"{later} never counts" in text for _severity, text in found), found


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("a/*", "a/**"), ("a/b/**", "a/**"), ("a/*/c", "a/**/c"), ("x/*", "x/*/y"), ("ab*", "a*")],
)
def test_a_pattern_that_owns_some_paths_is_not_called_shadowed(earlier: str, later: str) -> None:
    rules = "".join(
        f'  - {{id: r{n}, paths: ["{pattern}"], authors: [security], approvals: 1}}\n'
        for n, pattern in enumerate((earlier, later))
    )
    found = said(TRUST.replace("recovery:", f"{rules}recovery:"))
    assert not any("never counts" in text for _severity, text in found), found


def test_a_key_that_ends_within_30_days_is_said_with_its_line() -> None:
    soon = signer_line("bob", before="20260615Z").replace('"git"', '"git,reconciler-attestation"')
    lines = everywhere("alice", "carol") + soon + "\n"
    [remark] = problems(signers=lines)
    assert "bob@msp.example ends on 2026-06-15" in remark.message
    assert remark.where.line == 3
    assert problems(signers=lines.replace("20260615Z", "20260715Z")) == []


def test_a_key_that_was_extended_is_not_said() -> None:
    soon = signer_line("bob", before="20260615Z").replace('"git"', '"git,reconciler-attestation"')
    later = soon.replace("20260615Z", "20270615Z")
    assert problems(signers=everywhere("alice", "carol") + f"{soon}\n{later}\n") == []


def test_a_key_that_ended_leaves_its_member_without_one() -> None:
    ended = signer_line("bob", before="20260515Z")
    found = [text for _severity, text in said(signers=everywhere("alice", "carol") + ended + "\n")]
    assert any("bob@msp.example ended on 2026-05-15" in text for text in found)
    assert any("bob has no key that counts now" in text for text in found)
    assert any("rule runbooks: too few people" in text for text in found)


def test_a_revoked_key_does_not_count() -> None:
    fingerprint = next(
        change.name for change in trust_changes(trust(signers=""), trust()) if "bob" in str(change)
    )
    revoked = TRUST + (
        f'revoked:\n  - {{key: "{fingerprint}", effective: "2026-05-01T00:00:00Z", reason: x}}\n'
    )
    assert ("warning", "bob has no key that counts now") in said(revoked)


def test_a_key_of_nobody_is_said() -> None:
    found = said(signers=everywhere(*PEOPLE, "dave"))
    assert found == [
        (
            "warning",
            f"lists a key of dave@msp.example, whom {POLICY} does not know: it may change nothing",
        )
    ]


def test_missing_and_broken_trust_files_are_said() -> None:
    assert said(policy=None) == [
        ("warning", "is missing: every listed signer alone may change everything")
    ]
    [missing] = trust_problems(read_trust({}), [], AT)
    assert missing.severity == "error"
    assert list(trust_problems(read_trust({}), [], AT, template=True)) == []
    [broken] = [remark for remark in problems("format: 1\nrules: []\n") if "people" in str(remark)]
    assert broken.severity == "error"
    [bad] = [r for r in problems(signers="alice ssh-rsa AAAA\n") if r.severity == "error"]
    assert bad.where.file == SIGNERS


def changed(policy: str, signers: str | None = None) -> list[tuple[str, str, str]]:
    return [(c.what, c.name, c.change) for c in trust_changes(trust(), trust(policy, signers))]


def test_equal_trust_has_no_change_and_comments_do_not_count() -> None:
    assert changed("# a comment\n" + TRUST) == []


def test_every_part_of_the_policy_is_told() -> None:
    new = (
        TRUST.replace("id: carol", "id: caroline")
        .replace("approvals: 0", "approvals: 1")
        .replace("people: 2", "people: 3")
    )
    assert changed(new) == [
        ("person", "carol", "removed"),
        ("person", "caroline", "added"),
        ("recovery", "recovery", "changed"),
        ("rule", "clients", "changed"),
    ]


def test_where_a_rule_stands_is_part_of_it() -> None:
    lines = TRUST.splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if "id: trust" in line)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    found = list(trust_changes(trust(), trust("".join(lines))))
    assert [(c.name, [f.field for f in c.fields]) for c in found] == [
        ("runbooks", ["place"]),
        ("trust", ["place"]),
    ]


def test_keys_are_told_by_fingerprint_with_what_they_may_sign() -> None:
    fewer = everywhere("alice", "bob")
    [gone] = trust_changes(trust(), trust(signers=fewer))
    assert (gone.what, gone.change) == ("key", "removed")
    assert gone.name.startswith("SHA256:")
    assert "carol@msp.example" in str(gone.fields)
    wider = everywhere(*PEOPLE).replace('"git,reconciler-attestation"', '"git"', 1)
    [narrowed] = trust_changes(trust(), trust(signers=wider))
    assert narrowed.change == "changed"
    assert narrowed.fields[0].new == "[git]"


def test_a_policy_that_is_dropped_is_told_thing_by_thing() -> None:
    found = [(c.what, c.change) for c in trust_changes(trust(), trust(policy=None))]
    assert ("policy", "removed") in found
    assert ("rule", "removed") in found


def test_needs_follow_the_rules_of_the_base_by_client() -> None:
    policy = trust().policy
    found = needs_of(
        policy, ["hosts/clinic/desk.yaml", "runbooks/RB-A-001.yaml", "hosts/other/x.yaml", "README"]
    )
    told = {need.rule: need for need in found if need.client != "other"}
    assert told["clients"].client == "clinic"
    assert (told["clients"].approvals, told["clients"].people) == (0, ("alice", "bob"))
    assert (told["runbooks"].approvals, told["runbooks"].people) == (1, ("alice", "bob"))
    assert told[None].paths == ("README",)
    assert [need.people for need in found if need.client == "other"] == [("bob",)]


def test_a_path_that_nobody_owns_is_an_error() -> None:
    needs = needs_of(trust().policy, ["README", "flake.nix"])
    [remark] = unowned(needs, trust())
    assert remark.severity == "error"
    assert "2 in all" in remark.message
    assert list(unowned(needs_of(trust().policy, ["runbooks/x"]), trust())) == []


def test_too_few_approvers_are_said_and_no_policy_needs_nothing() -> None:
    policy = trust(TRUST.replace("approvals: 1}\nrecovery", "approvals: 5}\nrecovery")).policy
    [remark] = short(needs_of(policy, ["policies/rules/x.yaml"]))
    assert "asks for 5 approvals" in remark.message
    assert needs_of(None, ["x"]) == ()

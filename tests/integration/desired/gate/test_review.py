"""Two revisions of a real repository: what changes, what is wrong, what it needs to land."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from reconciler.desired.gate.approval_file import approval_file
from reconciler.desired.gate.reading import POLICY, SIGNERS
from reconciler.desired.gate.review import states_at
from reconciler.desired.gate.revision import Revisions
from reconciler.desired.gate.scanned import secrets_in_change, secrets_in_directory
from reconciler.desired.resolve import resolve
from reconciler.errors import InputError
from reconciler.model.review import FieldChange, Review
from reconciler.plan.host_plan import fleet_digest
from tests.support import gated
from tests.support.gated import CATALOGUES, TRUST, TwoRevisions, edited
from tests.support.policy import CHECKS

pytestmark = pytest.mark.integration

APPROVE = edited(gated.RUNBOOK, "mode: auto", "mode: approve")


@pytest.fixture
def two(tmp_path: Path) -> TwoRevisions:
    return TwoRevisions(tmp_path)


def reviewed(two: TwoRevisions, changes: gated.Texts, extra: gated.Texts | None = None) -> Review:
    two.propose(changes, extra)
    return two.compare().review


def messages(review: Review, severity: str = "error") -> list[str]:
    return [remark.message for remark in review.remarks if remark.severity == severity]


def test_equal_revisions_have_nothing_to_say(two: TwoRevisions) -> None:
    review = two.compare("main", "main").review
    assert (review.changes, review.trust, review.needs, review.approvals, review.paths) == (
        (),
        (),
        (),
        (),
        (),
    )
    assert review.errors == 0
    assert review.remarks == ()


def test_an_expectation_that_changes_is_told_for_its_hosts(two: TwoRevisions) -> None:
    review = reviewed(two, edited(gated.ROOT_LOGIN, "at_most: 4", "at_most: 6"))
    [host] = review.changes
    assert host.target == "clinic/desk"
    [rule] = host.rules
    assert rule.fields == (FieldChange("expect.tries", "at most 4", "at most 6"),)
    assert review.paths == (gated.ROOT_LOGIN,)
    [need] = review.needs
    assert (need.rule, need.approvals, need.people) == ("rest", 1, ("alice", "bob"))
    assert review.errors == 0


def test_the_digest_is_what_an_appliance_computes(two: TwoRevisions) -> None:
    two.propose(edited(gated.ROOT_LOGIN, "at_most: 4", "at_most: 6"))
    compared = two.compare()
    head = compared.head
    assert head.fleet is not None
    state = resolve(
        head.fleet,
        "clinic",
        "desk",
        commit=compared.review.head.commit,
        tree=compared.review.head.tree,
        checks=CHECKS,
    )
    assert compared.review.hosts == {"clinic/desk": state.plan_digest}
    assert compared.review.digest == fleet_digest({"clinic/desk": state.plan_digest})
    assert compared.review.changes[0].new_digest == state.plan_digest


def test_comments_and_readmes_change_no_plan(two: TwoRevisions) -> None:
    review = reviewed(
        two, {gated.DESK: "# words\n" + gated.text(gated.DESK)}, {"policies/README.md": "words\n"}
    )
    assert review.changes == ()
    assert review.paths == (gated.DESK, "policies/README.md")


def test_a_runbook_becomes_reachable_where_a_host_comes_under_enforce(tmp_path: Path) -> None:
    two = TwoRevisions(tmp_path, edited(gated.CLIENT, "mode: enforce", "mode: observe"))
    review = reviewed(two, {gated.CLIENT: gated.text(gated.CLIENT)})
    [host] = review.changes
    assert [(r.runbook, r.change, r.mode) for r in host.runbooks] == [
        ("RB-UNIT-001", "added", "auto")
    ]
    assert FieldChange("client.mode", "observe", "enforce") in host.settings


def test_a_runbook_without_its_pin_is_an_error_of_the_graph_or_told(two: TwoRevisions) -> None:
    two.propose(APPROVE)
    two.repo.commit(None, {"runbooks/approved.yaml": "runbooks: {}\n"})
    [host] = two.compare().review.changes
    [runbook] = host.runbooks
    assert not runbook.approved
    assert FieldChange("approved", "true", "false") in runbook.fields


def test_graph_errors_are_told_with_file_and_line_and_nothing_is_compared(
    two: TwoRevisions,
) -> None:
    review = reviewed(two, edited(gated.ROOT_LOGIN, "tries:", "attempts:"))
    [error] = [remark for remark in review.remarks if remark.severity == "error"]
    assert (error.where.file, error.where.line) == (gated.ROOT_LOGIN, 6)
    assert error.subject == "graph"
    assert (review.digest, review.hosts, review.changes, review.compared) == (None, {}, (), False)


def test_a_base_with_errors_is_said_and_the_head_still_has_its_digest(tmp_path: Path) -> None:
    two = TwoRevisions(tmp_path, edited(gated.ROOT_LOGIN, "tries:", "attempts:"))
    review = reviewed(two, {gated.ROOT_LOGIN: gated.text(gated.ROOT_LOGIN)})
    assert not review.compared
    assert review.digest is not None
    assert review.errors == 0
    assert "the base cannot be read whole" in messages(review, "warning")[0]


def test_a_tree_that_an_appliance_refuses_is_an_error(two: TwoRevisions) -> None:
    link = two.repo.store("blob", b"/etc/passwd")
    two.repo.git("update-index", "--add", "--cacheinfo", f"120000,{link},hosts/clinic/link.yaml")
    two.repo.git("-c", "commit.gpgsign=false", "commit", "-q", "-m", "m")
    review = two.compare().review
    assert any("a symbolic link" in message for message in messages(review))
    assert review.digest is None


def test_trust_changes_are_told_and_judged_by_the_base(two: TwoRevisions) -> None:
    weaker = TRUST.replace("authors: [security], approvals: 1", "authors: [security], approvals: 0")
    review = reviewed(two, {POLICY: weaker})
    [change] = review.trust
    assert (change.what, change.name, change.change) == ("rule", "trust", "changed")
    assert change.fields == (FieldChange("approvals", "1", "0"),)
    [need] = review.needs
    assert (need.rule, need.approvals, need.people) == ("trust", 1, ("alice", "carol"))
    assert any("alone may change policies/trust" in m for m in messages(review, "warning"))


def test_signers_that_are_taken_away_are_an_error(two: TwoRevisions) -> None:
    review = reviewed(two, {SIGNERS: None})
    assert any("is missing" in message for message in messages(review))


def test_a_path_that_nobody_owns_is_an_error(two: TwoRevisions) -> None:
    review = reviewed(two, {}, {"flake.nix": "{}\n"})
    assert any("no rule of the trust policy owns" in message for message in messages(review))


def test_warnings_of_the_base_are_counted_and_new_ones_told(tmp_path: Path) -> None:
    lonely = edited(gated.DESK, "access_path: [unit:ssh.service, port:tcp/22]\n", "")
    two = TwoRevisions(tmp_path, lonely)
    review = reviewed(two, edited(gated.ROOT_LOGIN, "at_most: 4", "at_most: 6"))
    assert review.older == 1
    assert messages(review, "warning") == []
    unused = gated.text(gated.ROOT_LOGIN).replace("id: root-login", "id: unused")
    review = reviewed(two, {"policies/rules/unused.yaml": unused})
    assert review.older == 1
    assert len(messages(review, "warning")) == 1


def test_an_exception_that_ends_soon_is_told_though_the_base_has_it(two: TwoRevisions) -> None:
    late = datetime(2027, 1, 15, tzinfo=UTC)
    two.propose(edited(gated.ROOT_LOGIN, "at_most: 4", "at_most: 6"))
    review = two.compare(at=late).review
    [remark] = [r for r in review.remarks if r.subject == "exception"]
    assert "ends on 2027-01-31" in remark.message
    assert two.compare().review.remarks == ()


def test_a_new_exception_is_part_of_the_plan(two: TwoRevisions) -> None:
    other = gated.text(gated.EXCEPTION).replace("id: long-idle", "id: another")
    [host] = reviewed(two, {"policies/exceptions/clinic/another.yaml": other}).changes
    assert [(e.rule, e.change) for e in host.exceptions] == [("another", "added")]


def test_a_head_that_lacks_the_base_is_said(two: TwoRevisions) -> None:
    two.propose(edited(gated.ROOT_LOGIN, "at_most: 4", "at_most: 6"))
    two.repo.checkout("main")
    two.repo.commit(None, {"policies/note.md": "later\n"})
    assert any("does not contain main" in m for m in messages(two.compare().review, "warning"))


def test_only_the_hosts_that_are_asked_for_are_told(two: TwoRevisions) -> None:
    two.propose(
        {
            **edited(gated.ROOT_LOGIN, "at_most: 4", "at_most: 6"),
            "hosts/clinic/lab.yaml": gated.text(gated.DESK).replace("id: desk", "id: lab"),
        }
    )
    revisions = Revisions(two.path)
    named = [revisions.resolve(name) for name in ("main", "change")]
    from reconciler.desired.gate.review import compare

    review = compare(revisions, *named, CATALOGUES, at=gated.AT, hosts=["clinic/lab"]).review
    assert [(h.target, h.change) for h in review.changes] == [("clinic/lab", "added")]
    assert sorted(review.hosts) == ["clinic/desk", "clinic/lab"]
    with pytest.raises(InputError, match="neither revision has a host clinic/cellar"):
        compare(revisions, *named, CATALOGUES, at=gated.AT, hosts=["clinic/cellar"])


def approved_base(two: TwoRevisions) -> tuple[str, str]:
    compared = two.compare("main", "main")
    assert compared.review.digest is not None
    return approval_file(
        compared.head,
        ["clinic/desk"],
        plan=compared.review.digest,
        approver="alice@msp.example",
        reason='She said: "yes", # and no more',
        today=date(2026, 5, 20),
    )


def test_an_approval_binds_until_the_plan_changes(tmp_path: Path) -> None:
    two = TwoRevisions(tmp_path, APPROVE)
    path, text = approved_base(two)
    assert path.startswith("approvals/clinic/plan-")
    two.repo.checkout("main")
    two.repo.commit(None, {path: text})
    begins = two.compare("main~1", "main").review
    assert begins.changes == ()
    assert begins.remarks == ()
    [new] = begins.approvals
    assert (new.change, new.why) == ("added", "lets RB-UNIT-001 run on desk")

    after = gated.edited(gated.ROOT_LOGIN, "at_most: 4", "at_most: 6")
    two.repo.commit(None, dict(after))
    ends = two.compare("main~1", "main").review
    [gone] = ends.approvals
    assert (gone.change, gone.approval) == ("removed", path[10:-5])
    assert gone.why.endswith("the plan of the host changed")
    assert any("no longer binds" in message for message in messages(ends, "warning"))

    two.repo.commit(None, {path: None, gated.ROOT_LOGIN: gated.text(gated.ROOT_LOGIN)})
    [taken] = two.compare("main~2", "main").review.approvals
    assert taken.why.endswith("its file is removed")


def test_an_approval_that_is_over_binds_nothing(tmp_path: Path) -> None:
    two = TwoRevisions(tmp_path, APPROVE)
    path, text = approved_base(two)
    two.repo.checkout("main")
    two.repo.commit(None, {path: text})
    late = two.compare("main~1", "main", at=datetime(2026, 7, 1, tzinfo=UTC)).review
    assert late.approvals == ()


def test_nothing_to_approve_is_said(two: TwoRevisions) -> None:
    with pytest.raises(InputError, match="nothing here asks for an approval"):
        approved_base(two)


def test_states_at_a_commit_that_evidence_names(two: TwoRevisions) -> None:
    commit = two.propose(edited(gated.ROOT_LOGIN, "at_most: 4", "at_most: 6"))
    revisions = Revisions(two.path)
    assert list(states_at(revisions, commit, CATALOGUES)) == ["clinic/desk"]
    with pytest.raises(InputError):
        states_at(revisions, "1" * 40, CATALOGUES)


def test_secrets_are_looked_for_in_what_a_change_adds(two: TwoRevisions) -> None:
    two.repo.commit(None, {"notes.txt": "password: oldoldold1\n"})
    two.repo.commit(
        None,
        {
            "notes.txt": "fine\npassword: oldoldold1\npassword: newnewnew1\n",
            "other.yaml": "a: 1\npassword: newnewnew1\n",
        },
    )
    revisions = Revisions(two.path)
    one, other = revisions.resolve("HEAD~1"), revisions.resolve("HEAD")
    found = secrets_in_change(revisions, one, other)
    assert [(r.where.file, r.where.line) for r in found] == [("notes.txt", 3), ("other.yaml", 2)]
    assert secrets_in_change(revisions, other, one) == []


def test_a_secret_that_a_later_commit_took_out_is_still_in_history(two: TwoRevisions) -> None:
    two.repo.commit(None, {"notes.txt": "fine\n"})
    two.repo.commit(None, {"notes.txt": "fine\npassword: newnewnew1\n"})
    leaked = two.repo.head()
    two.repo.commit(None, {"notes.txt": "fine\n"})
    two.repo.commit(None, {"other.txt": "fine\n"})
    revisions = Revisions(two.path)
    one, other = revisions.resolve("main"), revisions.resolve("change")
    [remark] = secrets_in_change(revisions, one, other)
    assert remark.where.file == "notes.txt"
    assert f"in commit {leaked[:12]}; a later one took it out" in remark.message
    assert "newnewnew1" not in repr(remark)


def test_what_a_merge_brings_is_told_once(two: TwoRevisions) -> None:
    two.repo.branch("side", "main")
    two.repo.commit(None, {"side.txt": "password: newnewnew1\n"})
    two.repo.checkout("change")
    two.repo.git("-c", "commit.gpgsign=false", "merge", "-q", "--no-ff", "-m", "m", "side")
    revisions = Revisions(two.path)
    one, other = revisions.resolve("main"), revisions.resolve("change")
    [remark] = secrets_in_change(revisions, one, other)
    assert (remark.where.file, remark.message) == (
        "side.txt",
        "looks like a secret (Secret Keyword)",
    )


def test_secrets_are_looked_for_in_a_work_tree(two: TwoRevisions) -> None:
    (two.path / ".gitignore").write_text("ignored/\n")
    (two.path / "ignored").mkdir()
    (two.path / "ignored" / "key.env").write_text("password: hunter2hunter2\n")
    (two.path / "new.env").write_text("password: hunter2hunter2\n")
    (two.path / "link.env").symlink_to("ignored/key.env")
    assert [r.where.file for r in secrets_in_directory(two.path)] == ["new.env"]


def test_secrets_of_a_work_tree_since_a_revision(two: TwoRevisions) -> None:
    two.repo.commit(None, {"notes.txt": "password: oldoldold1\n"})
    (two.path / "notes.txt").write_text("password: oldoldold1\npassword: newnewnew1\n")
    found = secrets_in_directory(two.path, "HEAD")
    assert [(r.where.file, r.where.line) for r in found] == [("notes.txt", 2)]
    assert len(secrets_in_directory(two.path)) == 2


def test_a_clone_that_lacks_an_object_is_told_so(two: TwoRevisions) -> None:
    two.propose(edited(gated.ROOT_LOGIN, "at_most: 4", "at_most: 6"))
    oid = two.repo.git("rev-parse", f"HEAD:{gated.ROOT_LOGIN}").strip()
    (two.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(InputError, match="this clone is incomplete") as incomplete:
        two.compare()
    assert "fetch-depth: 0" in incomplete.value.hint
    revisions = Revisions(two.path)
    with pytest.raises(InputError, match="this clone is incomplete"):
        secrets_in_change(revisions, revisions.resolve("main"), revisions.resolve("change"))


def test_healing_rules_and_numbers_of_guards_are_told_as_settings(two: TwoRevisions) -> None:
    healing = (
        "id: web\ntitle: x\nmatch:\n  check: TST-UNIT-001\n  where: {param.unit: nginx.service}\n"
        "runbook: RB-UNIT-001\nparams: {unit: apache.service}\n"
    )
    changes = {"policies/healing/web.yaml": healing, "policies/guards.yaml": "soak_s: 7200\n"}
    [changed] = reviewed(two, changes).changes
    assert {f.field: (f.old, f.new) for f in changed.settings} == {
        "guards.soak_s": ("3600", "7200"),
        "healing.web.check": ("-", "TST-UNIT-001"),
        "healing.web.params.unit": ("-", "apache.service"),
        "healing.web.priority": ("-", "100"),
        "healing.web.runbook": ("-", "RB-UNIT-001"),
        "healing.web.where.param.unit": ("-", "nginx.service"),
    }
    [runbook] = changed.runbooks
    assert runbook.rules == ("unit-runs[time]", "unit-runs[web]")
    assert [f.field for f in runbook.fields] == ["runs"]

"""Approvals of a fleet: what they bind, and that giving one changes nothing of what it is about."""

import hashlib
from datetime import date, timedelta

import pytest

from reconciler.desired.ending import ending, notices
from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from reconciler.desired.resolve import resolve
from reconciler.plan.host_plan import plan_digest
from tests.support.policy import CHECKS, STEPS, approved, base_files, files_under
from tests.support.policy import VECTORS as CASES

PATH = "approvals/clinic/restart.yaml"
RUNBOOK = "runbooks/RB-UNIT-001.yaml"
ISSUED, ENDS = date(2026, 11, 1), date(2026, 11, 30)


def fleet_files():
    """The small fleet, with a runbook that needs a person."""
    files = files_under(CASES / "base")
    files[RUNBOOK] = files[RUNBOOK].replace(b"mode: auto", b"mode: approve")
    return approved(files)


def state(files):
    return resolve(
        read_fleet(files), "clinic", "desk", commit="c" * 40, tree="7" * 40, checks=CHECKS
    )


def approval(plan, runbook, *, host="desk", expires=ENDS):
    return (
        f"id: restart\napprover: alice@msp.example\nhosts: {{{host}: 'sha256:{plan}'}}\n"
        f"runbooks: {{RB-UNIT-001: 'sha256:{runbook}'}}\nreason: It hangs.\n"
        f"issued_on: {ISSUED}\nexpires: {expires}\n"
    ).encode()


@pytest.fixture
def bound():
    files = fleet_files()
    runbook = hashlib.sha256(files[RUNBOOK]).hexdigest()
    return {**files, PATH: approval(state(files).plan_digest, runbook)}


def said(files):
    return [
        f"{p.severity} {p.where.file} {p.message}"
        for p in check_fleet(read_fleet(files), CHECKS, STEPS)
    ]


def test_an_approval_of_the_plan_as_it_is_has_nothing_wrong(bound):
    assert said(bound) == []


def test_giving_an_approval_changes_neither_the_plan_nor_the_policy_but_is_carried(bound):
    before, after = state(fleet_files()), state(bound)
    assert after.plan_digest == before.plan_digest == plan_digest(before)
    assert after.digest == before.digest
    assert before.approvals == ()
    (given,) = after.approvals
    assert given.approval.id == "restart"
    assert given.digest == hashlib.sha256(bound[PATH]).hexdigest()


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("policies/rules/root-login.yaml", b"at_most: 4", b"at_most: 3"),
        ("hosts/clinic/desk.yaml", b"nginx.service", b"apache.service"),
        ("hosts/clinic/client.yaml", b"mode: enforce", b"mode: observe"),
        ("policies/exceptions/clinic/long-idle.yaml", b"2027-01-31", b"2026-12-31"),
    ],
)
def test_whatever_changes_the_plan_takes_the_approval_s_force(bound, path, old, new):
    assert old in bound[path]
    changed = {**bound, path: bound[path].replace(old, new)}
    plan = state(changed).plan_digest
    assert said(changed) == [
        f"warning {PATH} no longer binds: the plan's digest is now sha256:{plan}"
    ]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("hosts/clinic/client.yaml", b"name: Test clinic", b"name: Another name"),
        ("policies/rules/root-login.yaml", b"title: Nobody", b"# why\ntitle: Nobody"),
    ],
)
def test_what_only_describes_does_not(bound, path, old, new):
    assert old in bound[path]
    assert said({**bound, path: bound[path].replace(old, new)}) == []


def test_an_edited_runbook_takes_it_twice(bound):
    edited = {**bound, RUNBOOK: bound[RUNBOOK].replace(b"Restart a unit", b"Restart it")}
    digest = hashlib.sha256(edited[RUNBOOK]).hexdigest()
    edited = approved({p: d for p, d in edited.items() if p != "runbooks/approved.yaml"})
    assert said(edited) == [
        f"warning {PATH} no longer binds: the plan's digest is now "
        f"sha256:{state(edited).plan_digest}",
        f"warning {PATH} no longer binds: the file's digest is now sha256:{digest}",
    ]


def test_an_approval_of_a_runbook_that_needs_none_is_said():
    files = base_files()
    runbook = hashlib.sha256(files[RUNBOOK]).hexdigest()
    files[PATH] = approval(state(files).plan_digest, runbook)
    assert said(files) == [f"warning {PATH} has mode auto, which needs no approval"]


def test_approvals_of_other_hosts_are_not_carried(bound):
    other = bound["hosts/clinic/desk.yaml"].replace(b"id: desk", b"id: till")
    files = {**bound, "hosts/clinic/till.yaml": other}
    files[PATH] = files[PATH].replace(b"desk:", b"till:")
    assert state(files).approvals == ()


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (ISSUED - timedelta(days=1), "is decided on 2026-11-01 only"),
        (ISSUED, None),
        (ENDS - timedelta(days=8), None),
        (ENDS - timedelta(days=7), "ends on 2026-11-30, in 7 days"),
        (ENDS + timedelta(days=1), "expired on 2026-11-30"),
    ],
)
def test_an_approval_says_a_week_ahead_that_it_ends(bound, today, words):
    expected = () if words is None else (f"approval restart {words}",)
    assert notices(state(bound), today) == expected
    problems = [p for p in ending(read_fleet(bound), today) if p.where.file == PATH]
    assert [(p.severity, p.where.field) for p in problems] == [("warning", "expires")] * bool(words)


REVIEW = date(2027, 1, 31)


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (REVIEW - timedelta(days=31), None),
        (REVIEW - timedelta(days=30), "ends on 2027-01-31, in 30 days"),
        (REVIEW, "ends on 2027-01-31, today"),
        (REVIEW + timedelta(days=1), "expired on 2027-01-31"),
    ],
)
def test_an_exception_says_a_month_ahead_that_it_ends(today, words):
    files = base_files()
    expected = () if words is None else (f"exception long-idle {words}",)
    assert notices(state(files), today) == expected
    problems = ending(read_fleet(files), today)
    assert [p.where.file for p in problems] == ["policies/exceptions/clinic/long-idle.yaml"] * bool(
        words
    )
    assert all(p.severity == "warning" and p.hint for p in problems)


def test_what_is_over_counts_for_nothing_and_says_so():
    (problem,) = ending(read_fleet(base_files()), REVIEW + timedelta(days=1))
    assert problem.message == "expired on 2027-01-31, so it counts for nothing"


def test_an_approval_of_a_week_is_not_announced_on_its_first_day(bound):
    week = {**bound, PATH: bound[PATH].replace(b"2026-11-30", b"2026-11-08")}
    assert notices(state(week), ISSUED) == ()
    assert notices(state(week), ISSUED + timedelta(days=4)) == (
        "approval restart ends on 2026-11-08, in 3 days",
    )

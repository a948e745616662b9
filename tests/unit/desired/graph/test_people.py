"""What the graph says of high risk, emergencies, freeze days, fleet breakers and stages."""

import hashlib
from collections.abc import Mapping

import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from reconciler.desired.resolve import resolve
from tests.support.policy import CHECKS, STEPS, VECTORS, approved, files_under

RUNBOOK = "runbooks/RB-UNIT-001.yaml"
CLIENT = "hosts/clinic/client.yaml"
TRUST = "policies/trust/policy.yaml"


def fleet(changes: Mapping[str, str] | None = None, **edits: str) -> dict[str, bytes]:
    """The small fleet; edits are ``old=new`` of its runbook."""
    files = files_under(VECTORS / "base")
    for old, new in edits.items():
        files[RUNBOOK] = files[RUNBOOK].replace(f"{old}: ".encode(), f"{new} #".encode())
    return approved(files | {path: text.encode() for path, text in (changes or {}).items()})


def said(files: Mapping[str, bytes]) -> list[str]:
    found = check_fleet(read_fleet(files), CHECKS, STEPS)
    return [f"{p.severity} {p.where}: {p.message}" for p in found]


def trust(rules: str) -> dict[str, str]:
    people = (
        "format: 1\npeople:\n"
        "  - {id: alice, principals: [a@msp.example], roles: [engineer], all_clients: true}\n"
        "  - {id: bob, principals: [b@msp.example], roles: [engineer], all_clients: true}\n"
    )
    return {TRUST: f"{people}rules:\n{rules}"}


ONE = '  - {id: clients, paths: ["approvals/{client}/**"], authors: [engineer], approvals: 0}\n'
HIGH = '  - {id: high, paths: ["approvals/*/high-*.yaml"], authors: [engineer], approvals: 1}\n'
ALL = '  - {id: all, paths: ["approvals/{client}/**"], authors: [engineer], approvals: 1}\n'
HIGH_RISK = {"mode": "mode: approve", "risk": "risk: high"}


@pytest.mark.parametrize("rules", [None, ONE, ONE + HIGH])
def test_high_risk_that_nobody_could_approve_is_said(rules: str | None) -> None:
    found = said(fleet(trust(rules) if rules else None, **HIGH_RISK))
    assert found == [
        f"warning {RUNBOOK}:28: risk: can never run for clinic: "
        "no rule asks two people for a file of approvals/"
    ]


@pytest.mark.parametrize("rules", [ALL, HIGH + ONE])
def test_a_rule_that_asks_two_people_is_enough(rules: str) -> None:
    assert said(fleet(trust(rules), **HIGH_RISK)) == []


def test_what_nobody_runs_by_software_needs_no_rule() -> None:
    files = fleet(mode="mode: never", risk="risk: high")
    text = files[RUNBOOK]
    steps, rest = text.index(b"steps:"), text.index(b"blast_radius:")
    files[RUNBOOK] = text[:steps] + b"procedure: People do it.\n" + text[rest:]
    del files["runbooks/approved.yaml"]
    assert said(approved(files)) == []


def approving(files: dict[str, bytes], name: str = "now", more: str = "") -> dict[str, bytes]:
    plan = resolve(
        read_fleet(files), "clinic", "desk", commit="c" * 40, tree="7" * 40, checks=CHECKS
    ).plan_digest
    runbook = hashlib.sha256(files[RUNBOOK]).hexdigest()
    text = (
        f"id: {name}\napprover: a@msp.example\nhosts: {{desk: 'sha256:{plan}'}}\n"
        f"runbooks: {{RB-UNIT-001: 'sha256:{runbook}'}}\nreason: It hangs.\n"
        f"issued_on: 2026-11-01\nexpires: 2026-11-03\n{more}"
    )
    return {**files, f"approvals/clinic/{name}.yaml": text.encode()}


def test_one_persons_yes_to_high_risk_binds_nothing() -> None:
    files = fleet(trust(HIGH + ONE), **HIGH_RISK)
    assert said(approving(files, "high-now")) == []
    [problem] = said(approving(files))
    assert problem.startswith("warning approvals/clinic/now.yaml:4: runbooks.RB-UNIT-001: binds")
    assert problem.endswith("high risk needs the yes of two people")


@pytest.mark.parametrize("more", ["emergency: true\n", "onboarding: true\n"])
def test_an_automatic_runbook_may_be_named_for_an_emergency_or_the_first_day(more: str) -> None:
    assert said(approving(fleet(), more=more)) == []
    [problem] = said(approving(fleet()))
    assert problem.endswith("has mode auto, which needs no approval")


def test_an_emergency_of_a_week_is_none() -> None:
    files = approving(fleet(), more="emergency: true\n")
    path = "approvals/clinic/now.yaml"
    files[path] = files[path].replace(b"2026-11-03", b"2026-11-08")
    assert any("an emergency lasts 2 days at most" in problem for problem in said(files))


def frozen(last: str) -> dict[str, bytes]:
    files = files_under(VECTORS / "base")
    freeze = f"freeze:\n  - {{first: 2026-12-01, last: {last}, reason: Audit.}}\n"
    return approved(files | {CLIENT: files[CLIENT] + freeze.encode()})


def test_a_freeze_is_a_pause() -> None:
    assert said(frozen("2026-12-31")) == []
    [problem] = said(frozen("2027-01-01"))
    assert problem.startswith(f"warning {CLIENT}:16: freeze[0]: stops every repair for 32 days")
    assert any("last is before first" in one for one in said(frozen("2026-11-30")))


def digest() -> str:
    return hashlib.sha256(fleet()[RUNBOOK]).hexdigest()


def breakers(digest: str) -> dict[str, str]:
    text = (
        f"breakers:\n  - runbook: RB-UNIT-001\n    digest: sha256:{digest}\n"
        "    opened_on: 2026-11-01\n    hosts: [clinic/desk]\n"
        f"    evidence: ['clinic/desk@7:sha256:{'0' * 64}']\n    reason: It failed.\n"
    )
    return {"policies/breakers.yaml": text}


def test_an_open_breaker_of_the_version_in_use_is_said_and_an_older_one_as_gone() -> None:
    [problem] = said(fleet(breakers(digest())))
    assert problem.endswith("switches off RB-UNIT-001 as it is now, everywhere")
    [gone] = said(fleet(breakers("5" * 64)))
    assert "switches off a version that is gone" in gone


STAGED = {"policies/guards.yaml": "staged_rollout: true\n"}


def rollout(stage: str, hosts: str = "[clinic/desk]", name: str = "RB-UNIT-001", of: str = ""):
    text = (
        f"runbooks:\n  {name}:\n    digest: sha256:{of or digest()}\n"
        f"    stage: {stage}\n    hosts: {hosts}\n"
    )
    return {"policies/rollout.yaml": text}


def test_with_stages_every_version_has_one() -> None:
    assert said(fleet(STAGED | rollout("canary"))) == []
    [problem] = said(fleet(STAGED))
    assert problem.endswith("has no stage in policies/rollout.yaml, so it runs nowhere")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (rollout("canary"), "holds nothing back: staged_rollout is off"),
        (STAGED | rollout("canary", "[]"), "a canary without hosts runs nowhere"),
        (STAGED | rollout("all", "[clinic/dest]"), "there is no host clinic/dest"),
        (STAGED | rollout("all", "[clinic/desk, clinic/desk]"), "clinic/desk is listed twice"),
        (STAGED | rollout("all", of="5" * 64), "is not the version in use: the file's digest is"),
        (STAGED | rollout("all", name="RB-UNIT-002"), "there is no runbook RB-UNIT-002"),
    ],
)
def test_a_stage_that_is_not_what_it_seems_is_said(files: dict[str, str], why: str) -> None:
    assert any(why in problem for problem in said(fleet(files)))

import pytest

from reconciler.guard import (
    access_path_safe,
    allow_list,
    approval,
    kill_switch,
    mode,
    precheck,
)
from reconciler.model.client import KillSwitch
from tests.support.desired_states import (
    make_action,
    make_client,
    make_desired,
    make_finding,
    make_host,
    make_rule,
    make_runbook,
    pin,
)
from tests.support.guarding import make_context

ENGAGED = {"engaged": True, "reason": "ransomware drill"}
RELEASED = {"engaged": False, "reason": "over"}
ACTION = make_action()


@pytest.mark.parametrize(
    "desired",
    [
        make_desired(kill_switches={"fleet": KillSwitch(**ENGAGED)}),
        make_desired(client=make_client(kill_switch=ENGAGED)),
        make_desired(host=make_host(kill_switch=ENGAGED)),
    ],
    ids=["fleet", "client", "host"],
)
def test_an_engaged_kill_switch_anywhere_denies_and_says_why(desired: object) -> None:
    verdict = kill_switch.judge(ACTION, make_context(desired=desired))
    assert verdict.ruling == "deny"
    assert "ransomware drill" in verdict.reason


def test_a_released_kill_switch_allows() -> None:
    desired = make_desired(client=make_client(kill_switch=RELEASED))
    assert kill_switch.judge(ACTION, make_context(desired=desired)).ruling == "allow"


@pytest.mark.parametrize(
    ("desired", "why"),
    [
        (make_desired(client=make_client(mode="observe")), "the client is in observe mode"),
        (make_desired(host=make_host(mode="observe")), "the host is in observe mode"),
        (make_desired([make_rule(enforce=False)]), "not enforced here: time"),
        (make_desired([make_rule("other")]), "not enforced here: time"),
    ],
)
def test_observe_anywhere_denies(desired: object, why: str) -> None:
    verdict = mode.judge(ACTION, make_context(desired=desired))
    assert (verdict.ruling, verdict.reason) == ("deny", why)


def test_enforce_everywhere_allows_and_other_hosts_and_no_rules_are_denied() -> None:
    context = make_context()
    assert mode.judge(ACTION, context).ruling == "allow"
    assert mode.judge(make_action(target="clinic/server"), context).ruling == "deny"
    assert mode.judge(make_action(rules=()), context).ruling == "deny"


@pytest.mark.parametrize(
    ("action", "desired", "why"),
    [
        (make_action(runbook="RB-OTHER-001"), make_desired(), "there is no runbook"),
        (ACTION, make_desired(runbooks=[pin(make_runbook(), approved=False)]), "not approved"),
        (
            ACTION,
            make_desired(client=make_client(denied_runbooks=["RB-TIME-001"])),
            "the client denies",
        ),
        (ACTION, make_desired(runbooks=[pin(make_runbook(), digest="b" * 64)]), "changed since"),
        (ACTION, make_desired([make_rule(check="LNX-SSH-001")]), "is not for time"),
        (make_action(["unheard-of"]), make_desired(), "is not for unheard-of"),
        (ACTION, make_desired(host=make_host(kind="nixos")), "is not for nixos"),
        (make_action(params={"unit": 5}), make_desired(), "must be str"),
        (make_action(params={"nit": "x"}), make_desired(), "no such parameter"),
    ],
)
def test_only_the_approved_runbook_as_it_was_approved_and_for_what_it_fixes(
    action: object, desired: object, why: str
) -> None:
    verdict = allow_list.judge(action, make_context(desired=desired))  # type: ignore[arg-type]
    assert verdict.ruling == "deny"
    assert why in verdict.reason


def test_an_approved_runbook_is_allowed() -> None:
    assert allow_list.judge(ACTION, make_context()).ruling == "allow"


@pytest.mark.parametrize(
    ("how", "window_open", "ruling"),
    [
        ("auto", False, "allow"),
        ("window", True, "allow"),
        ("window", False, "defer"),
        ("approve", True, "deny"),
        ("never", True, "deny"),
    ],
)
def test_how_much_of_a_person_a_runbook_needs(how: str, window_open: bool, ruling: str) -> None:
    desired = make_desired(runbooks=[pin(make_runbook(mode=how))])
    context = make_context(desired=desired, window_open=window_open)
    assert approval.judge(ACTION, context).ruling == ruling


CONDITION = {"check": "LNX-AVL-002", "expect": {"load_state": "loaded"}, "reason": "is masked"}
CAREFUL = make_desired(runbooks=[pin(make_runbook(precheck=[CONDITION]))])


@pytest.mark.parametrize(
    ("findings", "ruling", "why"),
    [
        ((make_finding(status="pass", check="LNX-AVL-002"),), "allow", ""),
        ((make_finding(status="fail", check="LNX-AVL-002"),), "deny", "is masked"),
        ((make_finding(status="not_applicable", check="LNX-AVL-002"),), "deny", "is masked"),
        ((make_finding(status="excepted", check="LNX-AVL-002"),), "deny", "is masked"),
        (
            (make_finding(status="unknown", check="LNX-AVL-002", reason="no bus"),),
            "defer",
            "no bus",
        ),
        ((), "defer", "not all looked at"),
        ((make_finding(status="pass", check="LNX-SSH-001"),), "defer", "not all looked at"),
        ((make_finding(status="pass", check="LNX-AVL-002"),) * 2, "defer", "not all looked at"),
    ],
)
def test_a_precheck_must_have_been_seen_to_hold(findings: object, ruling: str, why: str) -> None:
    verdict = precheck.judge(ACTION, make_context(desired=CAREFUL, prechecks=findings))
    assert verdict.ruling == ruling
    assert why in verdict.reason


def test_findings_that_no_precheck_asked_for_defer() -> None:
    context = make_context(prechecks=(make_finding(status="pass"),))
    assert precheck.judge(ACTION, context).ruling == "defer"


@pytest.mark.parametrize(
    "judge", [allow_list.judge, approval.judge, precheck.judge, access_path_safe.judge]
)
def test_an_unknown_runbook_is_denied_by_every_guard_that_reads_it(judge: object) -> None:
    action = make_action(runbook="RB-OTHER-001")
    assert judge(action, make_context()).ruling == "deny"  # type: ignore[operator]

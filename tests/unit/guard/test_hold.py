from datetime import UTC, datetime

from reconciler.guard import hold
from reconciler.guard.gate import admit, admitted
from reconciler.model.client import KillSwitch
from reconciler.model.run import Hold
from tests.support.desired_states import make_action, make_desired
from tests.support.guarding import make_context

SINCE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
STALE = Hold("stale", "The newest heartbeat is 30 h old.", "Let CI sign a new one.", SINCE)
REVOKED = Hold("revoked-content", "1 path is in question.", "Approve it.", SINCE, ("hosts/a.yaml",))


def test_every_action_waits_while_the_state_is_held_and_each_reason_is_named() -> None:
    verdict = hold.judge(make_action(), make_context(holds=(STALE, REVOKED)))

    assert verdict.ruling == "defer"
    for said in (STALE, REVOKED):
        assert said.reason in verdict.reason
        assert said.hint in verdict.reason


def test_nothing_waits_without_a_reason() -> None:
    assert hold.judge(make_action(), make_context()).ruling == "allow"


def test_only_a_kill_switch_speaks_before_it() -> None:
    engaged = KillSwitch(engaged=True, reason="drill")
    both = make_context(holds=(STALE,), desired=make_desired(kill_switches={"fleet": engaged}))

    held = admit(make_action(), make_context(holds=(STALE,)))
    killed = admit(make_action(), both)

    assert [(v.guard, v.ruling) for v in held] == [("kill_switch", "allow"), ("hold", "defer")]
    assert [(v.guard, v.ruling) for v in killed] == [("kill_switch", "deny")]
    assert not admitted(held)

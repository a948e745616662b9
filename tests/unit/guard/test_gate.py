from pathlib import Path

from reconciler.guard import gate
from reconciler.guard.gate import GUARDS, admit, admitted, judge_all
from reconciler.guard.memory import Memory
from reconciler.model.verdict import Verdict
from tests.support.desired_states import make_action, make_client, make_desired
from tests.support.guarding import NOW, attempt, make_context


def test_an_action_that_nothing_speaks_against_is_admitted_by_every_guard() -> None:
    verdicts = admit(make_action(), make_context())
    assert [verdict.guard for verdict in verdicts] == [guard.name for guard in GUARDS]
    assert admitted(verdicts)


def test_the_first_guard_that_does_not_allow_has_the_last_word() -> None:
    context = make_context(desired=make_desired(client=make_client(mode="observe")))
    verdicts = admit(make_action(), context)
    assert [(v.guard, v.ruling) for v in verdicts] == [
        ("kill_switch", "allow"),
        ("hold", "allow"),
        ("quarantine", "allow"),
        ("revision", "allow"),
        ("tier", "allow"),
        ("mode", "deny"),
    ]
    assert not admitted(verdicts)


def test_the_order_is_the_one_that_people_read_about() -> None:
    order = """kill_switch hold quarantine revision tier mode exception freeze allow_list approval
        access_path_safe precheck fleet_breaker rollout flap breaker cooldown tokens mutex"""
    assert [guard.name for guard in GUARDS] == order.split()


def test_a_cooldown_says_how_long() -> None:
    verdicts = admit(make_action(), make_context(memory=attempt(Memory.empty(), "failed", NOW)))
    assert {v.ruling for v in verdicts[:-1]} == {"allow"}
    assert (verdicts[-1].guard, verdicts[-1].retry_after_s) == ("cooldown", 600)


def test_who_asks_why_hears_every_guard() -> None:
    desired = make_desired(client=make_client(mode="observe"))
    context = make_context(desired=desired, memory=attempt(Memory.empty(), "failed", NOW))
    said = judge_all(make_action(), context)
    assert [verdict.guard for verdict in said] == [guard.name for guard in GUARDS]
    assert [v.guard for v in said if v.ruling != "allow"] == ["mode", "cooldown"]


def test_silence_is_not_admission() -> None:
    complete = admit(make_action(), make_context())
    assert not admitted(())
    assert not admitted(complete[:-1])
    assert not admitted((*complete[:-1], Verdict("allow", "somebody-else")))


def test_every_guard_of_the_house_stands_in_the_gate_under_the_name_of_its_file() -> None:
    folder = Path(gate.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if "GUARD = Guard(" in path.read_text()}
    assert files == {guard.name for guard in GUARDS}

from pathlib import Path

from reconciler.guard import gate
from reconciler.guard.gate import GUARDS, admit, admitted
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
        ("tier", "allow"),
        ("mode", "deny"),
    ]
    assert not admitted(verdicts)


def test_a_cooldown_speaks_last() -> None:
    verdicts = admit(make_action(), make_context(memory=attempt(Memory.empty(), "failed", NOW)))
    assert [v.ruling for v in verdicts] == ["allow"] * 12 + ["defer"]
    assert verdicts[-1].retry_after_s == 600


def test_silence_is_not_admission() -> None:
    complete = admit(make_action(), make_context())
    assert not admitted(())
    assert not admitted(complete[:-1])
    assert not admitted((*complete[:-1], Verdict("allow", "somebody-else")))


def test_every_guard_of_the_house_stands_in_the_gate_under_the_name_of_its_file() -> None:
    folder = Path(gate.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if "GUARD = Guard(" in path.read_text()}
    assert files == {guard.name for guard in GUARDS}

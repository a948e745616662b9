import threading
import time
from collections.abc import Iterator

import pytest

from reconciler.model.answer import Answer
from reconciler.model.probe import Internal, Probe, ReadFile
from reconciler.targets.linux.round import Round
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.target import LinuxTarget
from tests.support.asking import session

FAST = [ReadFile(f"/fast/{number}") for number in range(3)]
SLOW = ReadFile("/slow")


class Machine:
    """Answers everything but ``/slow``, which hangs until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.sessions: dict[Probe, Session] = {}

    def __call__(self, probe: Probe, used: Session) -> Answer:
        self.sessions[probe] = used
        if probe == SLOW:
            self.released.wait(10)
        return Answer("ok", probe)


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    yield made
    made.released.set()


class TestRound:
    def test_everything_is_answered_in_one_thread(self, machine: Machine) -> None:
        asked = Round(FAST, machine, 5)
        own = session()
        assert asked.ask(own, session) is own
        assert asked.answers == {probe: Answer("ok", probe) for probe in FAST}
        assert asked.hanging == {}

    def test_nothing_to_ask(self, machine: Machine) -> None:
        asked = Round([], machine, 5)
        asked.ask(session(), session)
        assert asked.answers == {}

    def test_a_hung_probe_costs_itself_only(self, machine: Machine) -> None:
        asked = Round([FAST[0], SLOW, FAST[1], FAST[2]], machine, 0.05)
        own = session()
        left = asked.ask(own, session)
        assert asked.answers[SLOW].status == "timeout"
        assert asked.answers[SLOW].reason == "did not answer in time"
        assert 50 <= asked.answers[SLOW].ms < 1000
        assert [asked.answers[probe].status for probe in FAST] == ["ok"] * 3
        assert machine.sessions[SLOW] is own
        assert machine.sessions[FAST[1]] is machine.sessions[FAST[2]] is left
        assert left is not own

    def test_an_answer_that_comes_too_late_changes_nothing(self, machine: Machine) -> None:
        asked = Round([SLOW], machine, 0.05)
        asked.ask(session(), session)
        machine.released.set()
        asked.hanging[SLOW].join(5)
        assert not asked.hanging[SLOW].is_alive()
        assert asked.answers[SLOW].status == "timeout"

    def test_each_probe_has_the_whole_time(self, machine: Machine) -> None:
        def lazily(probe: Probe, _used: Session) -> Answer:
            time.sleep(0.03)
            return Answer("ok", probe)

        asked = Round([Internal("now"), *FAST, Internal("host")], lazily, 0.06)
        asked.ask(session(), session)
        assert {answer.status for answer in asked.answers.values()} == {"ok"}
        assert all(answer.ms >= 29 for answer in asked.answers.values())


class TestTarget:
    def test_answers_come_in_the_order_of_the_questions_and_once_each(self) -> None:
        probes = [ReadFile("/proc/self/stat"), Internal("now"), ReadFile("/proc/self/stat")]
        answers = LinuxTarget(internal=lambda _: Answer("ok", 5)).ask(probes, 5)
        assert list(answers) == probes[:2]
        assert answers[Internal("now")] == Answer("ok", 5)

    def test_a_question_that_still_hangs_is_not_asked_again(self) -> None:
        release, asked = threading.Event(), []

        def internal(topic: str) -> Answer:
            asked.append(topic)
            if topic == "ledger":
                release.wait(10)
            return Answer("ok", topic)

        target = LinuxTarget(internal=internal)
        probes = [Internal("ledger"), Internal("now")]
        try:
            first, second = target.ask(probes, 0.05), target.ask(probes, 0.05)
        finally:
            release.set()
        assert first[probes[0]].reason == "did not answer in time"
        assert second[probes[0]].status == "timeout"
        assert second[probes[0]].reason == "an earlier look still waits for the same answer"
        assert [answers[probes[1]].status for answers in (first, second)] == ["ok", "ok"]
        assert asked == ["ledger", "now", "now"]
        deadline = time.monotonic() + 5
        while target.ask(probes, 0.05)[probes[0]].status != "ok" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert target.ask(probes, 5)[probes[0]] == Answer("ok", "ledger")

    def test_what_breaks_in_a_probe_is_its_own_unknown(self) -> None:
        def internal(topic: str) -> Answer:
            raise RuntimeError(f"no {topic}")

        answers = LinuxTarget(internal=internal).ask(
            [Internal("now"), ReadFile("/proc/version")], 5
        )
        assert answers[Internal("now")] == Answer("error", reason="unexpected RuntimeError: no now")
        assert answers[ReadFile("/proc/version")].status == "ok"

    def test_a_probe_that_nobody_knows_is_unsupported(self) -> None:
        class Foreign:
            pass

        probe = Foreign()
        (answer,) = LinuxTarget().ask([probe], 5).values()  # type: ignore[list-item]
        assert answer.reason == "a Linux machine cannot answer Foreign"

    def test_without_an_engine_its_questions_are_unsupported(self) -> None:
        (answer,) = LinuxTarget().ask([Internal("ledger")], 5).values()
        assert answer.status == "unsupported"

import os
import threading
from pathlib import Path

import pytest

from reconciler.model.answer import Answer
from reconciler.model.operation import Run, UnitFile, UnitJob, UnitProperty, WaitUntil, WriteFile
from reconciler.model.probe import Internal, ReadFile
from reconciler.targets.linux.operations import pick
from reconciler.targets.linux.target import LinuxTarget

DATA = {"ssh.service": {"active_state": "active", "restarts": 0}, "list": [{"x": True}]}


class TestPick:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("ssh.service.active_state", "active"),
            ("ssh.service.restarts", 0),
            ("list.0.x", True),
            ("list.1.x", None),
            ("ssh.active_state", None),
            ("nope", None),
            ("ssh.service.active_state.deeper", None),
        ],
    )
    def test_paths(self, path: str, value: object) -> None:
        assert pick(DATA, path) == value

    def test_an_empty_path_is_everything(self) -> None:
        assert pick("text", "") == "text"


class TestCarryOut:
    def test_done(self, tmp_path: Path) -> None:
        result = LinuxTarget().carry_out(
            WriteFile(str(tmp_path / "f"), b"x", uid=os.geteuid(), gid=os.getegid())
        )
        assert (result.ok, result.reason) == (True, "")
        assert result.ms < 5000

    @pytest.mark.parametrize(
        ("operation", "reason"),
        [
            (WriteFile("relative", b""), "not an absolute path without dots"),
            (WriteFile("/no/such/directory/f", b""), "no such file"),
            (Run(("rm", "-rf", "/")), "'rm' is not in the list of allowed programs"),
            (Run(()), "no program is named"),
            (UnitJob("start", "--now"), "'--now' is not a unit name"),
            (UnitFile("mask", "x"), "'x' is not a unit name"),
            (UnitProperty("a/b.service", "IOWeight", 1), "'a/b.service' is not a unit name"),
        ],
    )
    def test_what_a_machine_says_is_a_reason(self, operation: Run, reason: str) -> None:
        result = LinuxTarget().carry_out(operation)
        assert (result.ok, result.reason) == (False, reason)

    def test_an_unexpected_error_is_named(self) -> None:
        result = LinuxTarget().carry_out(WriteFile("/tmp/x", "no bytes"))  # type: ignore[arg-type]
        assert not result.ok
        assert result.reason.startswith("unexpected TypeError")


class TestWaitUntil:
    def test_it_asks_until_it_is_so(self) -> None:
        states = iter(["activating", "activating", "active"])
        target = LinuxTarget(internal=lambda _: Answer("ok", {"a.b": next(states)}))
        result = target.carry_out(WaitUntil(Internal("now"), "a.b", ("active", "failed"), 5))
        assert (result.ok, result.reason) == (True, "")

    def test_it_says_what_it_saw_last(self) -> None:
        target = LinuxTarget(internal=lambda _: Answer("ok", {"n": 1}))
        result = target.carry_out(WaitUntil(Internal("now"), "n", (True, "1"), 0))
        assert (result.ok, result.reason) == (False, "waited 0 s; last seen: nothing yet")
        result = target.carry_out(WaitUntil(Internal("now"), "n", (True, "1"), 1))
        assert (result.ok, result.reason) == (False, "waited 1 s; last seen: 1")

    def test_no_answer_is_not_it(self) -> None:
        wait = WaitUntil(ReadFile("/no/such/file"), "", ("",), 1)
        assert LinuxTarget().carry_out(wait).reason == "waited 1 s; last seen: no such file"


def test_a_hung_operation_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.targets.linux import operations

    release = threading.Event()
    monkeypatch.setattr(operations, "seconds_for", lambda _operation: 0.05)
    monkeypatch.setattr(operations, "_GRACE_S", 0.05)
    monkeypatch.setattr(operations, "_work", lambda *_: release.wait(10))
    try:
        result = LinuxTarget().carry_out(WriteFile("/tmp/x", b""))
    finally:
        release.set()
    assert (result.ok, result.reason) == (False, "did not end in time; it may still happen")

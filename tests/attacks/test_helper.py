"""Who has the socket of the helper, and is not who it serves or says what it should not."""

import json
import os
import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import MachineError
from reconciler.evidence import canonical
from reconciler.model.operation import (
    UNDER_WAY,
    OperationResult,
    Run,
    SetAccess,
    UnitJob,
    WaitUntil,
    WriteFile,
)
from reconciler.model.probe import UnitStatus
from reconciler.model.system_operation import RepairPath
from reconciler.targets.helper import wire
from reconciler.targets.helper.client import HelperTarget
from reconciler.targets.helper.serve import Terms, serve
from tests.support.helper_rig import Written, helper

JOB = UnitJob("restart", "chronyd.service")


def refusal(answer: bytes) -> str:
    found = wire.decode_result(answer)
    assert not found.ok
    return found.reason


def test_one_operation_goes_through_and_is_logged_without_content(tmp_path: Path) -> None:
    with helper(tmp_path) as rig:
        assert rig.target.carry_out(JOB) == OperationResult(True, "", 3)
        assert rig.root.done == [JOB]
        waiting = WaitUntil(UnitStatus(("x.service",)), "x", ("y",))
        assert rig.target.carry_out(waiting).ok
        assert rig.here.done == [waiting], "waiting needs nobody's help"
        secret = WriteFile("/etc/x", b"secret")
        assert "the helper refused" in rig.target.carry_out(secret).reason
        rig.target.ask((UnitStatus(("x.service",)),), 1)
        assert rig.here.asked == [UnitStatus(("x.service",))]
        assert rig.root.asked == []
    assert rig.root.done == [JOB]
    assert f"UnitJob verb=restart unit=chronyd.service for pid {os.getpid()}: ok" in rig.log[0]
    assert "secret" not in " ".join(rig.log)


def test_another_user_is_not_answered_and_not_read(tmp_path: Path) -> None:
    with helper(tmp_path, uid=os.geteuid() + 1) as rig:
        assert rig.says(wire.encode(JOB)) == b""
        lost = rig.target.carry_out(JOB)
        assert not lost.ok
    assert rig.root.done == []
    assert f"uid {os.geteuid()} (pid {os.getpid()}) is not who is served" in rig.log[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 4096,
        wire.encode(JOB) * 2,
        wire.encode(JOB)[:-1],
        wire.encode(JOB).replace(b"restart", b"isolate"),
        canonical.encode({"format": wire.FORMAT, "operation": {"kind": "Shell", "argv": ["sh"]}}),
        canonical.encode(json.loads(wire.encode(JOB)) | {"user": "root"}),
    ],
)
def test_garbage_is_refused_and_the_next_one_served(tmp_path: Path, data: bytes) -> None:
    with helper(tmp_path) as rig:
        assert "the helper refused" in refusal(rig.says(data))
        assert rig.target.carry_out(JOB).ok
    assert rig.root.done == [JOB]


def test_a_request_without_end_is_cut(tmp_path: Path) -> None:
    with helper(tmp_path, request_s=5.0) as rig:
        answer = rig.says(b"a" * (wire.MAX_REQUEST + 200_000), ends=False)
        assert answer == b"" or "larger than" in refusal(answer)
        assert rig.target.carry_out(JOB).ok


def test_half_requests_take_no_more_than_their_time(tmp_path: Path) -> None:
    with helper(tmp_path) as rig:
        half = wire.encode(JOB)[:40]
        assert "did not end in time" in refusal(rig.says(half, ends=False))
        with rig.connect() as drips:
            drips.sendall(half)
            assert rig.target.carry_out(JOB).ok, "others are served meanwhile"
    assert rig.root.done == [JOB]


def test_a_thousand_connections_leave_it_able_to_work(tmp_path: Path) -> None:
    with helper(tmp_path, request_s=0.3) as rig:
        with ExitStack() as held:
            for number in range(1000):
                # A full queue is refused by the kernel at once.
                with suppress(BlockingIOError):
                    one = rig.connect()
                    held.enter_context(one) if number < 100 else one.close()
            # They are held until it has come to them, however late that is.
            until = time.monotonic() + 20
            while not _full(rig.log) and time.monotonic() < until:
                time.sleep(0.01)
        results = (rig.target.carry_out(JOB).ok or time.sleep(0.1) for _ in range(100))
        assert any(results), "it never came back"
    assert rig.root.done == [JOB]
    assert _full(rig.log)


def _full(log: list[str]) -> bool:
    return any("connections are open already" in line for line in log)


def test_one_operation_at_a_time(tmp_path: Path) -> None:
    with helper(tmp_path) as rig:
        rig.root.gate.clear()
        first: list[OperationResult] = []
        worker = threading.Thread(target=lambda: first.append(rig.target.carry_out(JOB)))
        worker.start()
        while not rig.root.done:
            pass
        assert rig.target.carry_out(JOB).reason == UNDER_WAY
        rig.root.gate.set()
        worker.join(20)
    assert first[0].ok
    assert rig.root.done == [JOB]


def test_it_does_not_end_while_an_operation_is_under_way(tmp_path: Path) -> None:
    path = tmp_path / "helper.sock"
    target = Written()
    target.gate.clear()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(8)
        terms = Terms(uid=os.geteuid(), idle_s=0.05)
        served = threading.Thread(
            target=serve, args=(listening, target, terms, lambda _line: None), daemon=True
        )
        served.start()
        found: list[OperationResult] = []
        asks = HelperTarget(Written(), path)
        worker = threading.Thread(target=lambda: found.append(asks.carry_out(JOB)))
        worker.start()
        served.join(0.5)
        assert served.is_alive()
        target.gate.set()
        worker.join(20)
        served.join(20)
        assert not served.is_alive(), "nobody asked for a while"
    assert found[0].ok


@pytest.mark.parametrize(
    "operation",
    [
        SetAccess("/etc/shadow", 0o644, 0, 0),
        Run(("usermod", "-o", "-u", "0", "nobody")),
        UnitJob("start", "debug-shell.service"),
    ],
)
def test_what_would_make_somebody_root_is_refused(tmp_path: Path, operation: Any) -> None:
    with helper(tmp_path) as rig:
        assert "the helper refused" in rig.target.carry_out(operation).reason
    assert rig.root.done == []


def test_a_server_that_lies_or_hangs_up_makes_nothing_done(tmp_path: Path) -> None:
    path = tmp_path / "s"
    target = HelperTarget(Written(), path)
    assert "cannot be reached" in target.carry_out(JOB).reason
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(8)

        def answers(data: bytes) -> None:
            connection, _ = listening.accept()
            with connection:
                while connection.recv(65536):
                    pass
                connection.sendall(data)

        for data in (b"", b"ok", b"x" * (wire.MAX_RESULT + 1), b'{"ok":true}'):
            worker = threading.Thread(target=answers, args=(data,))
            worker.start()
            found = target.carry_out(JOB)
            worker.join(20)
            assert not found.ok
            assert "it may have happened" in found.reason


def test_nobody_writes_lines_of_their_own_into_the_log(tmp_path: Path) -> None:
    forged = "x\nUnitJob verb=start unit=sshd.service for pid 1: ok (3 ms)\x1b[2J\u2028"
    with helper(tmp_path) as rig:
        for operation in (RepairPath(forged), UnitJob("start", forged)):
            rig.target.carry_out(operation)
    assert len(rig.log) == 2
    assert all(line.isprintable() for line in rig.log), rig.log


def test_a_socket_that_nobody_listens_on_is_refused() -> None:
    one, other = socket.socketpair()
    with one, other, pytest.raises(MachineError, match="no socket to listen on"):
        serve(one, Written(), Terms(uid=0), lambda _line: None)

"""The helper over a real socket, in front of a target that writes down what it is asked."""

import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import MachineError
from reconciler.model.answer import Answer
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.probe import Probe
from reconciler.targets.helper.client import HelperTarget
from reconciler.targets.helper.serve import Terms, serve


@dataclass
class Written:
    """A target that does nothing but remember; it can be made to wait.

    Attributes:
        done: What was carried out, in order.
        asked: What was asked.
        gate: Carrying out waits for it.
        result: What it answers.
    """

    done: list[Operation] = field(default_factory=list)
    asked: list[Probe] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    result: OperationResult = field(default_factory=lambda: OperationResult(True, "", 3))

    def __post_init__(self) -> None:
        self.gate.set()

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        self.asked.extend(probes)
        return {probe: Answer("absent", reason="a test") for probe in probes}

    def carry_out(self, operation: Operation) -> OperationResult:
        self.done.append(operation)
        assert self.gate.wait(30)
        return self.result


@dataclass
class Rig:
    """A helper that runs.

    Attributes:
        path: Its socket.
        root: What it carries out on.
        here: What the client looks at.
        log: Lines of its journal.
    """

    path: Path
    root: Written
    here: Written
    log: list[str]

    @property
    def target(self) -> HelperTarget:
        return HelperTarget(self.here, self.path)

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(20)
        try:
            connection.connect(str(self.path))
        except OSError:
            connection.close()
            raise
        return connection

    def says(self, data: bytes, *, ends: bool = True) -> bytes:
        """What it answers to bytes; nothing where it hangs up."""
        with self.connect() as connection, suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        return b""


@contextmanager
def helper(directory: Path, **terms: float | int) -> Iterator[Rig]:
    """A helper that serves this user until the end of the block."""
    said: dict[str, float | int] = {"uid": os.geteuid(), "request_s": 0.5, "idle_s": 0.2} | terms
    rig = Rig(directory / "helper.sock", Written(), Written(), [])
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(rig.path))
        listening.listen(256)
        wanted = Terms(**said)  # type: ignore[arg-type]
        served = threading.Thread(
            target=_always, args=(listening, rig.root, wanted, rig.log.append), daemon=True
        )
        served.start()
        yield rig
        rig.root.gate.set()
    served.join(10)
    assert not served.is_alive()


def _always(listening: socket.socket, *more: object) -> None:
    """As systemd would: it starts the helper again when somebody connects."""
    while listening.fileno() >= 0:
        try:
            serve(listening, *more)  # type: ignore[arg-type]
        except (MachineError, OSError):
            return

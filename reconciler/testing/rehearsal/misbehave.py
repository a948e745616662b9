"""Runs inside the guest: one real run of the engine on the real machine, with one fault.

``python3 -m reconciler.testing.rehearsal.misbehave MODE SETTINGS JOURNAL LATER_S``:

- ``lie``: every operation says that it was carried out, and nothing is done;
- ``drop``: the first operation is carried out and its answer is lost, and so is everything after;
- ``die``: the process is killed right after the first operation;
- ``none``: no fault; only the clock is later, by so many seconds.

Every operation is a line of the journal before it is begun. The report goes to standard output.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from reconciler.engine.appliance import linux_target, open_appliance
from reconciler.engine.clock import SystemClock
from reconciler.engine.run import reconcile
from reconciler.engine.session import Options
from reconciler.engine.settings import load_settings
from reconciler.errors import MachineError, ReconcilerError
from reconciler.model.answer import Answer
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.probe import Probe
from reconciler.ports import Target
from reconciler.report.run import as_document


@dataclass(slots=True)
class Faulty:
    """A target with one fault.

    Attributes:
        lost: Whether the connection is gone.
    """

    real: Target
    mode: str
    journal: Path
    lost: bool = False

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        """Answer, while there is a connection."""
        if self.lost:
            return {probe: Answer("error", reason="the connection was lost") for probe in probes}
        return self.real.ask(probes, deadline_s)

    def carry_out(self, operation: Operation) -> OperationResult:
        """Carry out, or misbehave."""
        with self.journal.open("a", encoding="utf-8") as journal:
            journal.write(f"{operation!r}\n")
        if self.mode == "lie":
            return OperationResult(ok=True, reason="", ms=0)
        if self.lost:
            raise _cut()
        result = self.real.carry_out(operation)
        if self.mode == "drop":
            self.lost = True
            raise _cut()
        if self.mode == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return result


class LaterClock(SystemClock):
    """The machine's clock, some seconds ahead; waiting is real."""

    def __init__(self, ahead_s: int) -> None:
        self._ahead = timedelta(seconds=ahead_s)

    def now(self) -> datetime:
        """Wall time."""
        return super().now() + self._ahead

    def monotonic(self) -> float:
        """As much later: time that passes for everybody is no clock that jumped."""
        return super().monotonic() + self._ahead.total_seconds()


def _cut() -> MachineError:
    return MachineError(
        "the connection was lost before the answer came", hint="Look what is true now."
    )


def main(mode: str, settings: str, journal: str, later_s: str) -> int:
    """Run once; the exit code is that of ``reconciler run``."""

    def target(root: str, internal: Callable[[str], Answer]) -> Target:
        return Faulty(linux_target(root, internal), mode, Path(journal))

    clock = LaterClock(int(later_s))
    try:
        home = load_settings(Path(settings))
        with open_appliance(home, clock=clock, make_target=target) as appliance:
            report = reconcile(appliance, Options())
    except ReconcilerError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    sys.stdout.write(json.dumps(as_document(report)))
    return int(report.exit_code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

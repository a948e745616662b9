"""A drill whose machine lives in a file, as a real one outlives the reconciler, and a process that
runs it and is killed at every point where the engine or the machine can be interrupted.

``python -m tests.support.file_drill kill TEMPLATE OUT`` copies TEMPLATE to OUT/<number> for every
point that an undisturbed run passes, and leaves each as SIGKILL at that point left it.
``python -m tests.support.file_drill serve DIRECTORY`` is the daemon; its first operation takes
until the file ``go-on`` is there.
"""

import json
import os
import pickle
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler import load_settings, open_appliance
from reconciler.checks import catalogue as checks
from reconciler.engine.appliance import Appliance
from reconciler.engine.daemon import Daemon
from reconciler.engine.notify import Notifier
from reconciler.engine.scaffold.make import Scaffold
from reconciler.engine.settings import Home
from reconciler.model.answer import Answer
from reconciler.model.operation import Operation, OperationResult
from reconciler.ports import Target
from reconciler.steps import catalogue as steps
from reconciler.testing.fake_target import FakeTarget
from tests.support.appliances import SettableClock, Site
from tests.support.drill import Drill, Wired, new_drill

REF = "refs/heads/example-clinic/workstation"


class FileTarget(FakeTarget):
    """A fake target that keeps its machine in a file and a journal of what was carried out."""

    directory: Path
    point: Callable[[str], None]

    def carry_out(self, operation: Operation) -> OperationResult:
        self.point("operation-begins")
        entry = {"operation": repr(operation), "tip": (self.directory / "var/tip").read_text()}
        with (self.directory / "journal").open("a") as journal:
            journal.write(json.dumps(entry) + "\n")
        result = super().carry_out(operation)
        save(self.directory, self.machine)
        self.point("operation-ends")
        return result


@dataclass
class FileDrill(Drill):
    """A drill in a directory, that any process can go on with."""

    directory: Path = Path()
    point: Callable[[str], None] = lambda _where: None

    def target(self, _root: str, internal: Callable[[str], Answer]) -> Target:
        fake = FileTarget(self.machine, self.faults, carried=self.carried, clock=self.clock)
        fake.directory, fake.point = self.directory, self._operation_point
        return Wired(fake, internal, self)

    def _operation_point(self, where: str) -> None:
        # Asked of Git's own file: what an operation could rely on if the power went now.
        tip = Path(self.site.evidence, REF).read_text().strip()
        (self.directory / "var/tip").write_text(tip)
        self.point(where)

    def journal(self) -> list[dict[str, Any]]:
        """Every operation that was begun, with the tip of the ledger at that instant."""
        file = self.directory / "journal"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def save(directory: Path, machine: object) -> None:
    temporary = directory / "machine.new"
    temporary.write_bytes(pickle.dumps(machine))
    temporary.replace(directory / "machine")


def make_template(directory: Path, *damages: Callable[[Any], None]) -> None:
    """A drill that has not run yet, with these damages."""
    directory.mkdir()
    drill = new_drill(directory / "var")
    for damage in damages:
        damage(drill.machine)
    save(directory, drill.machine)
    (directory / "clock").write_text(drill.clock.at.isoformat())
    made = {name: str(getattr(drill.site.made, name)) for name in Scaffold.__slots__}
    relative = {k: v.replace(f"{directory}/", "") for k, v in made.items()}
    (directory / "made").write_text(json.dumps(relative))


def load(directory: Path, *, after_s: float = 300) -> FileDrill:
    """Go on with a drill, some time after it was made."""
    made = json.loads((directory / "made").read_text())
    paths = {name: directory / made[name] for name in ("settings", "fleet", "evidence")}
    site = Site(Scaffold(**(made | paths)), directory / "var")

    clock = SettableClock(datetime.fromisoformat((directory / "clock").read_text()))
    clock.pass_time(after_s)
    machine = pickle.loads((directory / "machine").read_bytes())
    return FileDrill(site, clock, machine, directory=directory)


def _in_a_child(work: Callable[[], None]) -> int:
    """Wait status of a forked process; nothing has started a thread here."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a forked child must never return
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def _run(directory: Path, point: Callable[[str], None]) -> None:
    drill = load(directory)
    drill.point = point
    drill.run(hook=point)


def _record(directory: Path) -> None:
    points: list[str] = []
    _run(directory, points.append)
    (directory / "points").write_text(json.dumps(points))


def _die_at(number: int) -> Callable[[str], None]:
    left = [number]

    def point(_where: str) -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    return point


def kill_everywhere(template: Path, out: Path) -> None:
    # Imported here, so that not every child imports them.
    assert checks.load()
    assert steps.load()
    shutil.copytree(template, out / "undisturbed")
    assert _in_a_child(lambda: _record(out / "undisturbed")) == 0
    points = json.loads((out / "undisturbed/points").read_text())
    for number, name in enumerate(points):
        directory = out / str(number)
        shutil.copytree(template, directory)
        status = _in_a_child(lambda d=directory, n=number: _run(d, _die_at(n)))  # type: ignore[misc]
        assert os.WIFSIGNALED(status), f"{number} {name}: {status}"
        assert os.WTERMSIG(status) == signal.SIGKILL


def serve(directory: Path) -> None:
    drill = load(directory)

    def hold(where: str) -> None:
        (directory / "in-operation").touch()
        deadline = time.monotonic() + 20
        while where == "operation-ends" and not (directory / "go-on").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    drill.point = hold

    @contextmanager
    def opening(home: Home) -> Iterator[Appliance]:
        with open_appliance(home, clock=drill.clock, make_target=drill.target) as appliance:
            yield appliance

    home = load_settings(Path(drill.site.settings))
    Daemon(home, Notifier(None), lambda _r: None, lambda e: print(e), opening=opening).serve()


if __name__ == "__main__":
    if sys.argv[1] == "kill":
        kill_everywhere(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        serve(Path(sys.argv[2]))

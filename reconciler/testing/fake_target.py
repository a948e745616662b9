"""A machine in memory that can be looked at and changed, and that can be made to misbehave.

It answers and obeys as a Linux target does, as far as steps and runbooks reach. A fault can make
it lie (report success, change nothing), break something beside what it was asked to do, refuse,
or hang until the operation's own time limit.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from reconciler.model.answer import Answer
from reconciler.model.operation import (
    DaemonReload,
    Operation,
    OperationResult,
    RestoreSample,
    Run,
    SetAccess,
    UnitFile,
    UnitJob,
    UnitProperty,
    WaitUntil,
    WriteFile,
    WriteSysctl,
)
from reconciler.model.probe import (
    BusProperty,
    Command,
    Probe,
    ReadFile,
    ReadGlob,
    ReadLink,
    StatPaths,
    UnitStatus,
)
from reconciler.model.system_operation import OnSystem, Reapply
from reconciler.ports import Clock
from reconciler.testing.fake_clock import FakeClock
from reconciler.testing.fake_machine import FakeFile, FakeMachine
from reconciler.testing.fake_system import act_on_system

_NO_LIMIT = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Fault:
    """How the machine misbehaves, and at which operations.

    Attributes:
        mode: ``lies``, ``breaks``, ``refuses`` or ``hangs``.
        at: Whether an operation is concerned.
        damage: What breaks, for ``breaks``.
    """

    mode: Literal["lies", "breaks", "refuses", "hangs"]
    at: Callable[[Operation], bool] = lambda _operation: True
    damage: Callable[[FakeMachine], None] | None = None


@dataclass(slots=True)
class FakeTarget:
    """A `reconciler.ports.Target` over a `FakeMachine`.

    Attributes:
        faults: The first that concerns an operation decides.
        blind: Probes that are answered with ``denied``.
        carried: Every operation that was sent, in order.
        clock: Waits pass on it at once.
    """

    machine: FakeMachine = field(default_factory=FakeMachine)
    faults: list[Fault] = field(default_factory=list)
    blind: set[Probe] = field(default_factory=set)
    carried: list[Operation] = field(default_factory=list)
    clock: Clock = field(default_factory=FakeClock)

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        """Answer every probe."""
        del deadline_s
        return {probe: self._answer(probe) for probe in probes}

    def carry_out(self, operation: Operation) -> OperationResult:
        """Do as asked, or misbehave as told."""
        self.carried.append(operation)
        fault = next((fault for fault in self.faults if fault.at(operation)), None)
        mode = fault.mode if fault else None
        if mode == "lies":
            return OperationResult(ok=True, reason="", ms=1)
        if mode == "refuses":
            return OperationResult(ok=False, reason="permission denied", ms=1)
        if mode == "hangs":
            limit = getattr(operation, "timeout_s", 30)
            self.clock.sleep(limit)
            return OperationResult(ok=False, reason=f"timed out after {limit} s", ms=limit * 1000)
        on_system = isinstance(operation, OnSystem)
        reason = self._on_system(operation) if on_system else self._do(operation)
        if fault and fault.damage:
            fault.damage(self.machine)
        return OperationResult(ok=not reason, reason=reason, ms=1)

    def _answer(self, probe: Probe) -> Answer:
        if probe in self.blind:
            return Answer("denied", reason="permission denied; needs root")
        match probe:
            case ReadFile() | ReadGlob() | ReadLink():
                return self._read(probe)
            case StatPaths():
                return Answer(
                    "ok",
                    [
                        row
                        for p in probe.patterns
                        for path in self._fitting(p)
                        for row in self._stat(path)
                    ],
                )
            case UnitStatus():
                return Answer("ok", {name: self._unit(name) for name in probe.units})
            case BusProperty():
                return self._limit(probe)
            case Command(argv=("nft", *_)):
                return Answer("ok", {"exit": 0, "stdout": self.machine.ruleset, "stderr": ""})
            case Command(argv=argv):
                reason = self.machine.run(Run(argv))
                return Answer("ok", {"exit": int(bool(reason)), "stdout": "", "stderr": reason})
            case _:
                return Answer("unsupported", reason="not part of the fake machine")

    def _read(self, probe: ReadFile | ReadGlob | ReadLink) -> Answer:
        if isinstance(probe, ReadLink):
            to = self.machine.links.get(probe.path)
            return Answer("absent") if to is None else Answer("ok", to)
        if isinstance(probe, ReadGlob):
            there = [p for p in self._fitting(probe.pattern) if p in self.machine.files]
            return Answer("ok", [self._text(path) for path in there])
        if probe.path.startswith("/proc/sys/"):
            name = probe.path.removeprefix("/proc/sys/").replace("/", ".")
            value = self.machine.sysctls.get(name)
            return Answer("absent") if value is None else Answer("ok", f"{value}\n")
        file = self.machine.files.get(probe.path)
        if file is None or file.type != "file":
            return Answer("absent")
        return Answer("ok", file.content if probe.binary else file.content.decode())

    def _fitting(self, pattern: str) -> list[str]:
        """Paths that a glob pattern names; ``*`` stands for one segment, as in glob(7)."""
        if "*" not in pattern:
            return [pattern]
        wanted = pattern.split("/")
        return sorted(
            path
            for path in self.machine.files
            if len(parts := path.split("/")) == len(wanted) and all(map(fnmatchcase, parts, wanted))
        )

    def _text(self, path: str) -> dict[str, Any]:
        file = self.machine.files[path]
        return {
            "path": path,
            "status": "ok",
            "text": file.content.decode("utf-8", "surrogateescape"),
        }

    def _stat(self, path: str) -> list[dict[str, Any]]:
        file = self.machine.files.get(path)
        if file is None:
            return []
        size = len(file.content)
        row = {"path": path, "type": file.type, "mode": file.mode, "uid": file.uid}
        return [row | {"gid": file.gid, "size": size, "mtime": len(self.carried)}]

    def _unit(self, name: str) -> dict[str, Any]:
        unit = self.machine.units.get(name)
        if unit is not None:
            return unit.facts()
        return {"load_state": "not-found", "active_state": "inactive", "unit_file_state": ""}

    def _limit(self, probe: BusProperty) -> Answer:
        escaped = probe.path.rpartition("/")[2]
        name = re.sub(r"_([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), escaped)
        unit = self.machine.units.get(name)
        return Answer("absent") if unit is None else Answer(
            "ok", unit.limits.get(probe.name, _NO_LIMIT)
        )  # fmt: skip

    def _do(self, operation: Operation) -> str:
        match operation:
            case WriteFile() | SetAccess():
                return self._write(operation)
            case WaitUntil():
                return self._wait(operation)
            case Run():
                return self.machine.run(operation)
            case UnitJob(verb, unit):
                return self.machine.job(verb, unit)
            case UnitFile(verb, unit):
                return self.machine.unit_file(verb, unit)
            case DaemonReload():
                return ""
            case _:
                self._set(operation)
                return ""

    def _on_system(self, operation: Operation) -> str:
        if isinstance(operation, Reapply):
            failed = (self.machine.job("restart", unit) for unit in operation.units)
            return next(filter(None, failed), "")
        return act_on_system(self.machine.links, operation)

    def _set(self, operation: Operation) -> None:
        match operation:
            case UnitProperty(unit, name, value):
                self.machine.units[unit].limits[name] = _NO_LIMIT if value is None else value
            case WriteSysctl(name, value):
                self.machine.sysctls[name] = value
            case RestoreSample():
                self.machine.files[operation.record] = FakeFile(b"{}", 0o600)
            case _:
                pass

    def _write(self, operation: WriteFile | SetAccess) -> str:
        path, files = operation.path, self.machine.files
        if path in files and files[path].type != "file":
            return f"{path}: is a {files[path].type}; refused"
        if isinstance(operation, WriteFile):
            if operation.content is None:
                files.pop(path, None)
            else:
                files[path] = FakeFile(
                    operation.content, operation.mode, operation.uid, operation.gid
                )
        elif path not in files:
            return f"{path}: no such file"
        else:
            bytes_there = files[path].content
            files[path] = FakeFile(bytes_there, operation.mode, operation.uid, operation.gid)
        return ""

    def _wait(self, operation: WaitUntil) -> str:
        value = _pick(self._answer(operation.probe).data, operation.field)
        if value in operation.values:
            return ""
        self.clock.sleep(operation.timeout_s)
        return f"still {value!r} after {operation.timeout_s} s"


def _pick(data: Any, path: str) -> Any:
    """The value at a dotted path; a key may itself hold dots, as names of units do."""
    if not path:
        return data
    if not isinstance(data, dict):
        return None
    fitting = [key for key in data if path == key or path.startswith(f"{key}.")]
    return _pick(data[fitting[0]], path[len(fitting[0]) + 1 :]) if fitting else None

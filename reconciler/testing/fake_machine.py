"""The state of a fake machine, and what its programs do to it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.operation import Run

Program = Callable[["FakeMachine", Run], str]
"""Does what a program would do; answers why it failed, or an empty text."""


@dataclass(slots=True)
class FakeFile:
    """One path: a regular file, or (``type``) a directory, link or something else."""

    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    type: str = "file"


@dataclass(slots=True)
class FakeUnit:
    """One systemd unit.

    Attributes:
        active: ``ActiveState``.
        file: ``UnitFileState``.
        under_mask: What ``file`` is once it is unmasked; masking leaves the links of enabling.
        oneshot: It ends by itself once started.
        broken: Starting it fails.
        runs: What its start does to the machine.
        reads: What a start or reload makes it take over: called with the machine.
    """

    active: str = "inactive"
    file: str = "disabled"
    under_mask: str = "disabled"
    result: str = "success"
    restarts: int = 0
    oneshot: bool = False
    broken: bool = False
    runs: Callable[["FakeMachine"], None] | None = None
    reads: Callable[["FakeMachine"], None] | None = None
    limits: dict[str, int] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """As `UnitStatus` answers."""
        return {
            "load_state": "masked" if self.file == "masked" else "loaded",
            "active_state": self.active,
            "sub_state": {"active": "running", "failed": "failed"}.get(self.active, "dead"),
            "unit_file_state": self.file,
            "result": self.result,
            "restarts": self.restarts,
            "active_since": 0,
            "exec_main_status": 0,
        }


@dataclass(slots=True)
class FakeMachine:
    """Everything a fake machine is.

    Attributes:
        files: By absolute path.
        units: By name.
        sysctls: By dotted name.
        ruleset: What ``nft list ruleset`` prints.
        programs: By name, what may be run beside those this module knows.
        links: Symbolic links, by path; a NixOS machine has some (`reconciler.testing.fake_system`).
    """

    files: dict[str, FakeFile] = field(default_factory=dict)
    units: dict[str, FakeUnit] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    ruleset: str = ""
    programs: dict[str, Program] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def run(self, operation: Run) -> str:
        """Run a program; why it failed, or an empty text."""
        program = self.programs.get(operation.argv[0]) or _PROGRAMS.get(operation.argv[0])
        return program(self, operation) if program else f"{operation.argv[0]}: not installed"

    def job(self, verb: str, name: str) -> str:
        """Do what systemd would do; why it failed, or an empty text."""
        unit = self.units.get(name)
        if unit is None:
            return f"unit {name} not found"
        if verb == "stop":
            unit.active = "inactive"
        elif verb == "reset-failed":
            unit.active, unit.result = "inactive", "success"
        elif verb == "reload":
            return self._reload(unit)
        elif verb != "try-restart" or unit.active == "active":
            return self._start(unit, restart=verb != "start")
        return ""

    def unit_file(self, verb: str, name: str) -> str:
        """Enable, disable, mask or unmask; why not, or an empty text."""
        unit = self.units.get(name)
        if unit is None:
            return f"unit {name} not found"
        if verb == "mask" and unit.file != "masked":
            unit.under_mask, unit.file = unit.file, "masked"
        elif verb == "unmask" and unit.file == "masked":
            unit.file = unit.under_mask
        elif verb in {"enable", "disable"}:
            if unit.file == "masked":
                return f"unit {name} is masked"
            unit.file = f"{verb}d"
        return ""

    def _start(self, unit: FakeUnit, *, restart: bool) -> str:
        if unit.file == "masked":
            return "unit is masked"
        if unit.active == "active" and not restart:
            return ""
        if unit.broken:
            unit.active, unit.result = "failed", "exit-code"
            return "job failed"
        unit.active, unit.result = "inactive" if unit.oneshot else "active", "success"
        for effect in (unit.runs, unit.reads):
            if effect:
                effect(self)
        return ""

    def _reload(self, unit: FakeUnit) -> str:
        if unit.active != "active":
            return "unit is not active"
        if unit.reads:
            unit.reads(self)
        return ""


def _nft(machine: FakeMachine, operation: Run) -> str:
    path = operation.argv[-1]
    file = machine.files.get(path)
    if file is None:
        return f"{path}: no such file"
    text = file.content.decode()
    if "syntax error" in text:
        return f"{path}: syntax error"
    if "-c" not in operation.argv:
        # Comments and the flush are not part of what nft lists afterwards.
        lines = text.splitlines(keepends=True)
        machine.ruleset = "".join(x for x in lines if not x.startswith(("#", "flush", "\n")))
    return ""


def _usermod(machine: FakeMachine, operation: Run) -> str:
    """``usermod --expiredate DAY NAME``, the only way it is used."""
    _usermod_itself, _flag, day, name = operation.argv
    shadow = machine.files["/etc/shadow"]
    rows = [line.split(":") for line in shadow.content.decode().split("\n")]
    mine = [row for row in rows if row[0] == name]
    if not mine:
        return f"usermod: user '{name}' does not exist"
    mine[0][7] = day
    shadow.content = "\n".join(":".join(row) for row in rows).encode()
    return ""


def _succeeds(_machine: FakeMachine, _operation: Run) -> str:
    return ""


_PROGRAMS: dict[str, Program] = {
    "nft": _nft,
    "sshd": _succeeds,
    "ssh-keyscan": _succeeds,
    "journalctl": _succeeds,
    "systemd-tmpfiles": _succeeds,
    "augenrules": _succeeds,
    "restic": _succeeds,
    "usermod": _usermod,
}

"""A machine that is exactly what a NixOS configuration declares, for checks that ask a machine.

Answers are made from the expectations document and from the files that the release would write;
what neither says (a clock, a loaded rule set, ages) is not answered, so a check that needs it sees
nothing.
"""

from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

from reconciler.model.answer import Answer, Answers
from reconciler.model.check import Check
from reconciler.model.probe import (
    AuditStatus,
    BusProperty,
    Command,
    FirewallChains,
    Internal,
    Probe,
    ReadFile,
    ReadGlob,
    StatPaths,
    UnitStatus,
)
from reconciler.model.values import Params

_UNSEEN = Answer("error", reason="not declared")
_RUNNING = {"load_state": "loaded", "active_state": "active", "unit_file_state": "enabled"}
_THERE = {"load_state": "loaded", "active_state": "inactive", "unit_file_state": "linked"}
_MISSING = {"load_state": "not-found", "active_state": "inactive", "unit_file_state": ""}
NOW = 1_795_400_000
_REST = {
    "sub_state": "",
    "result": "success",
    "restarts": 0,
    "active_since": NOW - 60,
    "exec_main_status": 0,
}


class DeclaredMachine:
    """Answers probes by a declaration (tests/nix/modules/declared.nix).

    Attributes:
        declared: What Nix evaluated.
        document: The expectations document in it.
    """

    def __init__(self, declared: Mapping[str, Any]) -> None:
        self.declared = declared
        self.document = declared["document"]
        self._files = dict(declared["files"]) | self._accounts() | self._sysctls()

    def answers(self, check: Check, params: Params) -> Answers:
        """Every probe of a check, answered."""
        return Answers({probe: self.answer(probe) for probe in check.probes(params)})

    def answer(self, probe: Probe) -> Answer:
        match probe:
            case ReadFile(path=path):
                return self._file(path)
            case ReadGlob(pattern=pattern):
                return self._glob(pattern)
            case Command(argv=("sshd", "-G")):
                return Answer("ok", {"exit": 0, "stdout": self._sshd(), "stderr": ""})
            case Command(argv=(program, *_)):
                return Answer("absent", reason=f"{program} is not asked")
            case UnitStatus(units=units):
                return Answer("ok", {unit: self._unit(unit) for unit in units})
            case _:
                return self._of_kernel_and_bus(probe)

    def _of_kernel_and_bus(self, probe: Probe) -> Answer:
        match probe:
            case BusProperty(name="StopIdleSessionUSec"):
                return Answer("ok", self.declared["idle"] * 1_000_000)
            case BusProperty(name="DefaultLimitCORESoft"):
                return Answer("ok", 2**64 - 1)
            case StatPaths():
                return Answer("ok", [])
            case FirewallChains():
                return Answer("ok", self._firewall())
            case AuditStatus():
                return Answer("ok", self._audit())
            case Internal(topic="now"):
                return Answer("ok", {"unix_s": NOW})
            case _:
                return _UNSEEN

    def _file(self, path: str) -> Answer:
        text = self._files.get(path)
        return Answer("absent", reason="no such file") if text is None else Answer("ok", text)

    def _glob(self, pattern: str) -> Answer:
        found = sorted(path for path in self._files if fnmatch(path, pattern))
        return Answer(
            "ok", [{"path": path, "status": "ok", "text": self._files[path]} for path in found]
        )

    def _sshd(self) -> str:
        # What sshd prints although nobody has set it.
        settings = {"authorizedkeyscommand": "none"} | self.document["sshd"]["settings"]
        return "".join(f"{keyword} {value}\n" for keyword, value in settings.items())

    def _unit(self, unit: str) -> dict[str, Any]:
        units = self.document["units"]
        if unit in (*units["run"], *units["timers"], *units["sockets"]):
            return _REST | _RUNNING
        return _REST | (_THERE if unit in units["oneshot"] else _MISSING)

    def _audit(self) -> dict[str, int]:
        runs = "auditd.service" in self.document["units"]["run"]
        return {
            "enabled": 1,
            "backlog_limit": self.declared["backlogLimit"],
            "lost": 0,
            "pid": int(runs),
            "failure": 1,
        }

    def _firewall(self) -> dict[str, Any]:
        firewall = self.document["firewall"]
        verdict = "drop" if firewall["enabled"] else "accept"
        chain = {"family": "inet", "table": "nixos-fw", "name": "input", "hook": "input"}
        return {
            "backend": firewall["backend"],
            "chains": [chain | {"policy": verdict, "final_verdict": None, "rules": 1}],
            "open_ports": [],
        }

    def _accounts(self) -> dict[str, str]:
        passwd = "".join(
            f"{u['name']}:x:{u['uid']}:100::{u['home']}:{u['shell']}\n"
            for u in self.document["users"]
        )
        shadow = "".join(
            f"{u['name']}:{self.declared['root'] if u['name'] == 'root' else '!'}:20000::::::\n"
            for u in self.document["users"]
        )
        return {
            "/etc/passwd": passwd,
            "/etc/shadow": shadow,
            "/etc/group": "".join(
                f"{g['name']}:x:{g['gid']}:{','.join(g['members'])}\n"
                for g in self.document["groups"]
            ),
            "/etc/ssh/sshd_config": "",
            "/proc/sys/kernel/core_pattern": "|/nix/store/x/lib/systemd/systemd-coredump %P\n",
        }

    def _sysctls(self) -> dict[str, str]:
        return {
            f"/proc/sys/{name.replace('.', '/')}": f"{value}\n"
            for name, value in self.document["sysctl"].items()
        }

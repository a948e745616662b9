"""Who answers which probe. A module is imported when its first probe is asked.

A tick that needs no process, no netlink and no adjtimex(2) does not pay for importing their
modules: most of the cost of a short look is imports.
"""

import importlib
from collections.abc import Callable
from functools import cache

from reconciler.model import nixos_probe as nixos
from reconciler.model.answer import Answer
from reconciler.model.probe import (
    AuditRules,
    AuditStatus,
    BusProperty,
    ClockState,
    Command,
    FailedUnits,
    FirewallChains,
    Internal,
    JournalEvents,
    Probe,
    ReadFile,
    ReadGlob,
    ReadHeads,
    ReadLink,
    Sockets,
    StatFilesystem,
    StatPaths,
    UnitStatus,
)
from reconciler.targets.linux.no_answer import NoAnswer, from_os_error
from reconciler.targets.linux.session import Session

Answerer = Callable[[Probe, Session], Answer]

_HERE = "reconciler.targets.linux"
_IN_A_TREE: dict[type, str] = {
    ReadFile: "files:read_file",
    ReadGlob: "files:read_glob",
    ReadHeads: "files:read_heads",
    ReadLink: "files:read_link",
    StatPaths: "files:stat_paths",
    nixos.DeclaredFiles: "declared:declared_files",
    Internal: "internal:internal",
}
_ON_A_MACHINE: dict[type, str] = {
    StatFilesystem: "filesystem:stat_filesystem",
    UnitStatus: "units:unit_status",
    FailedUnits: "bus:failed_units",
    BusProperty: "bus:bus_property",
    Sockets: "sockets:sockets",
    FirewallChains: "firewall:firewall_chains",
    AuditStatus: "audit:audit_status",
    AuditRules: "audit:audit_rules",
    Command: "command:command",
    ClockState: "clock:clock_state",
    JournalEvents: "journal:journal_events",
    nixos.RealPath: "entries:real_path",
    nixos.Entries: "entries:entries",
    nixos.LoadedUnits: "loaded_units:loaded_units",
    nixos.LoadedFrom: "loaded_units:loaded_from",
    nixos.DeclaredSysctls: "declared:declared_sysctls",
    nixos.DeclaredPaths: "declared:declared_paths",
    nixos.SetuidFiles: "setuid:setuid_files",
    nixos.KernelModules: "kernel_modules:kernel_modules",
}


def answer(probe: Probe, session: Session) -> Answer:
    """Answer one probe; never raises for what a machine says."""
    try:
        return _answerer(type(probe).__name__)(probe, session)
    except NoAnswer as unknown:
        return unknown.answer()
    except OSError as error:
        return from_os_error(error).answer()
    # A machine can say what nobody thought of. That is one unknown, not the end of the round.
    except Exception as error:  # noqa: BLE001
        return Answer("error", reason=f"unexpected {type(error).__name__}: {error!s:.200}")


def answer_in_tree(probe: Probe, session: Session) -> Answer:
    """Answer one probe about a directory tree, which is no running machine."""
    if type(probe) not in _IN_A_TREE:
        return Answer("unsupported", reason="a directory tree has no running system")
    return answer(probe, session)


@cache
def _answerer(kind: str) -> Answerer:
    places = {cls.__name__: place for cls, place in (_IN_A_TREE | _ON_A_MACHINE).items()}
    if kind not in places:
        raise NoAnswer("unsupported", f"a Linux machine cannot answer {kind}")
    module, _, function = places[kind].partition(":")
    found: Answerer = getattr(importlib.import_module(f"{_HERE}.{module}"), function)
    return found

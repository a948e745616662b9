"""Kernel audit: is it on, is auditd listening, and was it on from the first process?

Without ``audit=1`` on the command line, processes started before auditd stay unaudited. The
kernel says who reads its events, so a unit that looks active without being connected is found.

Source: 45 CFR 164.312(b); CIS-Deb12:6.2.1.2-4; NIXOS:V-268080, V-268090, V-268092, V-268093;
auditctl(8), kernel-parameters (audit=, audit_backlog_limit=).
"""

import re

from reconciler.checks.parsing.container import CONTAINER, audit_belongs_to_host
from reconciler.checks.parsing.records import record
from reconciler.checks.parsing.shapes import number, units
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import AuditStatus, Probe, ReadFile, UnitStatus
from reconciler.model.values import Params

STATUS = AuditStatus()
COMMAND_LINE = ReadFile("/proc/cmdline", limit=16 * 1024)
DAEMON = UnitStatus(("auditd.service",))


def _boot_option(command_line: str, name: str) -> int | None:
    """The last value of ``name=<number>``; the kernel takes the last one too."""
    given = re.findall(rf"(?:^|\s){name}=(\S+)", command_line)
    if not given:
        return None
    words = {"on": 1, "off": 0}
    return words[given[-1]] if given[-1] in words else number(given[-1], f"boot option {name}")


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    """Read the kernel's audit state; needs root (CAP_AUDIT_CONTROL)."""
    elsewhere = audit_belongs_to_host(answers, STATUS)
    if elsewhere is not None:
        return elsewhere
    status = record(answers.data(STATUS), "audit status")
    daemon = units(answers, DAEMON)["auditd.service"]
    command_line = answers.text(COMMAND_LINE)
    return {
        "enabled": status.whole("enabled"),
        "failure": status.whole("failure"),
        "backlog_limit": status.whole("backlog_limit"),
        "lost": status.whole("lost"),
        "reader_connected": status.whole("pid") != 0,
        "auditd": daemon.active_state,
        "boot_audit": _boot_option(command_line, "audit"),
        "boot_backlog_limit": _boot_option(command_line, "audit_backlog_limit"),
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The kernel's audit state, auditd, the boot options, and whether this is a container."""
    return (STATUS, DAEMON, COMMAND_LINE, CONTAINER)


CHECK = Check(
    id="LNX-AUD-001",
    title="Kernel audit on and auditd running",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.312(b); CIS-Deb12:6.2.1.2-4; NIXOS:V-268080; auditctl(8)",
    fields={
        "enabled": Field("int", "0 off, 1 on, 2 on and locked until reboot."),
        "failure": Field("int", "What a lost event does: 0 nothing, 1 a message, 2 a panic."),
        "backlog_limit": Field("int", "Events the kernel holds before it loses some."),
        "lost": Field("int", "Events lost since boot."),
        "reader_connected": Field("bool", "Whether a process reads the kernel's events."),
        "auditd": Field("str", "Active state of auditd.service."),
        "boot_audit": Field("int", "audit= of the kernel's command line.", optional=True),
        "boot_backlog_limit": Field(
            "int", "audit_backlog_limit= of the kernel's command line.", optional=True
        ),
    },
    probes=_probes,
    parse=_parse,
)

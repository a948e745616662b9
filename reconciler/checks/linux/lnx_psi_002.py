"""Memory pressure: did every task stall on memory, and has the kernel killed any?

Source: 45 CFR 164.308(a)(7)(i); Linux Documentation/accounting/psi.rst; proc_vmstat(5) oom_kill.
"""

import re

from reconciler.checks.parsing.pressure import lines
from reconciler.checks.parsing.shapes import number, refuse
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.values import Params

MEMORY = ReadFile("/proc/pressure/memory", limit=4096)
COUNTERS = ReadFile("/proc/vmstat", limit=64 * 1024)

_OOM_KILL = re.compile(r"^oom_kill (\S+)$", re.MULTILINE)


def _oom_kills(answers: Answers) -> int:
    found = _OOM_KILL.findall(answers.text(COUNTERS))
    if len(found) != 1:
        refuse(COUNTERS, "oom_kill is not there once")
    return number(found[0], "oom_kill")


def _parse(_params: Params, answers: Answers) -> Values:
    """Read the line ``full`` and the kernel's counter."""
    pressure = lines(answers, MEMORY)
    if "full" not in pressure:
        refuse(MEMORY, "the line 'full' is missing")
    return {
        "full_avg60_percent": pressure["full"].avg60 // 100,
        "some_avg60_percent": pressure["some"].avg60 // 100,
        "oom_kills": _oom_kills(answers),
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The kernel's pressure file and counters."""
    return (MEMORY, COUNTERS)


CHECK = Check(
    id="LNX-PSI-002",
    title="Memory suffices",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.308(a)(7)(i); Linux psi.rst; proc_vmstat(5)",
    fields={
        "full_avg60_percent": Field(
            "int", "Share of the last minute that every task waited.", gauge=True
        ),
        "some_avg60_percent": Field(
            "int", "Share of the last minute that some task waited.", gauge=True
        ),
        "oom_kills": Field("int", "Processes killed for want of memory since boot."),
    },
    probes=_probes,
    parse=_parse,
)

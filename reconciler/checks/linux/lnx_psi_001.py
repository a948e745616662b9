"""CPU pressure: for how much of the last five minutes did some task wait for a processor?

Load averages count tasks; pressure counts lost time, which is what people at the front desk feel.

Source: 45 CFR 164.308(a)(7)(i); Linux Documentation/accounting/psi.rst.
"""

from reconciler.checks.parsing.pressure import lines
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.values import Params

CPU = ReadFile("/proc/pressure/cpu", limit=4096)


def _parse(_params: Params, answers: Answers) -> Values:
    """Read the line ``some``; a kernel without pressure accounting has no such file."""
    some = lines(answers, CPU)["some"]
    return {"some_avg60_percent": some.avg60 // 100, "some_avg300_percent": some.avg300 // 100}


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The kernel's pressure file."""
    return (CPU,)


CHECK = Check(
    id="LNX-PSI-001",
    title="Processors are not overloaded for long",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.308(a)(7)(i); Linux psi.rst",
    fields={
        "some_avg60_percent": Field(
            "int", "Share of the last minute that some task waited.", gauge=True
        ),
        "some_avg300_percent": Field(
            "int", "Share of the last five minutes, rounded down.", gauge=True
        ),
    },
    probes=_probes,
    parse=_parse,
)

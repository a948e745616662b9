"""I/O pressure: for how much of the last minutes did tasks wait for storage?

A disk that begins to fail is slow before it is broken, and a backup that takes all of it is felt at
the front desk.

Source: 45 CFR 164.308(a)(7)(i); Linux Documentation/accounting/psi.rst.
"""

from reconciler.checks.parsing.pressure import lines
from reconciler.checks.parsing.shapes import refuse
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.values import Params

IO = ReadFile("/proc/pressure/io", limit=4096)


def _parse(_params: Params, answers: Answers) -> Values:
    """Read both lines; a kernel without pressure accounting has no such file."""
    pressure = lines(answers, IO)
    if "full" not in pressure:
        refuse(IO, "the line 'full' is missing")
    return {
        "some_avg300_percent": pressure["some"].avg300 // 100,
        "full_avg300_percent": pressure["full"].avg300 // 100,
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The kernel's pressure file."""
    return (IO,)


CHECK = Check(
    id="LNX-PSI-003",
    title="Storage keeps up",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.308(a)(7)(i); Linux psi.rst",
    fields={
        "some_avg300_percent": Field(
            "int", "Share of the last five minutes that some task waited.", gauge=True
        ),
        "full_avg300_percent": Field(
            "int", "Share of the last five minutes that every task waited.", gauge=True
        ),
    },
    probes=_probes,
    parse=_parse,
)

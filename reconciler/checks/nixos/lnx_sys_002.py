"""No reboot is waiting: the kernel that runs is the kernel of the system that runs.

A switch changes everything but the kernel, its initrd, its modules and its command line. Until the
next boot the machine runs the old kernel with every fault that the update was to mend. Words that
somebody typed at the boot loader are there until then, too.

Source: 45 CFR 164.308(a)(1)(ii)(B); NIST SP 800-53 SI-2; PCI DSS 6.3.3.
"""

from reconciler.checks.parsing.declared import EXPECTATIONS
from reconciler.checks.parsing.pending_boot import (
    COMMAND_LINE,
    PROBES,
    brings_kernel,
    overridden,
    pending,
)
from reconciler.checks.parsing.trusted_system import (
    REAPPLY_FIELD,
    SYSTEM,
    SYSTEM_FIELD,
    reapply,
    trusted,
)
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import Params


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (SYSTEM, EXPECTATIONS, COMMAND_LINE, *PROBES)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    system = trusted(answers).path
    if not brings_kernel(answers):
        return NotApplicable("the running system brings no kernel of its own")
    waits = {*pending(answers), *(("params",) if overridden(answers) else ())}
    return {"system": system, "reapply": reapply(answers), "pending": tuple(sorted(waits))}


CHECK = Check(
    id="LNX-SYS-002",
    title="No reboot is pending for kernel or initrd",
    platforms=frozenset({"nixos"}),
    source="NIST SP 800-53 SI-2; PCI DSS 4.0.1 6.3.3; bootctl(1)",
    fields={
        "system": SYSTEM_FIELD,
        "reapply": REAPPLY_FIELD,
        "pending": Field(
            "list[str]", "What the next boot would change: initrd, kernel, modules, params."
        ),
    },
    probes=_probes,
    parse=_parse,
)

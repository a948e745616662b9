"""No reboot is waiting: the kernel that runs is the kernel of the system that runs.

A switch changes everything but the kernel, its initrd, its modules and its command line. Until the
next boot the machine runs the old kernel with every fault that the update was to mend.

Source: 45 CFR 164.308(a)(1)(ii)(B); NIST SP 800-53 SI-2; PCI DSS 6.3.3.
"""

from reconciler.checks.parsing.declared import EXPECTATIONS
from reconciler.checks.parsing.trusted_system import (
    REAPPLY_FIELD,
    SYSTEM,
    SYSTEM_FIELD,
    reapply,
    trusted,
)
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.nixos_probe import RealPath
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.system_links import BOOTED, CURRENT
from reconciler.model.values import Params

_PARTS = {"kernel": "kernel", "initrd": "initrd", "modules": "kernel-modules"}
_BOOTED = {name: RealPath(f"{BOOTED}/{file}") for name, file in _PARTS.items()}
_CURRENT = {name: RealPath(f"{CURRENT}/{file}") for name, file in _PARTS.items()}
_BOOTED_WITH = ReadFile(f"{BOOTED}/kernel-params")
_WOULD_BOOT_WITH = ReadFile(f"{CURRENT}/kernel-params")


def _probes(_params: Params) -> tuple[Probe, ...]:
    links = (*_BOOTED.values(), *_CURRENT.values())
    return (SYSTEM, EXPECTATIONS, *links, _BOOTED_WITH, _WOULD_BOOT_WITH)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    system = trusted(answers).path
    if answers.absent(_CURRENT["kernel"]):
        return NotApplicable("the running system brings no kernel of its own")
    pending = {
        name for name in _PARTS if _leads(answers, _BOOTED[name]) != _leads(answers, _CURRENT[name])
    }
    if answers.text(_BOOTED_WITH).split() != answers.text(_WOULD_BOOT_WITH).split():
        pending.add("params")
    return {"system": system, "reapply": reapply(answers), "pending": tuple(sorted(pending))}


def _leads(answers: Answers, probe: RealPath) -> str | None:
    return None if answers.absent(probe) else answers.text(probe)


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

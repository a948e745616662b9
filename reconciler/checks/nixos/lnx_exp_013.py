"""Kernel modules: those that must be loaded are, those that must not are not, and none is foreign.

A module is code with every right there is. One that is loaded and is not among the modules that
the booted system brought was put there by hand.

Source: 45 CFR 164.312(c)(1); NIST SP 800-53 CM-7, SI-7(6); modules.dep(5).
"""

from reconciler.checks.parsing import declared
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.records import record, texts
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.expected import BOOT, MODULES
from reconciler.model.nixos_probe import KernelModules
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_LIVE = KernelModules()


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, _LIVE)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted, boot = document.read(MODULES), document.read(BOOT)
    if boot.modules is None:
        return NotApplicable("the configuration brings no kernel of its own")
    answer = record(answers.data(_LIVE), "kernel modules")
    loaded, foreign, built_in = (
        set(texts(answer.fields.get(name), "kernel modules"))
        for name in ("loaded", "foreign", "built_in")
    )
    drift = Drift(
        missing={name for name in map(_plain, wanted.load) if name not in loaded | built_in},
        different={name for name in map(_plain, wanted.deny) if name in loaded},
        undeclared=foreign,
    )
    # Nothing that activation does takes a module out of a running kernel.
    drift.owned = not drift.different and not drift.undeclared
    return declared.values(document, drift)


def _plain(name: str) -> str:
    return name.replace("-", "_")


CHECK = Check(
    id="LNX-EXP-013",
    title="Kernel modules are those of the declared system",
    platforms=frozenset({"nixos"}),
    source="modules.dep(5); modprobe(8); NIST SP 800-53 CM-7, SI-7(6)",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)

"""Kernel settings that make memory bugs harder to use (45 CFR 164.308(a)(1)(ii)(B)).

Address layout and kernel pointers stay hidden, a flood of half-open connections does not stop the
host (NIXOS V-268141, V-268160, V-268161). A setting that this kernel does not have is ``None``.
"""

from reconciler.checks.parsing import sysctl
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_NAMES = {
    "kptr_restrict": "kernel.kptr_restrict",
    "randomize_va_space": "kernel.randomize_va_space",
    "tcp_syncookies": "net.ipv4.tcp_syncookies",
    "dmesg_restrict": "kernel.dmesg_restrict",
}


def _probes(_params: Params) -> tuple[Probe, ...]:
    return tuple(map(sysctl.probe, _NAMES.values()))


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    return {field: sysctl.whole(answers, name) for field, name in _NAMES.items()}


CHECK = Check(
    id="LNX-HARD-001",
    title="Kernel hardening values",
    platforms=frozenset({"linux", "nixos"}),
    source="sysctl documentation of the kernel (admin-guide/sysctl); NIXOS V-268141, V-268160, "
    "V-268161",
    fields={
        "kptr_restrict": Field("int", "0: kernel addresses shown; 1, 2: hidden.", optional=True),
        "randomize_va_space": Field("int", "2: stack, heap and mappings move.", optional=True),
        "tcp_syncookies": Field("int", "1: cookies under a flood of SYNs.", optional=True),
        "dmesg_restrict": Field("int", "1: the kernel log takes CAP_SYSLOG.", optional=True),
    },
    probes=_probes,
    parse=_parse,
)

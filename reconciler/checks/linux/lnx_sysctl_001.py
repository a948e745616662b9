"""The live value of one kernel parameter that a rule names.

For settings that a profile asks for beyond LNX-HARD-001, and for the sysctls that a NixOS
configuration declares (``boot.kernel.sysctl``). The live value counts: a file in /etc/sysctl.d
says what would hold after the next boot.
"""

import re

from reconciler.checks.parsing import sysctl
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.values import Params

_NUMBER = re.compile(r"-?[0-9]{1,15}")
_TEXT = re.compile(r"[A-Za-z0-9_.,:/|%@+\[\] -]{0,256}")


def _probe(params: Params) -> ReadFile:
    return sysctl.probe(str(params["name"]))


def _probes(params: Params) -> tuple[Probe, ...]:
    return (_probe(params),)


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    probe = _probe(params)
    if answers.absent(probe):
        return {"value": None, "number": None}
    value = " ".join(answers.text(probe).split())
    if _TEXT.fullmatch(value) is None:
        raise Unobservable(f"{probe.path}: the value is not a short plain text")
    return {"value": value, "number": int(value) if _NUMBER.fullmatch(value) else None}


CHECK = Check(
    id="LNX-SYSCTL-001",
    title="A kernel parameter has its declared value",
    platforms=frozenset({"linux", "nixos"}),
    source="sysctl(8), proc(5)",
    params={
        "name": Parameter(
            type="str",
            doc="Name with dots, or with slashes where an interface name has a dot.",
            # Two components at least, none of them empty or "..": the path stays in /proc/sys.
            pattern=r"(?:kernel|net|fs|vm|user|dev)(?:\.[A-Za-z0-9_-]+)+"
            r"|net(?:/[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)+",
        )
    },
    fields={
        "value": Field(
            "str",
            "The value, blanks folded; none when this kernel has no such name.",
            optional=True,
        ),
        "number": Field("int", "The value as a number; none when it is not one.", optional=True),
    },
    probes=_probes,
    parse=_parse,
)

"""Kernel parameters have the values that the configuration declares (``boot.kernel.sysctl``).

The live value counts: /etc/sysctl.d says what was set at boot. Names are reported with the live
value where it is a number; the declared one is in the configuration.
"""

import re
from collections.abc import Iterator, Mapping

from reconciler.checks.parsing import declared
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.records import record, texts
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.expected import SYSCTL
from reconciler.model.nixos_probe import DeclaredSysctls
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_LIVE = DeclaredSysctls()
_NUMBER = re.compile(r"-?[0-9]{1,15}")


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, _LIVE)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted = document.read(SYSCTL)
    answer = record(answers.data(_LIVE), "kernel parameters")
    written = set(texts(answer.fields.get("unreadable"), "kernel parameters"))
    live = record(answer.fields.get("values"), "kernel parameters")
    alike = record(answer.fields.get("matching"), "kernel parameters")
    exact = {_slashes(name) for name in wanted if "*" not in name}
    drift = Drift()
    for name, value in wanted.items():
        if name in written:
            continue
        if "*" in name:
            seen = record(alike.fields.get(name), "kernel parameters").fields
            drift.different |= set(_other(seen, value, exact))
        elif live.optional_text(name, limit=4096) is None:
            drift.missing.add(name)
        else:
            drift.different |= set(_other({name: live.fields[name]}, value, frozenset()))
    # A parameter that this kernel does not have cannot be given a value.
    drift.owned = not drift.missing
    return declared.values(document, drift)


def _other(
    seen: Mapping[str, object], wanted: str, exact: set[str] | frozenset[str]
) -> Iterator[str]:
    for name, value in seen.items():
        if not isinstance(value, str):
            raise Unobservable("kernel parameters: a value is not text")
        if name not in exact and not _met(value, wanted):
            number = _folded(value)
            yield f"{name}={number}" if _NUMBER.fullmatch(number) else name


def _met(value: str, wanted: str) -> bool:
    """Whether the live words begin with the declared ones: ``kernel.printk`` takes one of four."""
    live, asked = value.split(), wanted.split()
    return live[: len(asked)] == asked if asked else not live


def _folded(value: str) -> str:
    return " ".join(value.split())


def _slashes(name: str) -> str:
    return name if "/" in name else name.replace(".", "/")


CHECK = Check(
    id="LNX-EXP-003",
    title="Kernel parameters have their declared values",
    platforms=frozenset({"nixos"}),
    source="sysctl(8), proc(5); sysctl.d(5) on names with *",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)

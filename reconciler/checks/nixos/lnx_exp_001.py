"""Units: what is declared runs, and nothing can start that is not declared.

A service that nobody declared is how most intrusions stay (45 CFR 164.312(c)(1)). On NixOS every
unit is in the store, so a unit file anywhere else is one: in /run, in a directory of ``systemctl
set-property``, or made by ``systemd-run``. One that goes on after its file was removed counts as
well. Timers are LNX-EXP-012, drop-ins LNX-EXP-002.
"""

from reconciler.checks.parsing import declared, unit_files
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.listing import linked
from reconciler.checks.parsing.loaded_units import LOADED, idle, loaded, lost, unusable
from reconciler.checks.parsing.unit_names import reportable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.declared import Units
from reconciler.model.expected import UNITS
from reconciler.model.probe import Probe
from reconciler.model.values import Params


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, LOADED, *unit_files.PROBES, unit_files.LINKED)


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted = document.read(UNITS)
    states = loaded(answers)
    names = _names(wanted)
    containers = unit_files.has_containers({*names, *wanted.timers})
    found = unit_files.units(unit_files.started(answers), containers=containers)
    loose = {name for name in found if not name.endswith(".timer")}
    loose |= lost(states, ".service", ".socket", ".path") - names
    active = {*wanted.run, *wanted.sockets}
    drift = Drift(
        missing=set(map(reportable, idle(states, active))),
        different=set(map(reportable, unusable(states, names)))
        | {name for name in loose if _is_declared(name, names)},
        undeclared={
            name
            for name in loose
            if not _is_declared(name, names) and not unit_files.allowed(name, params)
        },
    )
    drift.undeclared |= linked(answers, unit_files.LINKED)
    drift.owned = not drift.different and not drift.undeclared
    return declared.values(document, drift)


def _names(units: Units) -> frozenset[str]:
    return frozenset((*units.run, *units.sockets, *units.oneshot))


def _is_declared(name: str, names: frozenset[str]) -> bool:
    """Whether a unit is declared, or is the template of one that is."""
    stem, at, kind = name.partition("@.")
    if not at:
        return name in names
    return any(one.startswith(f"{stem}@") and one.endswith(f".{kind}") for one in names)


CHECK = Check(
    id="LNX-EXP-001",
    title="Units are those that the configuration declares",
    platforms=frozenset({"nixos"}),
    source="systemd.unit(5) UNIT FILE LOAD PATH; systemd-run(1); NIST SP 800-53 CM-7, CM-8(3)",
    params={"allow": unit_files.ALLOW},
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)

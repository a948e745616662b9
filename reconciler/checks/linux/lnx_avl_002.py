"""One unit that must run.

A unit that restarts all day looks active at every tick, so the number of restarts and the time
since it last became active are observed too.

Source: 45 CFR 164.308(a)(1)(ii)(D), 164.312(b); org.freedesktop.systemd1(5): ActiveState,
SubState, Result, NRestarts, ActiveEnterTimestamp.
"""

from reconciler.checks.parsing import given
from reconciler.checks.parsing.records import Record, record
from reconciler.checks.parsing.shapes import NOW, age
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, UnitStatus
from reconciler.model.values import Params


def _question(params: Params) -> UnitStatus:
    return UnitStatus((given.text(params, "unit"),))


def _active_for_min(unit: Record, answers: Answers) -> int | None:
    if unit.text("active_state") != "active":
        return None
    return age(answers, unit.whole("active_since"), "start of the unit") // 60


def _parse(params: Params, answers: Answers) -> Values:
    """Read the state of the unit; one that does not exist has the load state ``not-found``."""
    probe = _question(params)
    everything = record(answers.data(probe), "units")
    unit = record(everything.fields.get(probe.units[0]), probe.units[0])
    return {
        "load_state": unit.text("load_state", limit=32),
        "active_state": unit.text("active_state", limit=32),
        "sub_state": unit.text("sub_state", limit=32),
        "result": unit.text("result", limit=32),
        "unit_file_state": unit.text("unit_file_state", limit=32),
        "restarts": unit.whole("restarts"),
        "active_for_min": _active_for_min(unit, answers),
    }


def _probes(params: Params) -> tuple[Probe, ...]:
    """The unit, and the run's clock."""
    return (_question(params), NOW)


CHECK = Check(
    id="LNX-AVL-002",
    title="A critical unit runs",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.308(a)(1)(ii)(D); org.freedesktop.systemd1(5)",
    params={
        "unit": Parameter(
            type="str",
            doc="Name of the unit, with its suffix.",
            pattern=r"[A-Za-z0-9:_.\\@-]{1,240}\.(service|socket|timer|mount|target|path)",
        )
    },
    fields={
        "load_state": Field("str", "loaded, masked, not-found, error, bad-setting."),
        "active_state": Field("str", "active, inactive, failed, activating, deactivating."),
        "sub_state": Field("str", "State in the words of its kind: running, exited, dead."),
        "result": Field("str", "Why it last ended: success, exit-code, oom-kill, timeout."),
        "unit_file_state": Field("str", "enabled, disabled, static, masked; empty when generated."),
        "restarts": Field("int", "Automatic restarts since it was last started by hand."),
        "active_for_min": Field(
            "int",
            "Minutes since it became active; absent when it is not.",
            optional=True,
            gauge=True,
        ),
    },
    probes=_probes,
    parse=_parse,
)

"""What systemd and the kernel themselves reported: failed units, memory running out, core dumps.

An event is in the past and never goes away, so a rule on it needs a way to come right again: events
of a unit count no longer once it was started anew (``since_start``), others once their window is
over. Only what comes from who may say it is counted (`reconciler.model.event`); no text is read.

Source: 45 CFR 164.308(a)(1)(ii)(D), 164.308(a)(6)(ii), 164.312(b); systemd.journal-fields(7).
"""

from reconciler.checks.parsing import given
from reconciler.checks.parsing.journal_header import IN_MEMORY, ON_DISK, require_readable
from reconciler.checks.parsing.records import Record, record, records
from reconciler.checks.parsing.shapes import NOW, now
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.event import EVENTS, KINDS, EventKind
from reconciler.model.parameter import Parameter
from reconciler.model.probe import JournalEvents, Probe, UnitStatus
from reconciler.model.values import Params

MOST_UNITS = 20
"""Units that are named, in the order of their names."""

_ANY = "any"


def _events(params: Params) -> JournalEvents:
    return JournalEvents(_kind(params))


def _kind(params: Params) -> EventKind:
    wanted = given.text(params, "event")
    return next(kind for kind in KINDS if kind == wanted)


def _unit(params: Params) -> UnitStatus | None:
    unit = given.text(params, "unit")
    return None if unit == _ANY else UnitStatus((unit,))


def _started_us(unit: UnitStatus | None, answers: Answers) -> int:
    if unit is None:
        return 0
    everything = record(answers.data(unit), "units")
    status = record(everything.fields.get(unit.units[0]), unit.units[0])
    # A unit that is down has not been started since.
    # Whole seconds, rounded down: a failure in the second of the start was before it.
    return (status.whole("active_since") + 1) * 1_000_000 if _is_up(status) else 0


def _is_up(status: Record) -> bool:
    return status.text("active_state", limit=32) in {"active", "reloading"}


def _parse(params: Params, answers: Answers) -> Values:
    """Count events within the window, and of these what came after the unit's last start."""
    require_readable(answers)
    probe, unit = _events(params), _unit(params)
    begin = (now(answers) - given.whole(params, "window_s")) * 1_000_000
    seen = records(answers.data(probe), "journal events")
    times = [(each.whole("at_us"), each.text("unit", limit=256)) for each in seen]
    wanted = unit.units[0] if unit else None
    ours = [(at, name) for at, name in times if at >= begin and wanted in {None, name}]
    started = _started_us(unit, answers)
    return {
        "count": len(ours),
        "since_start": sum(at >= started for at, _name in ours),
        "units": tuple(sorted({name for _at, name in ours if name})[:MOST_UNITS]),
        "cut": len(times) >= probe.most and times[-1][0] >= begin,
    }


def _probes(params: Params) -> tuple[Probe, ...]:
    """The events, the unit they are about, the run's clock, and whether the journal can be read."""
    unit = _unit(params)
    return (_events(params), ON_DISK, IN_MEMORY, NOW, *(() if unit is None else (unit,)))


CHECK = Check(
    id="LNX-EVT-001",
    title="The system reports no such event",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.308(a)(1)(ii)(D), 164.308(a)(6)(ii); systemd.journal-fields(7)",
    params={
        "event": Parameter(type="str", doc="Kind of event.", enum=tuple(EVENTS)),
        "unit": Parameter(
            type="str",
            doc="Unit that it is about, with its suffix; any counts all.",
            required=False,
            default=_ANY,
            pattern=r"any|[A-Za-z0-9:_.\\@-]{1,240}\.(service|socket|timer|mount|target|path)",
        ),
        "window_s": Parameter(
            type="int",
            doc="How far back events count, seconds.",
            required=False,
            default=3600,
            minimum=60,
            maximum=7 * 86_400,
        ),
    },
    fields={
        "count": Field("int", "Events within the window."),
        "since_start": Field("int", "Of these, events after the unit was last started."),
        "units": Field("list[str]", f"Units that they are about, at most {MOST_UNITS}."),
        "cut": Field("bool", "Whether there were more events than are read."),
    },
    probes=_probes,
    parse=_parse,
)

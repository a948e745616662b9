"""Time: one daemon disciplines the clock, and the clock agrees with enough sources.

Any one daemon will do (the modules of NixOS switch timesyncd off when another one is on, so a
check for timesyncd alone would fail on healthy machines). chrony is asked itself, because
``chronyd -x`` watches a clock that it does not own; for the others the kernel's own state answers
what org.freedesktop.timedate1 ``NTPSynchronized`` would, without starting a service.

Source: 45 CFR 164.312(b); NIST SP 800-53 AU-8; NIXOS:V-268149 to V-268151; chronyc(1) "-c";
adjtimex(2).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.checks.parsing.chronyc import SOURCES, TRACKING, sources, tracking
from reconciler.checks.parsing.records import Record, record
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.probe import ClockState, Probe, UnitStatus
from reconciler.model.values import Params, Value

KERNEL = ClockState()
DAEMONS = {
    "chrony.service": "chrony",
    "chronyd.service": "chrony",
    "ntpd-rs.service": "ntpd-rs",
    "ntpsec.service": "ntpsec",
    "ntpd.service": "ntpd",
    "ntp.service": "ntpd",
    "openntpd.service": "openntpd",
    "systemd-timesyncd.service": "systemd-timesyncd",
}
"""Unit to daemon; some distributions give one daemon two names."""

UNITS = UnitStatus(tuple(DAEMONS))


@dataclass(frozen=True, slots=True)
class Daemon:
    """One time daemon as systemd sees it."""

    unit: str
    name: str
    active: bool
    masked: bool
    enabled: bool


def _daemon(unit: str, state: Record) -> Daemon:
    load_state, file_state = state.text("load_state"), state.text("unit_file_state")
    return Daemon(
        unit=unit,
        name=DAEMONS[unit],
        active=state.text("active_state") == "active",
        masked="masked" in {load_state, file_state.removesuffix("-runtime")},
        enabled=file_state in {"enabled", "enabled-runtime", "alias"},
    )


def _installed(answers: Answers) -> list[Daemon]:
    states = record(answers.data(UNITS), "time daemons")
    each = [(unit, record(states.fields.get(unit), unit)) for unit in UNITS.units]
    return [_daemon(unit, s) for unit, s in each if s.text("load_state") != "not-found"]


def _chosen(daemons: list[Daemon]) -> Daemon | None:
    """The daemon that keeps time, or else the one that was meant to."""
    ranked = sorted(daemons, key=lambda d: (not d.active, not d.enabled, not d.masked))
    return next(iter(ranked), None)


def _clock(daemon: Daemon | None, answers: Answers) -> Mapping[str, Value]:
    nothing: dict[str, Value] = {
        "synchronised": False,
        "offset_us": None,
        "reachable_sources": None,
        "falsetickers": None,
    }
    if daemon is None or not daemon.active:
        return nothing
    if daemon.name == "chrony":
        return {**tracking(answers), **sources(answers)}
    kernel = record(answers.data(KERNEL), "kernel clock")
    offset_us = abs(kernel.whole("offset_us", lowest=-(2**53)))
    return {**nothing, "synchronised": kernel.flag("synchronised"), "offset_us": offset_us}


def _parse(_params: Params, answers: Answers) -> Values:
    """Find the daemon, then ask it how the clock is."""
    daemons = _installed(answers)
    daemon = _chosen(daemons)
    return {
        "daemon": None if daemon is None else daemon.name,
        "unit": None if daemon is None else daemon.unit,
        "active": daemon is not None and daemon.active,
        "masked": daemon is not None and daemon.masked,
        "starts_at_boot": daemon is not None and daemon.enabled,
        "active_daemons": len({d.name for d in daemons if d.active}),
        **_clock(daemon, answers),
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """Units of every known daemon, chrony's own view, and the kernel's."""
    return (UNITS, TRACKING, SOURCES, KERNEL)


CHECK = Check(
    id="LNX-TIME-001",
    title="Clock synchronised to enough sources",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.312(b); SP 800-53 AU-8; NIXOS:V-268149; chronyc(1), adjtimex(2)",
    fields={
        "daemon": Field("str", "The daemon that keeps time, or is meant to.", optional=True),
        "unit": Field("str", "Its unit.", optional=True),
        "active": Field("bool", "Whether it runs."),
        "masked": Field("bool", "Whether it is masked, so that nothing can start it."),
        "starts_at_boot": Field("bool", "Whether it is enabled."),
        "active_daemons": Field("int", "How many time daemons run; two fight over the clock."),
        "synchronised": Field(
            "bool", "Whether the daemon that runs says so; false when none does."
        ),
        "offset_us": Field(
            "int", "Distance from true time, µs, without sign.", optional=True, gauge=True
        ),
        "reachable_sources": Field(
            "int", "Sources that answered lately; chrony only.", optional=True
        ),
        "falsetickers": Field(
            "int", "Sources that the others outvote; chrony only.", optional=True
        ),
    },
    probes=_probes,
    parse=_parse,
)

"""Anti-malware runs and its signatures are fresh (45 CFR 164.308(a)(5)(ii)(B)).

ClamAV that is not installed is an observation, not "does not apply": an appliance that has no use
for it carries an exception with its evaluation, and that is a decision of a person.
"""

from reconciler.checks.parsing.shapes import NOW, UnitFacts, age, stats, units
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe, StatPaths, UnitStatus
from reconciler.model.values import Params

_DAEMON = "clamav-daemon.service"
_UPDATERS = ("clamav-freshclam.service", "clamav-freshclam.timer")
_UNITS = UnitStatus((_DAEMON, *_UPDATERS))
_SIGNATURES = StatPaths(("/var/lib/clamav/daily.cld", "/var/lib/clamav/daily.cvd"))
_HOUR = 3600


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (_UNITS, _SIGNATURES, NOW)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    states = units(answers, _UNITS)
    times = [fact.mtime for fact in stats(answers, _SIGNATURES) if fact.type == "file"]
    newest = max(times, default=None)
    return {
        "daemon": _state(states[_DAEMON]),
        "updater_active": any(_state(states[name]) == "active" for name in _UPDATERS),
        "signature_age_hours": None
        if newest is None
        else age(answers, newest, "the signature database") // _HOUR,
    }


def _state(unit: UnitFacts) -> str:
    return "not-installed" if unit.load_state == "not-found" else unit.active_state


CHECK = Check(
    id="LNX-AV-001",
    title="Anti-malware running with fresh signatures",
    platforms=frozenset({"linux", "nixos"}),
    source="org.freedesktop.systemd1 Unit.ActiveState; clamd(8), freshclam(1)",
    fields={
        "daemon": Field("str", "ActiveState of clamav-daemon.service, or not-installed."),
        "updater_active": Field("bool", "Whether freshclam runs as a service or by its timer."),
        "signature_age_hours": Field(
            "int",
            "Whole hours since the daily database changed; none without one.",
            optional=True,
            gauge=True,
        ),
    },
    probes=_probes,
    parse=_parse,
)

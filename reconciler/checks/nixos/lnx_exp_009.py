"""The declared daemon keeps the clock, after the declared sources and after no other.

Who can move a clock can put every log in question. LNX-TIME-001 judges how far the clock is off;
this finds a source that was added or taken away while the daemon runs, and one that lost its NTS.
Of chrony and systemd-timesyncd the sources are known; of another daemon only whether it runs.

Source: 45 CFR 164.312(b); NIST SP 800-53 AU-8; chronyc(1) -N; timesyncd.conf(5).
"""

from collections.abc import Iterator

from reconciler.checks.parsing import declared, systemd_conf
from reconciler.checks.parsing.chronyc import AUTHENTICATION, NAMED, authenticated, named_sources
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.loaded_units import LOADED, idle, loaded
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.declared import Time
from reconciler.model.expected import REAPPLY, TIME
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_CONF = "timesyncd.conf"
_TIMESYNCD = "systemd-timesyncd.service"
_CHRONY = frozenset({"chrony.service", "chronyd.service"})


def _probes(_params: Params) -> tuple[Probe, ...]:
    chrony = (NAMED, AUTHENTICATION)
    return (declared.EXPECTATIONS, LOADED, *chrony, *systemd_conf.conf_probes(_CONF))


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted = document.read(TIME)
    if wanted.service is None:
        return NotApplicable("the configuration declares no time daemon")
    stopped = idle(loaded(answers), {wanted.service})
    if stopped:
        return declared.values(document, Drift(missing=stopped))
    live, asked = set(_sources(wanted, answers)), {name.lower() for name in wanted.sources}
    drift = Drift(missing=asked - live, undeclared=live - asked)
    if wanted.nts and wanted.service in _CHRONY:
        drift.different = {f"nts:{name}" for name in live - authenticated(answers)}
    # Sources that were told to a daemon that runs are forgotten when it is started anew.
    drift.owned = wanted.service in document.read(REAPPLY)
    return declared.values(document, drift)


def _sources(wanted: Time, answers: Answers) -> Iterator[str]:
    if wanted.service in _CHRONY:
        yield from named_sources(answers)
    elif wanted.service == _TIMESYNCD:
        yield from _of_timesyncd(answers)
    elif wanted.sources:
        raise Unobservable("time: the sources of this daemon are not known")


def _of_timesyncd(answers: Answers) -> Iterator[str]:
    """What its files say; an empty assignment starts anew, and fallbacks count without servers."""
    settings = systemd_conf.settings(answers, _CONF, "Time")
    for key in ("NTP", "FallbackNTP"):
        names: list[str] = []
        for value in settings.get(key, ()):
            names = [*names, *value.lower().split()] if value else []
        if names:
            yield from names
            return


CHECK = Check(
    id="LNX-EXP-009",
    title="The clock follows its declared sources",
    platforms=frozenset({"nixos"}),
    source="chronyc(1) -N; timesyncd.conf(5); 45 CFR 164.312(b); NIST SP 800-53 AU-8",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)

"""Declared certificates are there, and the timers of declared backups wait for their next run.

LNX-TLS-001 judges how long a certificate is good, LNX-BKP-001 how old a backup is; this finds what
was taken away: a certificate file, a unit that renews it, a timer that was stopped.

Source: 45 CFR 164.308(a)(7)(ii)(A), 164.312(e)(2)(ii); NIST SP 800-53 CP-9, SC-12.
"""

from reconciler.checks.parsing import declared
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.loaded_units import LOADED, idle, loaded, unusable
from reconciler.checks.parsing.records import record
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.expected import BACKUPS, CERTIFICATES
from reconciler.model.nixos_probe import DeclaredPaths
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_PATHS = DeclaredPaths()


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, LOADED, _PATHS)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    certificates, backups = document.read(CERTIFICATES), document.read(BACKUPS)
    if not certificates and not backups:
        return NotApplicable("the configuration declares neither certificates nor backups")
    paths, states = record(answers.data(_PATHS), "declared paths"), loaded(answers)
    drift = Drift()
    for certificate in certificates:
        if paths.optional_text(certificate.path, limit=4096) is None:
            drift.missing.add(f"certificate:{certificate.name}")
    for backup in backups:
        if idle(states, {backup.timer}):
            drift.missing.add(f"backup:{backup.job}")
        if unusable(states, {backup.unit}):
            drift.different.add(f"backup:{backup.job}")
    # A certificate comes from its authority, and no activation writes one.
    lost = any(name.startswith("certificate:") for name in drift.missing)
    drift.owned = not lost and not drift.different
    return declared.values(document, drift)


CHECK = Check(
    id="LNX-EXP-016",
    title="Declared certificates and backup timers are there",
    platforms=frozenset({"nixos"}),
    source="45 CFR 164.308(a)(7)(ii)(A); NIST SP 800-53 CP-9, SC-12; systemd.timer(5)",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)

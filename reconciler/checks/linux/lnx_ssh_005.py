"""What the SSH server logs: VERBOSE records the fingerprint of the key that opened a session.

Without it a session cannot be tied to a person (45 CFR 164.312(b), NIXOS V-268088). DEBUG levels
log what users send and are no better answer (sshd_config(5), LogLevel).
"""

from reconciler.checks.parsing import sshd
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import Params


def _probes(_params: Params) -> tuple[Probe, ...]:
    return sshd.PROBES


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    settings = sshd.settings(answers)
    if isinstance(settings, NotApplicable):
        return settings
    return {
        "loglevel": settings.one("loglevel").upper(),
        "loglevel_in_match": tuple(level.upper() for level in settings.in_match("loglevel")),
    }


CHECK = Check(
    id="LNX-SSH-005",
    title="SSH logs at VERBOSE",
    platforms=frozenset({"linux", "nixos"}),
    source="sshd_config(5) LogLevel; NIXOS V-268088; CIS Debian 12 v2.0.0 5.1.14",
    fields={
        "loglevel": Field("str", "SILENT, QUIET, FATAL, ERROR, INFO, VERBOSE or DEBUG1 to 3."),
        "loglevel_in_match": Field(
            "list[str]", "The distinct values that Match blocks give; empty when none does."
        ),
    },
    probes=_probes,
    parse=_parse,
)

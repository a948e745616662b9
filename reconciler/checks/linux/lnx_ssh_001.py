"""Root log-in over SSH: a shared account ties no act to a person.

45 CFR 164.312(a)(2)(i) asks for a unique name for each user. ``prohibit-password`` is a finding
of the NixOS STIG (V-268137) as well: a key for root is still an account that nobody owns.
"""

from reconciler.checks.parsing import sshd
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_OLD_NAMES = {"without-password": "prohibit-password"}


def _probes(_params: Params) -> tuple[Probe, ...]:
    return sshd.PROBES


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    settings = sshd.settings(answers)
    if isinstance(settings, NotApplicable):
        return settings
    general = settings.one("permitrootlogin")
    return {
        "permitrootlogin": _OLD_NAMES.get(general, general),
        "permitrootlogin_in_match": tuple(
            sorted({_OLD_NAMES.get(v, v) for v in settings.in_match("permitrootlogin")})
        ),
    }


CHECK = Check(
    id="LNX-SSH-001",
    title="No direct root log-in over SSH",
    platforms=frozenset({"linux", "nixos"}),
    source="sshd_config(5) PermitRootLogin; NIXOS V-268137; CIS Debian 12 v2.0.0 5.1.20",
    fields={
        "permitrootlogin": Field(
            "str", "yes, no, prohibit-password or forced-commands-only, outside of Match blocks."
        ),
        "permitrootlogin_in_match": Field(
            "list[str]", "The distinct values that Match blocks give; empty when none does."
        ),
    },
    probes=_probes,
    parse=_parse,
)

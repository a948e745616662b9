"""Ciphers, MACs and key exchanges that the SSH server offers (45 CFR 164.312(e)(2)(ii)).

The NixOS STIG lists the FIPS view only (V-268089, V-268157) and would fail chacha20-poly1305 and
AES-GCM; a rule names the list it wants. These settings cannot stand in a ``Match`` block.
"""

from reconciler.checks.parsing import sshd
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_KEYWORDS = ("ciphers", "macs", "kexalgorithms")


def _probes(_params: Params) -> tuple[Probe, ...]:
    return sshd.PROBES


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    settings = sshd.settings(answers)
    if isinstance(settings, NotApplicable):
        return settings
    return {keyword: settings.listed(keyword) for keyword in _KEYWORDS}


CHECK = Check(
    id="LNX-SSH-003",
    title="SSH ciphers, MACs and key exchange on the allow-list",
    platforms=frozenset({"linux", "nixos"}),
    source="sshd_config(5) Ciphers, MACs, KexAlgorithms; NIXOS V-268089, V-268157; "
    "CIS Debian 12 v2.0.0 5.1.6, 5.1.12, 5.1.15",
    fields={
        "ciphers": Field("list[str]", "Ciphers offered, in order of preference, never empty."),
        "macs": Field("list[str]", "MACs offered, in order of preference, never empty."),
        "kexalgorithms": Field("list[str]", "Key exchanges offered, in order, never empty."),
    },
    probes=_probes,
    parse=_parse,
)

"""The SSH server has the settings that the configuration declares, outside of ``Match`` blocks.

The LNX-SSH checks judge the few settings that a standard speaks of; this compares every setting
that the configuration sets with what ``sshd`` itself says is in force.

Source: 45 CFR 164.312(d); NIST SP 800-53 CM-6; sshd_config(5).
"""

from reconciler.checks.parsing import declared, sshd
from reconciler.checks.parsing.declared import Drift
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.declared import Sshd
from reconciler.model.expected import SSHD
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_SAME = {"without-password": "prohibit-password", "none": ""}


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, *sshd.PROBES)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted = document.read(SSHD)
    if not wanted.enabled:
        return NotApplicable("the configuration declares no SSH server")
    live = sshd.settings(answers)
    if isinstance(live, NotApplicable):
        return declared.values(document, Drift(missing={"sshd"}))
    drift = Drift()
    for keyword, value in wanted.settings.items():
        seen = live.general.get(keyword)
        if seen is None:
            drift.missing |= {keyword} if _folded(value) else set()
        elif _folded(" ".join(seen)) != _folded(value):
            drift.different.add(keyword)
    _ports(drift, wanted, live)
    return declared.values(document, drift)


def _ports(drift: Drift, wanted: Sshd, live: sshd.Settings) -> None:
    seen = {sshd.count(port, "port") for port in live.general.get("port", ())}
    drift.missing |= {f"port:{port}" for port in set(wanted.ports) - seen}
    drift.undeclared |= {f"port:{port}" for port in seen - set(wanted.ports)}


def _folded(value: str) -> str:
    """A value without what sshd does not tell apart: case, blanks, old names."""
    text = " ".join(value.lower().split())
    return _SAME.get(text, text)


CHECK = Check(
    id="LNX-EXP-010",
    title="The SSH server has its declared settings",
    platforms=frozenset({"nixos"}),
    source="sshd_config(5); sshd(8) -G, -T; NIST SP 800-53 CM-6",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)

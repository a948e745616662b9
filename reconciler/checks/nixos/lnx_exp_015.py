"""Log-ins go through the PAM services that the configuration declares, and through no other.

A service more in /etc/pam.d is another way to be believed; one line less in a stack lets everybody
guess. LNX-AUTH-002 judges how pam_faillock is set, this whether the declared modules stand there.

Source: 45 CFR 164.312(d); NIST SP 800-53 IA-2; pam.conf(5).
"""

from collections.abc import Iterator

from reconciler.checks.parsing import declared, pam
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.shapes import files
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.declared import Pam
from reconciler.model.expected import PAM
from reconciler.model.probe import Probe, ReadGlob
from reconciler.model.values import Params

_SERVICES = ReadGlob("/etc/pam.d/*")


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, _SERVICES)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted = document.read(PAM)
    texts = {file.path.rpartition("/")[2]: file.text for file in files(answers, _SERVICES)}
    drift = Drift(missing=set(wanted.keys() - texts), undeclared=set(texts.keys() - wanted))
    for service in wanted.keys() & texts.keys():
        stack = {module.name for module in pam.auth_stack(texts, service)}
        drift.different |= set(_about(service, wanted[service], stack))
    drift.owned = not drift.undeclared
    return declared.values(document, drift)


def _about(service: str, facts: Pam, stack: set[str]) -> Iterator[str]:
    seen = {"faillock": "pam_faillock.so" in stack, "unix": "pam_unix.so" in stack}
    declared_facts = {"faillock": facts.faillock, "unix": facts.unix}
    return (f"{service}:{name}" for name in seen if seen[name] != declared_facts[name])


CHECK = Check(
    id="LNX-EXP-015",
    title="PAM services are those that the configuration declares",
    platforms=frozenset({"nixos"}),
    source="pam.conf(5); NIST SP 800-53 IA-2; 45 CFR 164.312(d)",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)

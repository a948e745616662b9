"""How many factors an administrator needs to come in over SSH (45 CFR 164.312(d)).

Two ways count: ``AuthenticationMethods`` that asks for two different methods in every alternative,
or keys that live in hardware only (``sk-`` types, a touch and a token). Certificates of a user CA
are told apart, because how short they live is not written on this machine. Today's rule text is
risk-based here; the NPRM (90 FR 898) would require it.
"""

from reconciler.checks.parsing import authorized_keys, sshd
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_PASSWORD_SWITCHES = ("passwordauthentication", "kbdinteractiveauthentication")


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (*sshd.PROBES, *authorized_keys.PROBES)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    settings = sshd.settings(answers)
    if isinstance(settings, NotApplicable):
        return settings
    found = authorized_keys.read_keys(answers)
    methods = _fewest_methods(settings)
    kinds = tuple(sorted({key.type for key in found.keys}))
    return {
        "methods_required": methods,
        "key_types": kinds,
        "user_ca": _user_ca(settings),
        "second_factor": _second_factor(settings, methods, found),
    }


def _fewest_methods(settings: sshd.Settings) -> int:
    """Distinct methods in the shortest alternative; two keys are still one kind of factor."""
    alternatives = (
        *settings.authentication_methods(),
        *settings.authentication_methods_in_match(),
    )
    counts = [
        len({method.partition(":")[0] for method in alternative.split(",")})
        for alternative in alternatives
    ]
    if not counts:
        raise Unobservable("sshd says authenticationmethods without a value")
    return min(counts)


def _user_ca(settings: sshd.Settings) -> bool:
    general = settings.one_text("trustedusercakeys")
    return {general, *settings.blocks.get("trustedusercakeys", ())} != {"none"}


def _second_factor(settings: sshd.Settings, methods: int, found: authorized_keys.Keys) -> str:
    if methods >= 2:
        return "methods"
    passwords = {v for k in _PASSWORD_SWITCHES for v in (settings.one(k), *settings.in_match(k))}
    in_hardware = all(key.type.startswith("sk-") for key in found.keys)
    if passwords != {"no"} or not in_hardware or found.not_understood or found.homes_elsewhere:
        return "none"
    if _user_ca(settings):
        return "certificates"
    return "hardware-keys" if found.keys else "none"


CHECK = Check(
    id="LNX-AUTH-001",
    title="Administrative remote access uses two factors",
    platforms=frozenset({"linux", "nixos"}),
    source="sshd_config(5) AuthenticationMethods, TrustedUserCAKeys; NIXOS V-268136, V-268177",
    fields={
        "methods_required": Field("int", "Distinct methods that the shortest way in asks for."),
        "key_types": Field("list[str]", "Types of all authorised keys, distinct, sorted."),
        "user_ca": Field("bool", "Whether certificates of a user CA are accepted."),
        "second_factor": Field(
            "str", "Where it comes from: methods, hardware-keys, certificates or none."
        ),
    },
    probes=_probes,
    parse=_parse,
)

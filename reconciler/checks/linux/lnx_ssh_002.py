"""Password log-in over SSH: what can be guessed, will be (45 CFR 164.308(a)(5)(ii)(D)).

Keyboard-interactive asks PAM, which asks for a password unless it was told otherwise, so it counts
as one. It is harmless where ``AuthenticationMethods`` wants a key as well: whether a password
alone is enough is a fact about several settings together, and is reported as one.
"""

from reconciler.checks.parsing import sshd
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_SWITCHES = {
    "password": "passwordauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
}


def _probes(_params: Params) -> tuple[Probe, ...]:
    return sshd.PROBES


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    settings = sshd.settings(answers)
    if isinstance(settings, NotApplicable):
        return settings
    return {
        "passwordauthentication": settings.one("passwordauthentication"),
        "kbdinteractiveauthentication": settings.one("kbdinteractiveauthentication"),
        "permitemptypasswords": settings.one("permitemptypasswords"),
        "permitemptypasswords_in_match": settings.in_match("permitemptypasswords"),
        "password_suffices": _password_suffices(settings),
    }


def _password_suffices(settings: sshd.Settings) -> bool:
    """Whether some connection gets in without a key; Match blocks count wherever they apply."""
    usable = {name for name, keyword in _SWITCHES.items() if _can_be_on(settings, keyword)}
    alternatives = (
        *settings.authentication_methods(),
        *settings.authentication_methods_in_match(),
    )
    return any(_without_key(alternative, usable) for alternative in alternatives)


def _can_be_on(settings: sshd.Settings, keyword: str) -> bool:
    return {settings.one(keyword), *settings.in_match(keyword)} != {"no"}


def _without_key(alternative: str, usable: set[str]) -> bool:
    if alternative == "any":
        return bool(usable)
    return all(method.partition(":")[0] in usable for method in alternative.split(","))


CHECK = Check(
    id="LNX-SSH-002",
    title="SSH password log-in off",
    platforms=frozenset({"linux", "nixos"}),
    source="sshd_config(5) PasswordAuthentication, KbdInteractiveAuthentication, "
    "PermitEmptyPasswords, AuthenticationMethods; CIS Debian 12 v2.0.0 5.1.19",
    fields={
        "passwordauthentication": Field("str", "yes or no, outside of Match blocks."),
        "kbdinteractiveauthentication": Field("str", "yes or no, outside of Match blocks."),
        "permitemptypasswords": Field("str", "yes or no, outside of Match blocks."),
        "permitemptypasswords_in_match": Field(
            "list[str]", "The distinct values that Match blocks give; empty when none does."
        ),
        "password_suffices": Field(
            "bool",
            "Whether some connection, Match blocks included, gets in by a password or by "
            "keyboard-interactive answers alone.",
        ),
    },
    probes=_probes,
    parse=_parse,
)

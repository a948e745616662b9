"""Acting as root takes a password, again (45 CFR 164.312(a)(1), NIXOS V-268155, V-268156).

A workstation left for a minute must not be root's. Rules name who may go without (a declared
automation account); ``timestamp_timeout`` says for how long one password counts. Where it is not
set, the longest default that a distribution compiles in is reported (Debian: 15 minutes).
"""

import re
from math import ceil

from reconciler.checks.parsing import sudoers
from reconciler.checks.parsing.shapes import files
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe, ReadFile, ReadGlob
from reconciler.model.values import Params

_MAIN = ReadFile("/etc/sudoers")
_INCLUDED = ReadGlob("/etc/sudoers.d/*")
_LONGEST_DEFAULT = 15
_TIMEOUT = re.compile(r'(?:(!)\s*timestamp_timeout|timestamp_timeout\s*=\s*"?(-?[0-9.]+)"?)')


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (_MAIN, _INCLUDED)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    if answers.absent(_MAIN):
        return NotApplicable("sudo is not installed: there is no /etc/sudoers")
    found = sudoers.read(answers.text(_MAIN), files(answers, _INCLUDED))
    return {
        "nopasswd": found.nopasswd,
        "timestamp_timeout_min": _timeout(found.defaults),
    }


def _timeout(defaults: tuple[sudoers.Default, ...]) -> int | None:
    """Minutes for the luckiest user; ``None`` when a password never runs out."""
    general: float = _LONGEST_DEFAULT
    personal: list[float] = []
    for default in defaults:
        if "timestamp_timeout" not in default.setting:
            continue
        minutes = _minutes(default.setting)
        if default.users:
            personal.append(minutes)
        else:
            general = minutes
    every = [general, *personal]
    return None if min(every) < 0 else ceil(max(every))


def _minutes(setting: str) -> float:
    found = _TIMEOUT.fullmatch(setting)
    if found is None or (
        found[2] and re.fullmatch(r"-?[0-9]{1,6}(\.[0-9]{1,6})?", found[2]) is None
    ):
        raise Unobservable("sudoers: timestamp_timeout cannot be read")
    return 0.0 if found[1] else float(found[2])


CHECK = Check(
    id="LNX-PRIV-001",
    title="Privilege elevation needs re-authentication",
    platforms=frozenset({"linux", "nixos"}),
    source="sudoers(5); NIXOS V-268155, V-268156; CIS Debian 12 v2.0.0 5.2.4, 5.2.6",
    fields={
        "nopasswd": Field(
            "list[str]", "Users, %groups and ALL that some rule spares the password, sorted."
        ),
        "timestamp_timeout_min": Field(
            "int",
            "Minutes that a password lasts, rounded up; none when it never runs out.",
            optional=True,
        ),
    },
    probes=_probes,
    parse=_parse,
)

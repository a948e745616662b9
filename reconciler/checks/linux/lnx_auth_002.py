"""Accounts lock after repeated failures (45 CFR 164.308(a)(5)(ii)(C), 164.312(a)(1)).

``pam_faillock`` locks only when it stands in the stack twice: ``preauth`` refuses a locked account
and ``authfail`` counts. With one of them alone an attacker has all the guesses there are, so each
service is reported that lacks either. Arguments of the module
win over faillock.conf(5), whose defaults are deny 3, fail_interval 900 and unlock_time 600.
"""

import re
from collections.abc import Mapping

from reconciler.checks.parsing import pam
from reconciler.checks.parsing.shapes import code_lines, files, number
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, ReadFile, ReadGlob
from reconciler.model.values import Params

_SERVICES = ReadGlob("/etc/pam.d/*")
_CONF = ReadFile("/etc/security/faillock.conf")
_DEFAULTS = {"deny": 3, "fail_interval": 900, "unlock_time": 600}
_ASSIGNMENT = re.compile(r"([a-z_]+)\s*=\s*(\S+)")


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (_SERVICES, _CONF)


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    texts = {file.path.rpartition("/")[2]: file.text for file in files(answers, _SERVICES)}
    if not texts:
        raise Unobservable("/etc/pam.d/* names no file")
    wanted = params["services"]
    names = [name for name in wanted if name in texts] if isinstance(wanted, tuple) else []
    if not names:
        return NotApplicable("none of the services is in /etc/pam.d")
    stacks = {str(name): _faillock(pam.auth_stack(texts, str(name))) for name in names}
    conf = _settings(_conf_text(answers), _DEFAULTS)
    numbers = [_settings("\n".join(a), conf) for stack in stacks.values() for a in stack if a]
    return {
        "services": tuple(sorted(stacks)),
        "services_without": tuple(sorted(n for n, stack in stacks.items() if not _whole(stack))),
        "deny": _worst(numbers, "deny"),
        "fail_interval_s": _worst(numbers, "fail_interval"),
        "unlock_time_s": _worst(numbers, "unlock_time"),
    }


def _faillock(stack: tuple[pam.Module, ...]) -> tuple[tuple[str, ...], ...]:
    """Arguments of every pam_faillock line of a stack."""
    return tuple(module.arguments for module in stack if module.name == "pam_faillock.so")


def _whole(lines: tuple[tuple[str, ...], ...]) -> bool:
    return any("preauth" in line for line in lines) and any("authfail" in line for line in lines)


def _conf_text(answers: Answers) -> str:
    return "" if answers.absent(_CONF) else answers.text(_CONF)


def _settings(text: str, defaults: Mapping[str, int]) -> dict[str, int]:
    found = dict(defaults)
    for line in code_lines(text):
        match = _ASSIGNMENT.fullmatch(line)
        if match is not None and match[1] in defaults:
            value = "0" if match[2] == "never" else match[2]
            found[match[1]] = number(value, f"faillock {match[1]}", highest=2**31 - 1)
    return found


def _worst(settings: list[dict[str, int]], name: str) -> int | None:
    """The largest value over all lines: the most guesses that some way in allows."""
    return max((found[name] for found in settings), default=None)


CHECK = Check(
    id="LNX-AUTH-002",
    title="Accounts lock after repeated failures",
    platforms=frozenset({"linux", "nixos"}),
    source="pam_faillock(8), faillock.conf(5); NIXOS V-268081; "
    "CIS Debian 12 v2.0.0 5.3.3.1.1, 5.3.3.1.2",
    params={
        "services": Parameter(
            type="list[str]",
            doc="PAM services by which people log in.",
            required=False,
            default=("login", "sshd"),
            pattern=r"[a-z0-9][a-z0-9_.-]{0,62}",
            max_items=16,
        )
    },
    fields={
        "services": Field("list[str]", "Services that exist here, sorted."),
        "services_without": Field("list[str]", "Services without preauth or authfail, sorted."),
        "deny": Field("int", "Failures that are allowed in a row; the largest.", optional=True),
        "fail_interval_s": Field("int", "Seconds in which failures count.", optional=True),
        "unlock_time_s": Field(
            "int", "Seconds until a locked account opens; 0: a person has to.", optional=True
        ),
    },
    probes=_probes,
    parse=_parse,
)

"""Idle interactive sessions end (45 CFR 164.312(a)(2)(iii), NIXOS V-268086, V-268087).

Two mechanisms: logind stops a session that was idle (``StopIdleSessionSec``, systemd 252 and
later), or the shell ends by itself (``TMOUT``), which counts only where the user cannot unset it.
LNX-SSH-004 is another matter: it finds peers that are gone.
"""

from reconciler.checks.parsing import tmout
from reconciler.checks.parsing.shapes import MAX_INT, files, refuse
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import BusProperty, Probe, ReadFile, ReadGlob
from reconciler.model.values import Params

_STOP_IDLE = BusProperty(
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
    "StopIdleSessionUSec",
)
_PROFILES = tuple(map(ReadFile, ("/etc/profile", "/etc/bashrc", "/etc/bash.bashrc")))
_FRAGMENTS = ReadGlob("/etc/profile.d/*.sh")
_NEVER_US = 2**64 - 1


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (_STOP_IDLE, *_PROFILES, _FRAGMENTS)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    stop_idle = _stop_idle_s(answers)
    shell = tmout.read(_profile_texts(answers))
    in_force = [stop_idle, shell.seconds if shell.read_only else None]
    return {
        "stop_idle_s": stop_idle,
        "tmout_s": shell.seconds,
        "tmout_readonly": shell.read_only,
        "idle_limit_s": min((limit for limit in in_force if limit), default=None),
    }


def _stop_idle_s(answers: Answers) -> int | None:
    """Whole seconds; ``None`` for "never" and where logind has no such property."""
    if answers.absent(_STOP_IDLE):
        return None
    value = answers.data(_STOP_IDLE)
    if type(value) is not int or not 0 <= value <= _NEVER_US:
        refuse(_STOP_IDLE, "the time is not a number of microseconds")
    seconds = value // 1_000_000
    return None if value in {0, _NEVER_US} else min(max(seconds, 1), MAX_INT)


def _profile_texts(answers: Answers) -> list[str]:
    single = [answers.text(probe) for probe in _PROFILES if not answers.absent(probe)]
    return [*single, *(file.text for file in files(answers, _FRAGMENTS))]


CHECK = Check(
    id="LNX-SESS-001",
    title="Idle interactive sessions end",
    platforms=frozenset({"linux", "nixos"}),
    source="org.freedesktop.login1 Manager.StopIdleSessionUSec, logind.conf(5); bash(1) TMOUT; "
    "CIS Debian 12 v2.0.0 5.4.3.2; NIXOS V-268086, V-268087",
    fields={
        "stop_idle_s": Field("int", "Seconds after which logind stops a session.", optional=True),
        "tmout_s": Field(
            "int", "Seconds of TMOUT in the profiles; 0: switched off.", optional=True
        ),
        "tmout_readonly": Field("bool", "Whether the profiles make TMOUT read-only."),
        "idle_limit_s": Field(
            "int", "Seconds of the shortest limit that a user cannot lift.", optional=True
        ),
    },
    probes=_probes,
    parse=_parse,
)

"""Whether the SSH server drops a session whose other end is gone (45 CFR 164.312(a)(2)(iii)).

ClientAlive only finds a dead peer; a live, idle user is the subject of LNX-SESS-001. A count of 0
switches the drop off since OpenSSH 8.2, so a rule asks for at least 1.
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
    interval, most = "clientaliveinterval", "clientalivecountmax"
    return {
        interval: sshd.seconds(settings.one(interval), interval),
        most: sshd.count(settings.one(most), most),
        f"{interval}_in_match": _numbers(settings, interval),
        f"{most}_in_match": _numbers(settings, most),
    }


def _numbers(settings: sshd.Settings, keyword: str) -> tuple[int, ...]:
    return tuple(sorted({sshd.seconds(value, keyword) for value in settings.in_match(keyword)}))


CHECK = Check(
    id="LNX-SSH-004",
    title="Unresponsive SSH sessions are dropped",
    platforms=frozenset({"linux", "nixos"}),
    source="sshd_config(5) ClientAliveInterval, ClientAliveCountMax; NIXOS V-268142, V-268143; "
    "CIS Debian 12 v2.0.0 5.1.7",
    fields={
        "clientaliveinterval": Field("int", "Seconds of silence before the peer is asked; 0: off."),
        "clientalivecountmax": Field("int", "Questions without answer before the drop; 0: never."),
        "clientaliveinterval_in_match": Field("list[int]", "Seconds that Match blocks give."),
        "clientalivecountmax_in_match": Field("list[int]", "Counts that Match blocks give."),
    },
    probes=_probes,
    parse=_parse,
)

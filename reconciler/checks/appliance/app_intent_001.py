"""The newest desired state is trusted, it is the one in force, and nothing holds it.

A commit that is unsigned, rewound, forked or signed by somebody who may not is refused; the last
accepted one stays in force. A state that is held (no fresh heartbeat, content of a revoked key) is
in force, and nothing acts under it. Either is a finding, so that nobody believes in a change that
never arrived, or in a machine that nobody heals.

Source: 45 CFR 164.312(c)(1), 164.312(d); NIST SP 800-53 CM-3, CM-5, SI-7.
"""

import re

from reconciler.checks.parsing.records import Record, record
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.probe import Internal, Probe
from reconciler.model.values import Params

INTENT = Internal("intent")

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REASON = re.compile(r"[a-z0-9-]{1,64}")


def _matching(intent: Record, name: str, pattern: re.Pattern[str]) -> str | None:
    value = intent.optional_text(name)
    if value is not None and pattern.fullmatch(value) is None:
        raise Unobservable(f"intent: {name} is not written as it must be")
    return value


def _parse(_params: Params, answers: Answers) -> Values:
    """Read what became of the newest commit of the fleet repository."""
    intent = record(answers.data(INTENT), "intent")
    age_s = intent.optional_whole("age_s")
    return {
        "trusted": intent.flag("trusted"),
        "accepted": _matching(intent, "commit", _COMMIT),
        "refused": _matching(intent, "refused", _COMMIT),
        "reason": _matching(intent, "reason", _REASON),
        "age_h": None if age_s is None else age_s // 3600,
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The desired state."""
    return (INTENT,)


CHECK = Check(
    id="APP-INTENT-001",
    title="The newest desired state is trusted",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.312(c)(1), 164.312(d); SP 800-53 CM-3, CM-5, SI-7",
    fields={
        "trusted": Field("bool", "Whether the newest commit seen is in force and not held."),
        "accepted": Field("str", "Commit in force; absent before the first.", optional=True),
        "refused": Field("str", "Commit that was refused, if any.", optional=True),
        "reason": Field("str", "Code of the refusal or hold, for example stale.", optional=True),
        "age_h": Field(
            "int",
            "Hours since the fleet repository was last seen; absent if never.",
            optional=True,
            gauge=True,
        ),
    },
    probes=_probes,
    parse=_parse,
)

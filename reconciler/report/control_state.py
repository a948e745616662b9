"""How a control stands at the end of a period. One function, used by every report.

Rule 1: Unknown is never satisfied, and says so. Nothing is averaged.
Rule 2: Software decides only what is marked ``tested``; for the rest it says what it saw, and that
        a person decides.
Rule 3: A control that nothing was observed about is not satisfied.
Rule 4: A risk that was accepted without compliance is a failing check, and said to be a known gap.
Rule 5: A control of a proposed rule is never satisfied: there is nothing yet to satisfy.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.model.proposed import is_proposed
from reconciler.report.spans import Span

Evidence = Literal["tested", "supported", "attested", "unknown"]


@dataclass(frozen=True, slots=True)
class ControlFacts:
    """A control, as its framework describes it.

    Attributes:
        id: ``<framework>:<control>``.
        title: What it asks for.
        evidence: What can show it: ``tested``, ``supported``, ``attested``; ``unknown`` if its
            framework was not given.
    """

    id: str
    title: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ControlState:
    """How it stands.

    Attributes:
        satisfied: Whether machine checks alone show that it is met.
        reason: ``pass``, ``fail`` or ``other``.
        words: Why, with the numbers.
        counts: Rules at the end of the period, by status.
    """

    satisfied: bool
    reason: Literal["pass", "fail", "other"]
    words: str
    counts: Mapping[str, int]


def state_of(
    control: ControlFacts, spans: Sequence[Span], standing: Sequence[Span]
) -> ControlState:
    """How a control stands.

    Args:
        control: The control.
        spans: Spans of findings of the whole period.
        standing: Those that the newest run of the period shows.
    """
    ours = [s for s in standing if s.about == "finding" and control.id in s.controls]
    counts = Counter(span.status for span in ours)
    trouble = {
        s.rule
        for s in spans
        if s.about == "finding" and control.id in s.controls and s.status in {"fail", "unknown"}
    }
    seen = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in _ORDER)
    said = f"{len(ours)} rules at the end of the period: {seen}."
    known = sum(span.risk_accepted is not None for span in ours)
    if known:
        said += f" Of the failing, {known} are risk_accepted_noncompliant: gaps, known and open."
    if trouble:
        said += f" In the period {len(trouble)} failed or could not be judged for a time."
    satisfied, reason, why = _judge(control, counts)
    return ControlState(satisfied, reason, f"{why} {said}", dict(counts))


_ORDER = ("fail", "unknown", "excepted", "pass", "not_applicable")


def _judge(
    control: ControlFacts, counts: Counter[str]
) -> tuple[bool, Literal["pass", "fail", "other"], str]:
    if is_proposed(control.id):
        return False, "other", "Proposed rule, no law: nothing can be satisfied; a look ahead."
    if counts["fail"]:
        return False, "fail", "Not satisfied: a check fails."
    if counts["unknown"]:
        return False, "other", "Not satisfied: a check could not be judged; unknown is no pass."
    if not counts["pass"] and not counts["excepted"]:
        return False, "other", "Not satisfied: no machine check shows anything about it here."
    if counts["excepted"]:
        return False, "other", "Not satisfied by itself: an exception covers a check that fails."
    if control.evidence == "tested":
        return True, "pass", "Satisfied: every check on it passes or does not apply."
    if control.evidence == "unknown":
        return False, "other", "Every check passes, but its framework was not given to this report."
    return False, "other", "Every check on it passes, but a person decides this provision."

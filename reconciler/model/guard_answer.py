"""Why something does not run, and when it will: the answer of ``reconciler guard explain``."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.model.finding import Severity
from reconciler.model.incident import Incident
from reconciler.model.plan import Action, Unplanned
from reconciler.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One rule that failed in the newest run with findings.

    Attributes:
        rule: The bound rule.
        check: Its check.
        severity: The rule's.
        incident: The open incident; ``None`` where the ledger holds none.
        action: What the plan names for it; ``None`` when nothing is planned.
        unplanned: Why nothing is planned.
        verdicts: What every guard says of the action now.
        runs_at: The earliest moment at which every guard allows it; ``None`` when none comes.
        stops: What stops it then, or for good: guards that time alone does not end.
        prechecks: Conditions that are looked at before the first step.
    """

    rule: str
    check: str
    severity: Severity
    incident: Incident | None
    action: Action | None
    unplanned: Unplanned | None
    verdicts: tuple[Verdict, ...] = ()
    runs_at: datetime | None = None
    stops: tuple[Verdict, ...] = ()
    prechecks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardAnswer:
    """Everything that fails on one host.

    Attributes:
        target: ``<client>/<host>``.
        asked_at: When it was asked.
        commit: The accepted fleet commit that it was judged by.
        seq: Entry of the newest run with findings.
        seen_at: When that run was recorded.
        confirmed_at: When a run last found the same.
        interval_s: How often the appliance runs.
        looked_ahead_s: How far ahead a moment was looked for.
        answers: One for each rule that fails and was asked about, the severest first.
    """

    target: str
    asked_at: datetime
    commit: str
    seq: int
    seen_at: datetime
    confirmed_at: datetime
    interval_s: int
    looked_ahead_s: int
    answers: tuple[Answer, ...]

"""Choices that keep succeeding: candidates, and which of them are ripe to be proposed as rules.

Rule 1: Only what a model or a person chose counts as a success, once for each trial: a rule that
        follows itself would prove nothing. A failure counts against a choice, whoever chose.
Rule 2: Ripe is exact: so many successes, no failure, a Wilson bound, so many hosts, so many days.
        What is missing is said in numbers.
Rule 3: The same evidence in any order gives the same candidates, byte for byte.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from reconciler.evidence.canonical import digest
from reconciler.learn.conditions import Condition, common, severities
from reconciler.learn.trial import Choice, Trial
from reconciler.learn.wilson import lower_bound, reaches
from reconciler.model.finding import Severity

CANDIDATE_AT = 5
SUCCESSES = 16
BOUND = Fraction(80, 100)
HOSTS = 3
SPAN = timedelta(days=7)
MOST_REFERENCES = 200
"""As many as a healing rule may name; of more, the newest are named and all are counted."""

Need = Literal["successes", "no-failure", "bound", "hosts", "days", "condition"]


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that a candidate lacks.

    Attributes:
        have: As it is: successes, failures, ten-thousandths, hosts, whole days.
        need: As it must be.
    """

    what: Need
    have: int
    need: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A choice, and what its trials say.

    Attributes:
        id: Of the rule that it would become.
        open: Trials that have not ended.
        bound: Wilson's lower bound in ten-thousandths, rounded down.
        hosts: Where it succeeded.
        first: When the first success was begun; ``None`` without one.
        last: When the last was.
        where: Conditions that held in all its trials, by observed field.
        references: The entries that show its successes, oldest first.
        missing: What it lacks to be proposed; empty when it is ripe.
    """

    id: str
    choice: Choice
    successes: int
    failures: int
    open: int
    bound: int
    by_model: int
    by_people: int
    hosts: tuple[str, ...]
    first: datetime | None
    last: datetime | None
    severity: tuple[Severity, ...]
    where: Mapping[str, Condition]
    references: tuple[str, ...]
    missing: tuple[Missing, ...]

    @property
    def ripe(self) -> bool:
        """Whether it may be proposed."""
        return not self.missing


def candidates(trials: Iterable[Trial]) -> tuple[Candidate, ...]:
    """Every choice that a model or a person made often enough to be looked at.

    Args:
        trials: Of one host or of many, in any order.
    """
    groups: dict[Choice, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(trial.choice, []).append(trial)
    found = [_candidate(choice, sorted(group, key=_place)) for choice, group in groups.items()]
    looked_at = [one for one in found if one.by_model + one.by_people >= CANDIDATE_AT]
    return tuple(sorted(looked_at, key=lambda one: one.id))


def rule_id(choice: Choice) -> str:
    """The id of the rule that a choice would become; the same choice has the same one."""
    said = {
        "check": choice.check,
        "runbook": choice.runbook,
        "runbook_digest": choice.digest,
        "params": choice.params.decode(),
    }
    return f"learned-{choice.check.lower()}-{digest(said)[:8]}"


def _place(trial: Trial) -> tuple[datetime, str, int]:
    return trial.at, trial.target, trial.seq


def _candidate(choice: Choice, trials: Sequence[Trial]) -> Candidate:
    chosen = [trial for trial in trials if trial.chooser != "rule"]
    won = [trial for trial in chosen if trial.ending == "success"]
    lost = [trial for trial in trials if trial.ending == "failure"]
    sights = [sight for trial in won for sight in trial.seen]
    hosts = tuple(sorted({trial.target for trial in won}))
    span = won[-1].at - won[0].at if won else timedelta(0)
    where = common(sights)
    return Candidate(
        id=rule_id(choice),
        choice=choice,
        successes=len(won),
        failures=len(lost),
        open=sum(trial.ending == "open" for trial in chosen),
        bound=lower_bound(len(won), len(won) + len(lost)),
        by_model=sum(trial.chooser == "model" for trial in chosen),
        by_people=sum(trial.chooser == "person" for trial in chosen),
        hosts=hosts,
        first=won[0].at if won else None,
        last=won[-1].at if won else None,
        severity=severities(sights),
        where=where,
        references=tuple(trial.reference for trial in won)[-MOST_REFERENCES:],
        missing=tuple(_missing(len(won), len(lost), len(hosts), span, len(where))),
    )


def _missing(
    won: int, lost: int, hosts: int, span: timedelta, conditions: int
) -> Iterable[Missing]:
    if won < SUCCESSES:
        yield Missing("successes", won, SUCCESSES)
    if lost:
        yield Missing("no-failure", lost, 0)
    if not reaches(won, won + lost, BOUND):
        yield Missing("bound", lower_bound(won, won + lost), int(BOUND * 10_000))
    if hosts < HOSTS:
        yield Missing("hosts", hosts, HOSTS)
    if span < SPAN:
        yield Missing("days", span.days, SPAN.days)
    if won and not conditions:
        yield Missing("condition", 0, 1)

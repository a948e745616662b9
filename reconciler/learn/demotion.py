"""Promoted rules that stopped to work.

Rule 1: Two failures within 30 days of one another are enough, on any hosts. Rules that people wrote
        are theirs to judge.
Rule 2: They count for the version of the runbook that is pinned now: a repaired runbook starts
        anew. A failure that is 30 days older than the newest evidence is past.
Rule 3: A trial is a rule's when its entry says that the rule chose it; where no entry says so, when
        the rule answers what was seen with the runbook that was begun.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from reconciler.diff.compare import meets
from reconciler.learn.trial import Sight, Trial
from reconciler.model.healing_rule import HealingRule
from reconciler.model.rule import bound

FAILURES = 2
WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Demotion:
    """A promoted rule that should be switched off.

    Attributes:
        references: The entries that show its failures, oldest first.
        first: When the first of them was begun.
        last: When the last was.
    """

    rule: HealingRule
    references: tuple[str, ...]
    first: datetime
    last: datetime


def demotions(
    rules: Iterable[HealingRule],
    trials: Sequence[Trial],
    pinned: Mapping[str, str],
    newest: datetime,
) -> tuple[Demotion, ...]:
    """Promoted rules with two failures within 30 days.

    Args:
        rules: Of the fleet, as it is now.
        trials: Of one host or of many.
        pinned: The digest of each runbook, as it is now.
        newest: When the newest evidence was recorded.
    """
    found = [
        _demotion(rule, _failures(rule, trials, pinned, newest))
        for rule in sorted(rules, key=lambda rule: rule.id)
        if rule.source == "promoted" and rule.enabled
    ]
    return tuple(one for one in found if one is not None)


def _failures(
    rule: HealingRule,
    trials: Sequence[Trial],
    pinned: Mapping[str, str],
    newest: datetime,
) -> list[Trial]:
    mine = [
        trial
        for trial in trials
        if trial.ending == "failure"
        and trial.choice.digest == pinned.get(rule.runbook)
        and newest - trial.at <= WITHIN
        and answered(rule, trial)
    ]
    return sorted(mine, key=lambda trial: (trial.at, trial.target, trial.seq))


def answered(rule: HealingRule, trial: Trial) -> bool:
    """Whether a rule chose what a trial tried."""
    if trial.healing or trial.chooser == "model":
        return rule.id in trial.healing
    same = (rule.match.check, rule.runbook) == (trial.choice.check, trial.choice.runbook)
    return same and any(covers(rule, sight) for sight in trial.seen)


def covers(rule: HealingRule, sight: Sight) -> bool:
    """Whether a rule's severity and observed conditions hold in what was seen."""
    match = rule.match
    if match.severity and sight.severity not in match.severity:
        return False
    return all(
        name.removeprefix("observed.") in sight.failed
        and meets(bound(wanted, {}), sight.failed[name.removeprefix("observed.")])
        for name, wanted in match.where.items()
        if name.startswith("observed.")
    )


def _demotion(rule: HealingRule, failures: Sequence[Trial]) -> Demotion | None:
    if not any(two.at - one.at <= WITHIN for one, two in pairwise(failures)):
        return None
    references = tuple(trial.reference for trial in failures)
    return Demotion(rule, references, failures[0].at, failures[-1].at)

"""From evidence to proposals: rules that were learned, and rules that stopped to work.

Rule 1: A choice is proposed only if it is ripe by the numbers, its runbook is approved and still
        the one that was tried, and the fleet with the new rule is one that an appliance would take.
Rule 2: What a rule answers already in the same way is not proposed, and what people switched off is
        not proposed again.
Rule 3: With every proposal comes what it would have done: the recorded incidents played again under
        the real planner and guards, without and with it.
Rule 4: The same evidence and the same fleet give the same proposals, byte for byte.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.desired import strict_yaml
from reconciler.desired.fleet import Fleet
from reconciler.desired.gate.reading import Reading, read_revision
from reconciler.engine.simulation.fleet import Catalogues
from reconciler.engine.simulation.replay import recorded
from reconciler.engine.simulation.simulate import simulate
from reconciler.errors import InputError
from reconciler.evidence.record import Branch, Record
from reconciler.learn.candidates import Candidate, candidates
from reconciler.learn.demotion import Demotion, covers, demotions
from reconciler.learn.document import PRIORITY, disabled, document, path_of
from reconciler.learn.proposal import Coverage, Declined, Demoted, Promoted, Proposals, Replay
from reconciler.learn.trial import Sight, Trial
from reconciler.learn.witness import trials_of
from reconciler.ledger.reader import newest_first
from reconciler.model.desired import BoundRule, DesiredState
from reconciler.model.finding import Finding
from reconciler.model.healing_rule import HealingRule
from reconciler.plan.planner import plan
from reconciler.report.simulation import differences

MOST_REPLAYED = 5
"""Hosts whose recorded incidents are played again: those with the most trials."""

Histories = Mapping[str, Sequence[Record]]


@dataclass(frozen=True, slots=True)
class Given:
    """What proposals are made from.

    Attributes:
        reading: The fleet, whole.
        files: Its files, by path.
        histories: Proven entries of each host, oldest first.
    """

    reading: Reading
    files: Mapping[str, bytes]
    histories: Histories
    catalogues: Catalogues

    @property
    def fleet(self) -> Fleet:
        """Its documents.

        Raises:
            InputError: There are none.
        """
        if self.reading.fleet is None:
            raise InputError("the fleet cannot be read", hint="See: reconciler check PATH.")
        return self.reading.fleet


def read_histories(sources: Iterable[tuple[Path, Sequence[Branch]]]) -> dict[str, list[Record]]:
    """Every entry of every host, proven.

    Raises:
        LedgerDamaged: An entry does not verify; nothing is learned from such evidence.
        InputError: Two repositories speak of one host.
    """
    found: dict[str, list[Record]] = {}
    for repository, branches in sources:
        for branch in branches:
            target = f"{branch.client}/{branch.host}"
            if target in found:
                hint = "Give each host's evidence once."
                raise InputError(f"two evidence repositories speak of {target}", hint=hint)
            newest = newest_first(repository, branch.client, branch.host, branch.signers)
            found[target] = list(newest)[::-1]
    return found


def propose(given: Given) -> Proposals:
    """Everything that evidence says should become a rule, or stop to be one."""
    trials = [trial for records in given.histories.values() for trial in trials_of(records)]
    promoted: list[Promoted] = []
    declined: list[Declined] = []
    waiting: list[Candidate] = []
    for candidate in candidates(trials):
        if not candidate.ripe:
            waiting.append(candidate)
            continue
        mine = [trial for trial in trials if trial.choice == candidate.choice]
        made = _promote(given, candidate, mine, [one.rule for one in promoted])
        if isinstance(made, Declined):
            declined.append(made)
        else:
            promoted.append(made)
    demoted, kept = _demote(given, trials)
    return Proposals(
        hosts=tuple(sorted(given.histories)),
        trials=len(trials),
        promoted=tuple(promoted),
        demoted=tuple(demoted),
        waiting=tuple(waiting),
        declined=(*declined, *kept),
    )


def _promote(
    given: Given, candidate: Candidate, trials: Sequence[Trial], before: Sequence[HealingRule]
) -> Promoted | Declined:
    reason = _obstacle(given, candidate, trials)
    if reason:
        return Declined(candidate.id, reason)
    path = path_of(candidate.id)
    text = document(candidate, _priority(given.fleet, candidate, before))
    rule = read_rule(text, path)
    after = _with(given, {path: text})
    problem = next((r for r in after.remarks if r.severity == "error"), None)
    if problem is not None:
        return Declined(candidate.id, f"the fleet would have an error: {problem.message}")
    return Promoted(
        candidate=candidate,
        rule=rule,
        path=path,
        text=text,
        coverage=_coverage(given, rule),
        replays=tuple(_replays(given, after, trials)),
    )


def _obstacle(given: Given, candidate: Candidate, trials: Sequence[Trial]) -> str:
    choice, fleet = candidate.choice, given.fleet
    there = fleet.healing.get(candidate.id)
    if there is not None:
        return "the rule is there already" if there.enabled else "people switched this rule off"
    pinned = {
        state.runbooks[choice.runbook].digest
        for state in given.reading.states.values()
        if choice.runbook in state.runbooks and state.runbooks[choice.runbook].approved
    } or _approved(fleet, choice.runbook)
    if not pinned:
        return f"{choice.runbook} is not approved in this fleet"
    if choice.digest not in pinned:
        return f"{choice.runbook} is another version now than the one that was tried"
    if any(_answered(given, candidate, trial) for trial in trials):
        return "a rule answers it in the same way already"
    return ""


def _approved(fleet: Fleet, runbook: str) -> set[str]:
    """The digest that the allow-list names; a runbook that no rule leads to is in no state."""
    approved = fleet.approved
    digest = None if approved is None else approved.runbooks.get(runbook)
    return set() if digest is None else {digest.removeprefix("sha256:")}


def _answered(given: Given, candidate: Candidate, trial: Trial) -> bool:
    """Whether a rule of the fleet answers what a trial was for with what it tried."""
    state = given.reading.states.get(trial.target)
    if state is None:
        return False
    found = [_finding(rule, sight, state) for rule, sight in _pairs(state, candidate, trial)]
    choice = candidate.choice
    return any(
        action.runbook == choice.runbook
        for finding in found
        for action in plan([finding], state).actions
    )


def _pairs(
    state: DesiredState, candidate: Candidate, trial: Trial
) -> Iterator[tuple[BoundRule, Sight]]:
    for rule in state.rules:
        if rule.check == candidate.choice.check:
            yield from ((rule, sight) for sight in trial.seen)


def _finding(rule: BoundRule, sight: Sight, state: DesiredState) -> Finding:
    return Finding(
        rule=rule.id,
        check=rule.check,
        target=state.target,
        status="fail",
        severity=rule.severity,
        controls=rule.controls,
        observed=sight.failed,
        failed=tuple(sight.failed),
    )


def _priority(fleet: Fleet, candidate: Candidate, before: Sequence[HealingRule]) -> int:
    """The highest one below people's that no rule of the same check has."""
    rules = [*fleet.healing.values(), *before]
    taken = {rule.priority for rule in rules if rule.match.check == candidate.choice.check}
    return next((each for each in range(PRIORITY, 0, -1) if each not in taken), 1)


def read_rule(text: str, path: str) -> HealingRule:
    """A rule's text, read as an appliance reads it.

    Raises:
        InputError: It does not read as a healing rule.
    """
    return strict_yaml.validate(strict_yaml.load(text.encode(), path), HealingRule)


def _with(given: Given, texts: Mapping[str, str]) -> Reading:
    """The fleet with some files replaced."""
    files = {**given.files, **{path: text.encode() for path, text in texts.items()}}
    checks, steps = given.catalogues.checks, given.catalogues.steps
    some = next(iter(given.reading.states.values()), None)
    commit, tree = (some.commit, some.tree) if some else ("0" * 40, "0" * 40)
    return read_revision(files, commit=commit, tree=tree, checks=checks, steps=steps)


def _coverage(given: Given, rule: HealingRule) -> Coverage:
    """Of the recorded faults of the rule's check: how many it would answer."""
    seen = answered = 0
    for target, records in given.histories.items():
        state = given.reading.states.get(target)
        rules = {} if state is None else {r.id: r for r in state.rules}
        mine = {name for name, bound in rules.items() if bound.check == rule.match.check}
        for drift in _drifts(records, mine):
            seen += 1
            sight = Sight(severity=rules[drift[0]].severity, failed=drift[1])
            answered += covers(rule, sight)
    return Coverage(answered, seen)


def _drifts(records: Sequence[Record], rules: set[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not rules or not any(record.entry.kind == "run" for record in records):
        return
    for drift in recorded(records, rules).stream.drifts:
        yield drift.rule, drift.observed


def _replays(given: Given, after: Reading, trials: Sequence[Trial]) -> Iterator[Replay]:
    """What the recorded incidents would have come to, without the new rule and with it."""
    counts: dict[str, int] = {}
    for trial in trials:
        counts[trial.target] = counts.get(trial.target, 0) + 1
    hosts = [t for t in sorted(counts, key=lambda t: (-counts[t], t)) if t in after.states]
    for target in hosts[:MOST_REPLAYED]:
        old, new = given.reading.states[target], after.states[target]
        stream = recorded(given.histories[target], {rule.id for rule in old.rules}).stream
        checks, steps = given.catalogues.checks, given.catalogues.steps
        base, head = (simulate(s, stream, checks, steps).document() for s in (old, new))
        yield Replay(target, head, differences(base, head))


def _demote(given: Given, trials: Sequence[Trial]) -> tuple[list[Demoted], list[Declined]]:
    fleet = given.fleet
    names = {rule.runbook for rule in fleet.healing.values()}
    pinned = {name: digest for name in names for digest in _approved(fleet, name)}
    newest = max((r[-1].entry.time for r in given.histories.values() if r), default=None)
    if newest is None:
        return [], []
    found = demotions(fleet.healing.values(), trials, pinned, newest)
    tried = [_switched_off(given, one) for one in found]
    return (
        [one for one in tried if isinstance(one, Demoted)],
        [one for one in tried if isinstance(one, Declined)],
    )


def _switched_off(given: Given, one: Demotion) -> Demoted | Declined:
    path = path_of(one.rule.id)
    old = given.files[path].decode()
    text = disabled(old, f"Switched off: {_why(one.references, one.first, one.last)}")
    if read_rule(text, path) != one.rule.model_copy(update={"enabled": False}):
        return Declined(one.rule.id, "it failed; switch it off by hand: its file has another form")
    return Demoted(one, path, text)


def _why(references: Sequence[str], first: datetime, last: datetime) -> str:
    return f"{len(references)} failures from {first:%Y-%m-%d} to {last:%Y-%m-%d}."

"""R3: enough people who did not write a change agree with it, step by step of the line.

Rule 1: The policy where the step begins decides which rule owns a path and who counts.
Rule 2: Whoever signed a commit of the step with an own change on a path of a rule is an author of
        that rule's change, however small, and does not count for it.
Rule 3: An approval covers the steps from its base to the first commit after it on the line that
        has its tree. The tree alone could be replayed to bring an old state back.
Rule 4: A step that changes trust is covered only by an approval of a tree that shows the change:
        people who see a change that was taken back have not agreed to what it allowed meanwhile.
Rule 5: Who merges agrees with what is merged, where the merge changes nothing of its own.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter

from reconciler.desired.refusal import Reason
from reconciler.desired.trees import shown
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.files import TRUST, Policy
from reconciler.desired.trust.steps import THRESHOLDS, Line, Step
from reconciler.evidence.signers import AllowedSigners
from reconciler.trust.judgement import Occasion, Tally, Trust, approver, roles_of, tally
from reconciler.trust.paths import Owned
from reconciler.trust.people import Holder, People
from reconciler.trust.statements import Approval


def examine_thresholds(case: Case, line: Line) -> None:
    """Ask R3 of every step.

    Raises:
        IntentRefused: ``path-unowned`` or ``approvals-missing``, unless everything is collected.
        MirrorDamaged: An object is missing.
    """
    approvals = _Approvals(case, line)
    for step in line.steps:
        policy = case.files.policy(step.before, step.tip)
        if policy is not None:
            _Ballot(case, step, policy, approvals).hold()


@dataclass(frozen=True, slots=True)
class _Span:
    """An approval and the steps that it covers: those that end after ``base``, up to ``last``."""

    base: int
    last: int
    approval: Approval
    public: bytes | None


class _Approvals:
    """Approvals of what is new on a line, read when the first one is asked for."""

    def __init__(self, case: Case, line: Line) -> None:
        self._case = case
        self._line = line
        self._spans: list[_Span] | None = None

    def covering(self, at: int) -> Iterator[_Span]:
        """Approvals that cover the step which ends at a place of the line."""
        if self._spans is None:
            self._spans = sorted(self._find(), key=lambda span: span.last)
        first = bisect_left(self._spans, at, key=lambda span: span.last)
        for index in range(first, len(self._spans)):
            if self._spans[index].base < at:
                yield self._spans[index]

    def _find(self) -> Iterator[_Span]:
        case = self._case
        _, past = case.lineage.line(case.head, case.new, case.limits.line + 1)
        places = {commit: -1 - at for at, commit in enumerate(past)}
        places |= {commit: at for at, commit in enumerate(self._line.fresh)}
        trees: dict[str, list[int]] = defaultdict(list)
        for commit, at in sorted(places.items(), key=itemgetter(1)):
            trees[case.lineage.link(commit).tree].append(at)
        for tree, seen in trees.items():
            if seen[-1] < 0:
                continue
            for signed in case.offer.attestations.approvals(tree):
                if isinstance(signed.statement, Approval):
                    base = places.get(signed.statement.base or "")
                    yield from _span(base, seen, signed.statement, signed.public)


def _span(
    base: int | None, seen: list[int], approval: Approval, public: bytes | None
) -> Iterator[_Span]:
    """What an approval covers; nothing if its base is not on the line, or had its tree already.

    Args:
        base: Place of its base; None if it is not on the line.
        seen: Places of all commits of the line with its tree.
        approval: What was signed.
        public: With which key.
    """
    if base is None:
        return
    found = bisect_left(seen, base)
    if found < len(seen) and seen[found] != base:
        yield _Span(base, seen[found], approval, public)


class _Ballot:
    """One step: which rules own what it changes, who wrote it, and who agrees."""

    def __init__(self, case: Case, step: Step, policy: Policy, approvals: _Approvals) -> None:
        self._case = case
        self._step = step
        self._policy = policy
        self._approvals = approvals
        self._signers = case.files.signers(step.before, step.tip)
        self._authors: dict[str, set[str]] | None = None

    def hold(self) -> None:
        """Ask for every rule that owns a path of the step."""
        docket, tip = self._case.docket, self._step.tip
        groups: dict[tuple[str, str | None], tuple[Owned, str]] = {}
        for path in self._changed():
            owned = self._policy.owners.of(path)
            if owned is None:
                what = f"brings a change of {shown(path)}, which no rule owns"
                docket.fail(THRESHOLDS, tip, Reason.PATH_UNOWNED, what, path)
                continue
            groups.setdefault((owned.rule.id, owned.client), (owned, path))
        for owned, path in groups.values():
            self._hold_rule(owned, path)

    def _hold_rule(self, owned: Owned, path: str) -> None:
        docket, tip, rule = self._case.docket, self._step.tip, owned.rule
        if rule.approvals == 0:
            docket.held(THRESHOLDS, tip, "needs no approval of others", path, rule.id)
            return
        found = self._tally(owned)
        served = "" if owned.client is None else f" for client {shown(owned.client)}"
        needs = f"{rule.approvals} approval(s) by {roles_of(rule)}{served}"
        counted = ", ".join(found.counted) or "nobody"
        if len(found.counted) >= rule.approvals:
            words = f"has {needs}: {counted}"
            docket.held(THRESHOLDS, tip, words, path, rule.id, people=found.counted)
            return
        passed = f"; passed over: {'; '.join(found.passed_over)}" if found.passed_over else ""
        what = (
            f"changes {shown(path)} (rule {rule.id}) and needs {needs}; counted: {counted}{passed}"
        )
        docket.fail(THRESHOLDS, tip, Reason.APPROVALS_MISSING, what, path, rule.id)

    def _changed(self) -> Sequence[str]:
        """Paths that differ between the two ends of the step."""
        case, step = self._case, self._step
        link = case.lineage.link
        if len(link(step.tip).parents) == 1:
            return case.own.of(step.tip)
        return sorted(case.trees.changes(link(step.before).tree, link(step.tip).tree, step.tip))

    def _tally(self, owned: Owned) -> Tally:
        """Counts until there are enough; more are not looked for."""
        authors = self._authors_of(owned.rule.id)
        agreed: dict[str, Holder | str] = {}
        found = tally(owned, authors, ())
        for one in self._agreed(owned):
            known = len(agreed)
            agreed.setdefault(one if isinstance(one, str) else one.id, one)
            if len(agreed) > known:
                found = tally(owned, authors, agreed.values())
            if len(found.counted) >= owned.rule.approvals:
                break
        return found

    def _agreed(self, owned: Owned) -> Iterator[Holder | str]:
        merger = self._merger(owned)
        if merger is not None:
            yield merger
        at = datetime.fromtimestamp(self._case.lineage.link(self._step.tip).seconds, UTC)
        occasion = Occasion(self._case.offer.branch, at, self._case.offer.now)
        trust = Trust(self._signers, self._policy.people)
        revoking = self._revoking()
        for span in self._approvals.covering(self._step.at):
            if not self._shows_trust(span.approval.tree):
                yield "it is of a tree that does not show this change of trust"
                continue
            yield approver(trust, span.approval, span.public, occasion, revoking)

    def _shows_trust(self, tree: str) -> bool:
        """Whether an approved tree shows the step's change of trust, if it makes one."""
        folder = partial(self._case.trees.folder, path=TRUST, commit=self._step.tip)
        link = self._case.lineage.link
        after = folder(link(self._step.tip).tree)
        return after in (folder(link(self._step.before).tree), folder(tree))

    def _merger(self, owned: Owned) -> Holder | None:
        """Who signed the merge that the step ends with, if it changes nothing of the rule's own."""
        tip = self._step.tip
        merges = len(self._case.lineage.link(tip).parents) > 1
        if not merges or owned.rule.id in self._rules_of(self._case.own.of(tip)):
            return None
        return self._person(tip)

    def _authors_of(self, rule: str) -> set[str]:
        if self._authors is None:
            self._authors = defaultdict(set)
            for oid in self._step.brought:
                person = self._person(oid)
                if person is not None:
                    for touched in self._rules_of(self._case.own.of(oid)):
                        self._authors[touched].add(person.id)
        return self._authors[rule]

    def _person(self, oid: str) -> Holder | None:
        public = self._case.keys.get(oid)
        if public is None:
            return None
        return self._policy.people.person(principal_of(self._signers, public))

    def _rules_of(self, paths: Iterable[str]) -> set[str]:
        found = (self._policy.owners.of(path) for path in paths)
        return {owned.rule.id for owned in found if owned is not None}

    def _revoking(self) -> list[People]:
        start = self._case.policy_at_start(self._step.tip)
        return [] if start is None else [start.people]


def principal_of(signers: AllowedSigners, public: bytes) -> str:
    """Whom a key belongs to, whatever its window; empty if it is not listed."""
    return next((one.principal for one in signers.signers if one.public == public), "")

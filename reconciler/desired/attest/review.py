"""What an approval would mean: which rules own the change, who agrees already, who is missing.

It asks the rules of `reconciler.trust` that an appliance asks once the change has landed. What it
cannot know is who will merge: that person counts too, if they did not write the change.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.desired.history import new_commits
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.files import Policy
from reconciler.errors import EvidenceError, InputError
from reconciler.evidence.signers import AllowedSigners, Refusal
from reconciler.trust.envelope import NAMESPACE
from reconciler.trust.judgement import Occasion, Trust, approver, tally
from reconciler.trust.paths import Owned
from reconciler.trust.people import Holder
from reconciler.trust.statements import Approval


@dataclass(frozen=True, slots=True)
class RuleReview:
    """One rule, and the paths of the change that it owns.

    Attributes:
        rule: Its id; None: no rule owns them, and the change will be refused.
        client: Whom the paths are of, if the rule says so.
        paths: As Git has them, sorted.
        needs: How many people must approve.
        authors: People who wrote the change.
        counted: People who approve, with the approval that is about to be signed.
        passed_over: Why others do not count.
    """

    rule: str | None
    client: str | None
    paths: tuple[str, ...]
    needs: int
    authors: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """How many people are still missing."""
        return max(0, self.needs - len(self.counted))


@dataclass(frozen=True, slots=True)
class Review:
    """A change, rule by rule.

    Attributes:
        policy: Whether the base has a trust policy; without one, nobody needs to approve.
        rules: In the order of the first path of each.
    """

    policy: bool
    rules: tuple[RuleReview, ...]


def review(case: Case, mine: tuple[Approval, bytes] | None) -> Review:
    """Look at the change from ``case.start`` to ``case.head``.

    Args:
        case: The change, and the approvals that are there.
        mine: The approval that is about to be signed, and its key.

    Raises:
        IntentRefused: The trust files of the base, or a tree, cannot be read.
    """
    base, head = str(case.start), case.head
    policy = case.files.policy(base, base)
    link = case.lineage.link
    paths = sorted(case.trees.changes(link(base).tree, link(head).tree, head))
    if policy is None:
        return Review(
            policy=False, rules=(RuleReview(None, None, tuple(paths), 0),) if paths else ()
        )
    groups: dict[tuple[str, str | None] | None, list[str]] = defaultdict(list)
    owners: dict[tuple[str, str | None] | None, Owned] = {}
    for path in paths:
        owned = policy.owners.of(path)
        key = None if owned is None else (owned.rule.id, owned.client)
        groups[key].append(path)
        if owned is not None:
            owners[key] = owned
    table = _Table(case, policy, mine)
    return Review(
        policy=True, rules=tuple(table.row(owners.get(key), tuple(groups[key])) for key in groups)
    )


def principal_of(signers: AllowedSigners, public: bytes, case: Case) -> str:
    """Whom a key speaks for now, in the signers of the base.

    Raises:
        InputError: It may not sign attestations.
    """
    found = signers.find(public, NAMESPACE, case.offer.now)
    if isinstance(found, Refusal):
        hint = (
            "Its line in policies/trust/allowed_signers of the base needs "
            f'namespaces="git,{NAMESPACE}" and an open window; or take another key.'
        )
        raise InputError(f"this key may not sign attestations: {found.value}", hint=hint)
    return found.principal


class _Table:
    """Who wrote the change, and who agrees with it."""

    def __init__(self, case: Case, policy: Policy, mine: tuple[Approval, bytes] | None) -> None:
        self._case = case
        self._policy = policy
        self._mine = mine
        base = str(case.start)
        self._trust = Trust(case.files.signers(base, base), policy.people)
        self._authors = self._wrote()
        self._agreed = tuple(self._agree())

    def row(self, owned: Owned | None, paths: tuple[str, ...]) -> RuleReview:
        if owned is None:
            return RuleReview(None, None, paths, 0)
        rule = owned.rule
        authors = self._authors[rule.id]
        found = tally(owned, authors, self._agreed)
        return RuleReview(
            rule.id,
            owned.client,
            paths,
            rule.approvals,
            tuple(sorted(authors)),
            found.counted,
            found.passed_over,
        )

    def _wrote(self) -> dict[str, set[str]]:
        case = self._case
        found: dict[str, set[str]] = defaultdict(set)
        for oid in new_commits(case.repository, case.start, case.head, case.limits):
            person = self._signer(oid)
            for path in case.own.of(oid) if person else ():
                owned = self._policy.owners.of(path)
                if owned is not None and person is not None:
                    found[owned.rule.id].add(person.id)
        return found

    def _signer(self, oid: str) -> Holder | None:
        try:
            public = self._case.objects.commit(oid).signed_by(sk=True)
        except EvidenceError:
            # Nobody's: it will be refused for that, and not for want of approvals.
            return None
        names = (one.principal for one in self._trust.signers.signers if one.public == public)
        return self._policy.people.person(next(names, ""))

    def _agree(self) -> Iterator[Holder | str]:
        offer = self._case.offer
        occasion = Occasion(offer.branch, offer.now, offer.now)
        for approval, public in self._approvals():
            yield approver(self._trust, approval, public, occasion)

    def _approvals(self) -> Iterable[tuple[Approval, bytes | None]]:
        case = self._case
        past = set(case.lineage.line(str(case.start), (), case.limits.line + 1)[1])
        for signed in case.offer.attestations.approvals(case.lineage.link(case.head).tree):
            if isinstance(signed.statement, Approval) and signed.statement.base in past:
                yield signed.statement, signed.public
        if self._mine is not None:
            yield self._mine

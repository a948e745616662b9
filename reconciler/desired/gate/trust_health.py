"""What is wrong with the trust files themselves, before an appliance finds out.

Rule 1: What an appliance refuses is an error; what only weakens the policy is a warning.
Rule 2: A policy is judged by what it allows: who could change what, with how many others.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

from reconciler.desired.gate.reading import POLICY, SIGNERS, Trust
from reconciler.errors import Where
from reconciler.evidence.signers import AllowedSigners, Signer
from reconciler.evidence.sshsig import GIT_NAMESPACE, fingerprint
from reconciler.model.review import Remark
from reconciler.model.trust_policy import CLIENT, PathRule, TrustPolicy
from reconciler.trust.envelope import NAMESPACE
from reconciler.trust.judgement import shut_out
from reconciler.trust.paths import Owned, Owners, matches
from reconciler.trust.people import Holder, People, may_approve, may_author

NOTICE = timedelta(days=30)
GUARDED = {
    POLICY: "policies/trust/",
    SIGNERS: "policies/trust/",
    "runbooks/RB-EXAMPLE-001.yaml": "runbooks/",
    "runbooks/approved.yaml": "runbooks/approved.yaml",
}
"""Paths that nobody should be able to change alone, and what they stand for."""


def trust_problems(
    trust: Trust, clients: Collection[str], at: datetime, *, template: bool = False
) -> Iterator[Remark]:
    """Everything that a person should know about the trust files of one revision.

    Args:
        trust: As read.
        clients: Whose files ``{client}`` stands for.
        at: When keys must count.
        template: Whether it may have no signers yet, because nobody has taken it up.
    """
    yield from trust.remarks
    if trust.signers is None:
        if not trust.remarks and not template:
            yield _error(
                SIGNERS,
                "is missing: nothing could follow, so an appliance refuses the head",
                "List at least one person's Ed25519 key.",
            )
        return
    yield from _ending(trust.signers, at)
    if trust.policy is None:
        if not trust.remarks:
            yield _warning(
                POLICY,
                "is missing: every listed signer alone may change everything",
                "See docs/howto/pull-request-gate.md for a policy to start from.",
            )
        return
    yield from _policy(trust.policy, trust.signers, clients, at)


def _policy(
    policy: TrustPolicy, signers: AllowedSigners, clients: Collection[str], at: datetime
) -> Iterator[Remark]:
    people = People(policy)
    able = _Able(policy, signers, at)
    yield from _keys(policy, signers, able)
    yield from _lock_out(policy, signers, able)
    yield from _alone(policy, able)
    yield from _rules(policy, clients, able)
    yield from _recovery(policy, able)
    listed = {signer.principal for signer in signers.signers}
    for name in sorted(listed):
        if people.of(name) is None:
            yield _warning(
                SIGNERS,
                f"lists a key of {name}, whom {POLICY} does not know: it may change nothing",
                "Give the principal to a member, or remove the key.",
            )


class _Able:
    """Members with a key that counts at a moment."""

    def __init__(self, policy: TrustPolicy, signers: AllowedSigners, at: datetime) -> None:
        self._people = People(policy)
        self._signers = signers
        self._at = at

    def who(self, *, person: bool | None = None, namespace: str = GIT_NAMESPACE) -> list[Holder]:
        """Everybody who could sign in a namespace now."""
        able = {
            holder.id: holder
            for signer in self._signers.signers
            if signer.refuses(namespace, self._at) is None
            and not self._people.revoked(signer.public, self._at)
            and (holder := self._people.of(signer.principal)) is not None
            and person in (None, holder.person)
        }
        return [able[name] for name in sorted(able)]

    def alone(self, owned: Owned) -> list[str]:
        """Who could change a path without anybody else."""
        authors = [holder for holder in self.who() if may_author(holder, owned)]
        return [holder.id for holder in authors] if owned.rule.approvals == 0 else []

    def enough(self, owned: Owned) -> bool:
        """Whether some author finds enough others to approve.

        Who may sign commits can approve, too: by signing the merge.
        """
        approvers = {
            holder.id
            for namespace in (GIT_NAMESPACE, NAMESPACE)
            for holder in self.who(person=True, namespace=namespace)
            if may_approve(holder, owned)
        }
        return any(
            may_author(author, owned) and len(approvers - {author.id}) >= owned.rule.approvals
            for author in self.who()
        )


def _keys(policy: TrustPolicy, signers: AllowedSigners, able: _Able) -> Iterator[Remark]:
    listed = {signer.principal for signer in signers.signers}
    for member in (*policy.people, *policy.machines):
        for name in member.principals:
            if name not in listed:
                yield _error(
                    POLICY,
                    f"gives {name} to {member.id}, and {SIGNERS} has no key of that name",
                    "Add the key, or take the principal out; an appliance refuses the head.",
                )
    namespaces = (GIT_NAMESPACE, NAMESPACE)
    live = {holder.id for space in namespaces for holder in able.who(namespace=space)}
    for member in (*policy.people, *policy.machines):
        if member.id not in live:
            yield _warning(
                POLICY, f"{member.id} has no key that counts now", "Renew a key, or remove them."
            )


def _lock_out(policy: TrustPolicy, signers: AllowedSigners, able: _Able) -> Iterator[Remark]:
    owned = Owners(policy).of(POLICY)
    why = shut_out(policy, signers)
    if why is not None:
        yield _error(
            POLICY,
            f"locks itself out: {why}; an appliance refuses the head (trust-policy-broken)",
            "Repair it in this change; afterwards nobody could.",
        )
    elif owned is not None and not able.enough(owned):
        yield _warning(
            POLICY,
            f"with the keys that count now, too few people could change {POLICY} itself "
            f"(rule {owned.rule.id}: an author and {owned.rule.approvals} other approvers)",
            "Renew keys before there is nobody left who can.",
        )


def _alone(policy: TrustPolicy, able: _Able) -> Iterator[Remark]:
    owners = Owners(policy)
    told: set[str] = set()
    for path, shown in GUARDED.items():
        owned = owners.of(path)
        if owned is None or owned.rule.id in told:
            continue
        names = able.alone(owned)
        if names:
            told.add(owned.rule.id)
            yield _warning(
                POLICY,
                f"{' or '.join(names)} alone may change {shown} (rule {owned.rule.id})",
                "Set approvals: 1 or more on the rule, so that two people are needed.",
            )


def _rules(policy: TrustPolicy, clients: Collection[str], able: _Able) -> Iterator[Remark]:
    held = {role for member in (*policy.people, *policy.machines) for role in member.roles}
    earlier: list[str] = []
    for rule in policy.rules:
        for role in sorted({*rule.authors, *rule.approving} - held):
            yield _warning(
                POLICY, f"rule {rule.id}: nobody holds the role {role}", "Give it to somebody."
            )
        yield from _shadowed(rule, earlier)
        earlier += rule.paths
        for owned in _cases(rule, clients):
            if not able.enough(owned):
                of = f" of client {owned.client}" if owned.client else ""
                yield _warning(
                    POLICY,
                    f"rule {rule.id}: too few people with a key that counts could change its "
                    f"paths{of}",
                    "Give the roles, or the client, to more people, or ask for fewer approvals.",
                )


def _cases(rule: PathRule, clients: Collection[str]) -> Iterator[Owned]:
    named = [CLIENT in pattern.split("/") for pattern in rule.paths]
    if any(named):
        yield from (Owned(rule, client) for client in sorted(clients))
    if not all(named):
        yield Owned(rule, None)


def _shadowed(rule: PathRule, earlier: Iterable[str]) -> Iterator[Remark]:
    for pattern in rule.paths:
        cover = next((one for one in earlier if _covers(one, pattern)), None)
        if cover is not None:
            yield _warning(
                POLICY,
                f"rule {rule.id}: {pattern} never counts, because an earlier rule has {cover}",
                "Put the narrower rule first.",
            )


def _covers(earlier: str, pattern: str) -> bool:
    """Whether every path of a pattern is one of an earlier pattern.

    The pattern is read as a path: what is a wildcard in it, only a wildcard of the other takes.
    Its ``**`` stands for some numbers of segments, small ones and one that no pattern counts up to.
    """
    return all(
        matches(earlier, path) for count in (0, 1, 2, 600) if (path := _with(pattern, count))
    )


def _with(pattern: str, count: int) -> str:
    parts = (["*"] * count if part == "**" else [part] for part in pattern.split("/"))
    return "/".join(part for each in parts for part in each)


def _recovery(policy: TrustPolicy, able: _Able) -> Iterator[Remark]:
    if policy.recovery is None:
        yield _warning(
            POLICY,
            "has no recovery: a rewritten history or a stolen key needs a visit to every appliance",
            "Add recovery: {roles: [...], people: 2}.",
        )
        return
    roles = policy.recovery.roles
    holders = [h.id for h in able.who(person=True, namespace=NAMESPACE) if h.has(roles)]
    if len(holders) < policy.recovery.people:
        yield _warning(
            POLICY,
            f"recovery asks for {policy.recovery.people} people with {', '.join(roles)}, and "
            f"{len(holders)} have a key that counts",
            "Give the role, or a key that may sign attestations, to more people.",
        )


def _ending(signers: AllowedSigners, at: datetime) -> Iterator[Remark]:
    newest: dict[bytes, Signer] = {}
    for signer in signers.signers:
        last = newest.get(signer.public)
        if last is None or _end(signer) > _end(last):
            newest[signer.public] = signer
    for signer in newest.values():
        left = _end(signer) - at.timestamp()
        if left > NOTICE.total_seconds():
            continue
        ends = f"{signer.valid_before:%Y-%m-%d %H:%M}Z"
        words = "ended" if left < 0 else "ends"
        yield Remark(
            "warning",
            "trust",
            Where(SIGNERS, signer.line),
            f"the key {fingerprint(signer.public)} of {signer.principal} {words} on {ends}",
            "Add the new key, or extend valid-before, in a commit by another signer.",
        )


def _end(signer: Signer) -> float:
    return float("inf") if signer.valid_before is None else signer.valid_before.timestamp()


def _error(file: str, message: str, hint: str) -> Remark:
    return Remark("error", "trust", Where(file), message, hint)


def _warning(file: str, message: str, hint: str) -> Remark:
    return Remark("warning", "trust", Where(file), message, hint)

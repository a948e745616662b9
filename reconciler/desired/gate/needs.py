"""Which signatures and approvals a change needs, by the trust policy that it comes to.

Rule 1: The policy of the base decides: a change cannot lower what it needs itself.
Rule 2: A path that no rule owns is said, because such a change is refused whoever signs it.
"""

from collections.abc import Iterable, Iterator

from reconciler.desired.gate.reading import POLICY, Trust
from reconciler.errors import Where
from reconciler.model.review import Need, Remark
from reconciler.model.trust_policy import TrustPolicy
from reconciler.trust.paths import Owned, Owners
from reconciler.trust.people import People, may_approve


def needs_of(policy: TrustPolicy | None, paths: Iterable[str]) -> tuple[Need, ...]:
    """What each rule asks of the paths that it owns; nothing without a policy (ADR 3)."""
    if policy is None:
        return ()
    owners, people = Owners(policy), People(policy)
    groups: dict[tuple[str, str], tuple[Owned | None, list[str]]] = {}
    for path in paths:
        owned = owners.of(path)
        key = (owned.rule.id, owned.client or "") if owned else ("", "")
        groups.setdefault(key, (owned, []))[1].append(path)
    return tuple(
        _need(owned, tuple(sorted(found)), people)
        for _key, (owned, found) in sorted(groups.items())
    )


def unowned(needs: Iterable[Need], base: Trust) -> Iterator[Remark]:
    """An error for what no rule of the base's policy owns."""
    for need in needs:
        if need.rule is None and base.policy is not None:
            yield Remark(
                "error",
                "trust",
                Where(need.paths[0]),
                f"no rule of the trust policy owns this path ({len(need.paths)} in all): "
                "whoever signs the change, an appliance refuses it",
                f"Add a rule for it to {POLICY} first, in a change of its own.",
            )


def short(needs: Iterable[Need]) -> Iterator[Remark]:
    """A warning where fewer people could approve than must."""
    for need in needs:
        if need.rule is not None and len(need.people) < need.approvals:
            client = f" for client {need.client}" if need.client else ""
            yield Remark(
                "warning",
                "trust",
                Where(POLICY),
                f"rule {need.rule} asks for {need.approvals} approvals{client}, and only "
                f"{len(need.people)} people could give one",
                "Give more people the role, and the client, in a change before this one.",
            )


def _need(owned: Owned | None, paths: tuple[str, ...], people: People) -> Need:
    if owned is None:
        return Need(
            rule=None, authors=(), approvals=0, approvers=(), client=None, people=(), paths=paths
        )
    able = sorted(holder.id for holder in people.persons if may_approve(holder, owned))
    return Need(
        rule=owned.rule.id,
        authors=owned.rule.authors,
        approvals=owned.rule.approvals,
        approvers=owned.rule.approving,
        client=owned.client,
        people=tuple(able),
        paths=paths,
    )

"""From a key to who signed: key, principal, member of the trust policy, roles and clients.

Rule 1: A person is one person, whatever number of keys and principals they have.
Rule 2: A machine has roles, and never counts as a person.
Rule 3: A key that the policy revoked speaks for nobody from its effective instant on.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from reconciler.evidence.sshsig import fingerprint
from reconciler.model.trust_policy import Member, TrustPolicy
from reconciler.trust.paths import Owned


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody whom a policy knows.

    Attributes:
        member: Who it is.
        person: Whether it is a person and not a machine.
    """

    member: Member
    person: bool

    @property
    def id(self) -> str:
        """Their name in the policy."""
        return self.member.id

    def has(self, roles: Collection[str], client: str | None = None) -> bool:
        """Whether they have one of the roles, and look after the client if there is one."""
        served = client is None or self.member.all_clients or client in self.member.clients
        return served and any(role in roles for role in self.member.roles)


class People:
    """Everybody whom one policy knows, by principal, and the keys that it revoked."""

    def __init__(self, policy: TrustPolicy) -> None:
        groups = ((policy.people, True), (policy.machines, False))
        holders = [Holder(member, person) for group, person in groups for member in group]
        self._by_principal = {name: h for h in holders for name in h.member.principals}
        self._revoked = {revoked.key: revoked.effective for revoked in policy.revoked}
        self.persons = tuple(holder for holder in holders if holder.person)

    def of(self, principal: str) -> Holder | None:
        """The member that a principal belongs to; None if the policy does not know it."""
        return self._by_principal.get(principal)

    def person(self, principal: str) -> Holder | None:
        """The person that a principal belongs to; None if it is a machine, or nobody."""
        holder = self.of(principal)
        return holder if holder is not None and holder.person else None

    def revoked(self, public: bytes, at: datetime) -> bool:
        """Whether the policy revoked a key with effect at or before an instant."""
        effective = self.effective(public)
        return effective is not None and effective <= at

    def effective(self, public: bytes) -> datetime | None:
        """From when on a key is revoked; None if it is not."""
        return self._revoked.get(fingerprint(public)) if self._revoked else None

    def first_effective(self) -> datetime | None:
        """The earliest instant from which any key is revoked; None if none is."""
        return min(self._revoked.values(), default=None)


def may_author(holder: Holder, owned: Owned) -> bool:
    """Whether somebody may sign a commit that changes a path."""
    return holder.has(owned.rule.authors, owned.client)


def may_approve(holder: Holder, owned: Owned) -> bool:
    """Whether somebody may approve a change of a path; only people approve."""
    return holder.person and holder.has(owned.rule.approving, owned.client)

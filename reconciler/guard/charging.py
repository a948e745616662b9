"""What an action would spend if it began now: which buckets, which site, which probe."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.guard import approval, breaker, trips
from reconciler.guard.charge import Charge, client_bucket, host_bucket, site_bucket
from reconciler.guard.context import GuardContext
from reconciler.guard.memory import Memory
from reconciler.model.desired import DesiredState
from reconciler.model.plan import Action


@dataclass(frozen=True, slots=True)
class Need:
    """A token that must be there.

    Attributes:
        bucket: Name of the bucket.
        size: How many tokens it holds.
        refill_s: Seconds after which one comes back.
        what: What the bucket is for, in words.
    """

    bucket: str
    size: int
    refill_s: int
    what: str


def needs(action: Action, context: GuardContext, memory: Memory) -> Iterator[Need]:
    """The tokens that an action takes: the host's, the client's, and the site's if it disturbs.

    The approval of a whole plan spends the host's and the client's once, however many actions it
    covers.
    """
    desired, numbers = context.desired, context.desired.guards.tokens
    plan = approval.onboarding(action, context)
    if plan is None or plan.digest not in memory.onboarding:
        host, client = desired.target, desired.client.id
        yield Need(host_bucket(host), numbers.host, numbers.host_refill_s, f"host {host}")
        yield Need(
            client_bucket(client), numbers.client, numbers.client_refill_s, f"client {client}"
        )
    pinned = desired.runbooks.get(action.runbook)
    if pinned is not None and pinned.runbook.disruptive:
        where = site(desired)
        what = f"what disturbs people at {where}"
        yield Need(site_bucket(where), 1, numbers.disruptive_refill_s, what)


def site(desired: DesiredState) -> str:
    """``<client>/<site>``; hosts that name none stand in the client's only site."""
    client, named = desired.client.id, desired.host.site
    return client if named is None else f"{client}/{named}"


def charge(action: Action, context: GuardContext) -> Charge:
    """What an action spends that was admitted in this context; its intent carries it.

    Args:
        action: The action.
        context: The moment in which it was admitted, with memory.
    """
    memory = context.memory or Memory.empty()
    plan = approval.onboarding(action, context)
    runs = memory.breakers.get(breaker.key(action, context), ())
    return Charge(
        site=site(context.desired),
        roles=context.desired.host.roles,
        refill_s={need.bucket: need.refill_s for need in needs(action, context, memory)},
        onboarding=None if plan is None else plan.digest,
        trips=trips.switch(runs, context.desired.guards.breaker).trips,
    )

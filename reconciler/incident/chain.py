"""The escalation chain of a client, over the channels that there are.

A chain that leads to nobody would be silence, so it never does: a step whose channels are all
missing calls every channel there is, and a client without a chain has one step that does.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

from reconciler.incident.wants import ChainStep
from reconciler.model.client import Escalation


def chain_of(steps: Sequence[Escalation], channels: Collection[str]) -> tuple[ChainStep, ...]:
    """Who is called when.

    Args:
        steps: As the client says.
        channels: Names of the channels that there are.
    """
    every = frozenset(channels)
    if not steps:
        return (ChainStep(timedelta(0), every),)
    in_order = sorted(steps, key=lambda one: one.after_min)
    return tuple(
        ChainStep(timedelta(minutes=one.after_min), frozenset(one.notify) & every or every)
        for one in in_order
    )


def missing(steps: Sequence[Escalation], channels: Collection[str]) -> tuple[str, ...]:
    """Channels that a chain names and that there are not."""
    named = {name for one in steps for name in one.notify}
    return tuple(sorted(named - set(channels)))

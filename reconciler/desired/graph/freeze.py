"""Freeze days: a pause that somebody chose, not a way to switch healing off."""

from collections.abc import Iterator
from datetime import timedelta

from reconciler.desired.graph.context import Graph
from reconciler.desired.problem import Problem, warning

LONGEST = timedelta(days=31)


def freeze_problems(graph: Graph) -> Iterator[Problem]:
    """Freezes that stop every repair for longer than anybody would want to."""
    for key, client in graph.fleet.clients.items():
        for index, freeze in enumerate(client.freeze):
            days = (freeze.last - freeze.first).days + 1
            if days > LONGEST.days:
                yield warning(
                    graph.fleet.where("client", key, "freeze", index),
                    f"stops every repair for {days} days",
                    "Say mode: observe where nothing is to be changed; freeze a week or two.",
                )

"""Tiers: what a client's hosts need, what its tier has, and what this version has at all."""

from collections.abc import Iterable, Iterator
from typing import get_args

from reconciler.desired.graph.context import Graph, doubled
from reconciler.desired.problem import Problem, error, warning
from reconciler.model.client import Client
from reconciler.model.tier import AVAILABLE, OF_KIND, Feature


def tier_problems(graph: Graph) -> Iterator[Problem]:
    """Every tier observes, and lists nothing that would switch nothing without saying so."""
    for key, tier in graph.fleet.tiers.items():
        where = graph.fleet.where("tier", key, "features")
        yield from doubled(where, tier.features)
        if "observe" not in tier.features:
            yield error(
                where,
                "does not observe, so nothing would be judged",
                "Add observe: looking, judging and signing is what every tier is made of.",
            )
        for index, name in enumerate(tier.features):
            if name not in AVAILABLE:
                yield warning(
                    graph.fleet.where("tier", key, "features", index),
                    f"{name} is not available in this version; it switches nothing",
                    f"Available: {', '.join(sorted(AVAILABLE))}. Do not sell what is not there.",
                )
    for key, client in graph.fleet.clients.items():
        yield from _lacking(graph, key, client)


def needed(kinds: Iterable[str], *, enforce: bool) -> set[Feature]:
    """The features that hosts need.

    Args:
        kinds: Kinds of hosts.
        enforce: Whether anything on them is to be changed.
    """
    wanted: set[Feature] = {"observe"}
    wanted |= {OF_KIND[kind] for kind in kinds if kind in OF_KIND}
    return wanted | ({"heal"} if enforce else set())


def _lacking(graph: Graph, key: str, client: Client) -> Iterator[Problem]:
    tier = graph.fleet.tiers.get(client.tier)
    if tier is None:
        return
    if client.advice is not None and "advise" not in tier.features:
        yield warning(
            graph.fleet.where("client", key, "advice"),
            f"tier {tier.id} lacks advise, so no language model is asked",
            "Choose a tier that has it, or take advice out.",
        )
    for name, host in sorted(graph.fleet.hosts_of(key).items()):
        enforce = client.mode == host.mode == "enforce"
        wanted = needed([host.kind], enforce=enforce) - set(tier.features) - {"observe"}
        for feature in (one for one in get_args(Feature) if one in wanted):
            yield warning(
                graph.fleet.where("client", key, "tier"),
                f"tier {tier.id} lacks {feature}, which host {name} needs",
                "Nothing is changed there; set the mode to observe, or choose another tier."
                if feature == "heal"
                else "Its checks do not run; choose a tier that has it.",
            )

"""Rings and promotions: who is where, and what a promotion names, or an order orders nothing."""

from collections.abc import Iterator

from reconciler.desired.graph.context import Graph, doubled
from reconciler.desired.problem import Problem, error, warning
from reconciler.desired.suggest import did_you_mean
from reconciler.errors import Where
from reconciler.model.rings import Promotion
from reconciler.trust.rings import place_of, places_of


def ring_problems(graph: Graph) -> Iterator[Problem]:
    """Hosts that are not there or in two rings, rings without hosts, promotions of no ring."""
    rings = graph.fleet.rings.rings
    yield from doubled(_where(graph), (ring.id for ring in rings))
    for index, ring in enumerate(rings):
        at = _where(graph, index, "hosts")
        yield from doubled(at, ring.hosts)
        for place, target in enumerate(ring.hosts):
            yield from _member(graph, _where(graph, index, "hosts", place), target)
    if rings:
        yield from _members(graph)
    for index, promotion in enumerate(graph.fleet.promotions.promotions):
        yield from _promotion(graph, index, promotion)


def _where(graph: Graph, *path: str | int) -> Where:
    return graph.fleet.where("rings", "rings", "rings", *path)


def _member(graph: Graph, where: Where, target: str) -> Iterator[Problem]:
    yield from graph.no_document(where, "host", target)
    host = graph.fleet.hosts.get(target)
    if host is not None and host.kind != "nixos":
        hint = "Rings order hosts of kind nixos; leave it out."
        yield error(where, f"{target} runs no system of a release: its kind is {host.kind}", hint)


def _members(graph: Graph) -> Iterator[Problem]:
    rings = graph.fleet.rings
    sizes = [0] * len(rings.rings)
    for target, host in graph.fleet.hosts.items():
        places = places_of(rings, target, host.tags)
        if len(places) > 1:
            names = " and ".join(rings.rings[place].id for place in places)
            what = f"{target} is in rings {names}"
            yield error(_where(graph, places[-1]), what, "Take it out of all but one.")
        sizes[place_of(rings, target, host.tags)] += host.kind == "nixos"
    for index, (ring, size) in enumerate(zip(rings.rings, sizes, strict=True)):
        if not size:
            yield _nobody(graph, index)
        elif ring.least is not None and ring.least > size:
            what = f"waits for {ring.least} hosts, and {ring.id} has {size}, so it never ends"
            yield error(_where(graph, index, "least"), what, "Ask for fewer, or for all: no least.")


def _nobody(graph: Graph, index: int) -> Problem:
    rings = graph.fleet.rings.rings
    where = _where(graph, index)
    if index == len(rings) - 1:
        # Nobody waits for it, and every new host is in it.
        return warning(where, f"no host is in {rings[index].id}", "Correct the rings before it.")
    hint = "Name hosts or tags of this fleet; nobody could vouch, so no ring behind it would open."
    return error(where, f"no host is in {rings[index].id}", hint)


def _promotion(graph: Graph, index: int, promotion: Promotion) -> Iterator[Problem]:
    def where(*path: str | int) -> Where:
        return graph.fleet.where("promotions", "promotions", "promotions", index, *path)

    rings = [ring.id for ring in graph.fleet.rings.rings]
    if promotion.ring not in rings:
        hint = did_you_mean(promotion.ring, rings)
        yield error(where("ring"), f"there is no ring {promotion.ring}", hint)
        return
    place = rings.index(promotion.ring)
    before = graph.fleet.promotions.promotions[:index]
    same = {one.ring for one in before if one.revision == promotion.revision}
    if promotion.ring in same:
        yield error(where("ring"), f"{promotion.ring} is open for it already", "Remove one.")
    if place == 0:
        yield error(where("ring"), "the first ring is always open", "Remove the promotion.")
    elif place > 1 and rings[place - 1] not in same:
        what = f"opens {promotion.ring} before {rings[place - 1]}, so it opens nothing"
        yield error(where("ring"), what, "Rings open one after the other; put that one before it.")
    yield from doubled(where("by"), (one.host for one in promotion.by))
    if promotion.reason is not None:
        what = f"opens {promotion.ring} without evidence"
        yield warning(where("reason"), what, "Remove it when nothing waits for it any more.")

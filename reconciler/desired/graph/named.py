"""Breakers and acknowledgements: what they name is there, or they do nothing and nobody notices."""

from collections.abc import Iterator

from reconciler.desired import layout
from reconciler.desired.graph.context import Graph, doubled
from reconciler.desired.problem import Problem, warning


def named_problems(graph: Graph) -> Iterator[Problem]:
    """Names that do not exist, and versions of runbooks that are gone."""
    for index in range(len(graph.fleet.breakers.breakers)):
        yield from _breaker(graph, index)
    for key in graph.fleet.acknowledgements:
        where = graph.fleet.where("acknowledgement", key)
        yield from graph.no_document(where, "client", key.split("/", 1)[0])


def _breaker(graph: Graph, index: int) -> Iterator[Problem]:
    breaker = graph.fleet.breakers.breakers[index]
    path = ("breakers", index)
    where = graph.fleet.where("breakers", "breakers", *path, "runbook")
    yield from graph.no_document(where, "runbook", breaker.runbook)
    actual = graph.fleet.digests.get(layout.file_of("runbook", breaker.runbook))
    if actual is not None and breaker.digest != f"sha256:{actual}":
        yield warning(
            graph.fleet.where("breakers", "breakers", *path, "digest"),
            f"switches off a version that is gone: the file's digest is now sha256:{actual}",
            "Remove the breaker when no host has the old version any more.",
        )
    hosts = graph.fleet.where("breakers", "breakers", *path, "hosts")
    yield from doubled(hosts, breaker.hosts)
    for place, target in enumerate(breaker.hosts):
        at = graph.fleet.where("breakers", "breakers", *path, "hosts", place)
        yield from graph.no_document(at, "host", target)

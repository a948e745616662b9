"""Reports of scanners: each lies under a host that runs systems."""

from collections.abc import Iterator

from reconciler.desired.graph.context import Graph
from reconciler.desired.problem import Problem, error


def vulnerability_problems(graph: Graph) -> Iterator[Problem]:
    """Reports of hosts that are not there, or of which nobody asks for one."""
    for target in graph.fleet.vulnerabilities:
        where = graph.fleet.where("vulnerabilities", target)
        yield from graph.no_document(where, "host", target)
        host = graph.fleet.hosts.get(target)
        if host is not None and host.kind != "nixos":
            what = f"{target} runs no system of a release: its kind is {host.kind}"
            yield error(where, what, "Remove the report; only hosts of kind nixos are held to one.")

"""What is said of runbooks in the whole fleet: open breakers, and how far a version has come."""

from collections.abc import Iterator

from reconciler.desired import layout
from reconciler.desired.graph.context import Graph, doubled
from reconciler.desired.problem import Problem, error, warning
from reconciler.errors import Where
from reconciler.model.fleet_wide import Stage

_ROLLOUT = layout.file_of("rollout", "rollout")
_STAGE = "Name it there, at stage canary with a host or two; reconciler guard fleet moves it on."


def fleet_wide_problems(graph: Graph) -> Iterator[Problem]:
    """Breakers of versions in use, stages of versions that are not, versions without a stage."""
    yield from _breakers(graph)
    for name, stage in graph.fleet.rollout.runbooks.items():
        yield from _stage(graph, name, stage)
    if graph.fleet.guards.staged_rollout:
        yield from _without_stage(graph)
    elif graph.fleet.rollout.runbooks:
        where = graph.fleet.where("rollout", "rollout", "runbooks")
        what = "holds nothing back: staged_rollout is off, so every version runs everywhere"
        yield warning(where, what, "Set staged_rollout: true in policies/guards.yaml, or remove.")


def _breakers(graph: Graph) -> Iterator[Problem]:
    for index, breaker in enumerate(graph.fleet.breakers.breakers):
        file = layout.file_of("runbook", breaker.runbook)
        if breaker.digest == f"sha256:{graph.fleet.digests.get(file)}":
            where = graph.fleet.where("breakers", "breakers", "breakers", index)
            yield warning(
                where,
                f"switches off {breaker.runbook} as it is now, everywhere",
                "Correct the runbook: a new digest is free. What it fixes is people's until then.",
            )


def _stage(graph: Graph, name: str, stage: Stage) -> Iterator[Problem]:
    def where(*path: str | int) -> Where:
        return graph.fleet.where("rollout", "rollout", "runbooks", name, *path)

    yield from graph.no_document(where(), "runbook", name)
    actual = graph.fleet.digests.get(layout.file_of("runbook", name))
    if actual is not None and stage.digest != f"sha256:{actual}":
        what = f"is not the version in use: the file's digest is now sha256:{actual}"
        yield warning(where("digest"), what, "Begin with the new one at stage canary.")
    if stage.stage == "canary" and not stage.hosts:
        yield error(where("hosts"), "a canary without hosts runs nowhere", "Name a host or two.")
    yield from doubled(where("hosts"), stage.hosts)
    for index, target in enumerate(stage.hosts):
        yield from graph.no_document(where("hosts", index), "host", target)


def _without_stage(graph: Graph) -> Iterator[Problem]:
    approved = graph.fleet.approved.runbooks if graph.fleet.approved else {}
    for name in approved:
        runbook = graph.fleet.runbooks.get(name)
        if name in graph.fleet.rollout.runbooks or runbook is None or runbook.mode == "never":
            continue
        where = graph.fleet.where("approved", "approved", "runbooks", name)
        yield warning(where, f"has no stage in {_ROLLOUT}, so it runs nowhere", _STAGE)

"""Approvals: they name hosts, runbooks and people that exist, and end within a quarter."""

from collections.abc import Iterator, Mapping

from reconciler.desired import layout
from reconciler.desired.graph.context import Graph
from reconciler.desired.problem import Problem, error, warning
from reconciler.desired.resolve import people_behind, resolve
from reconciler.errors import InputError
from reconciler.model.approval import LONGEST, Approval
from reconciler.model.check import Check

_TWO = (
    "Let a rule of policies/trust/policy.yaml own such files and ask for 1 approval, for example "
    "with the path approvals/{client}/high-*.yaml."
)
_AGAIN = (
    "Look at what changed; if it is right, approve it anew: reconciler plan BASE HEAD --approval."
)


def approval_problems(graph: Graph) -> Iterator[Problem]:
    """What is wrong with approvals, apart from the plans that they name."""
    for key, approval in graph.fleet.approvals.items():
        client = key.split("/", 1)[0]
        where = graph.fleet.where
        yield from graph.no_document(where("approval", key), "client", client)
        known = graph.fleet.hosts_of(client)
        for host in approval.hosts:
            if host not in known:
                at = where("approval", key, "hosts", host)
                yield from graph.no_document(at, "host", f"{client}/{host}")
        yield from _runbooks(graph, key, approval)
        yield from _dates(graph, key, approval)


def _runbooks(graph: Graph, key: str, approval: Approval) -> Iterator[Problem]:
    for name, digest in approval.runbooks.items():
        where = graph.fleet.where("approval", key, "runbooks", name)
        yield from graph.no_document(where, "runbook", name)
        actual = graph.fleet.digests.get(layout.file_of("runbook", name))
        if actual is not None and digest != f"sha256:{actual}":
            yield warning(
                where, f"no longer binds: the file's digest is now sha256:{actual}", _AGAIN
            )
        runbook = graph.fleet.runbooks.get(name)
        if runbook is not None and runbook.mode == "never":
            yield error(where, "never runs by software", "People do this; approve nothing.")
        elif runbook is not None and runbook.mode != "approve" and not _of_use(approval):
            what = f"has mode {runbook.mode}, which needs no approval"
            yield warning(where, what, "Leave it out.")
        elif runbook is not None and runbook.risk == "high" and _people(graph, key) < 2:
            yield warning(where, "binds nothing: high risk needs the yes of two people", _TWO)


def _of_use(approval: Approval) -> bool:
    """Whether it does more than to let runbooks of mode approve run."""
    return approval.emergency or approval.onboarding


def high_risk_problems(graph: Graph) -> Iterator[Problem]:
    """Runbooks of high risk for which nobody could give a yes that binds."""
    risky = [
        name
        for name, runbook in graph.fleet.runbooks.items()
        if runbook.risk == "high" and runbook.mode != "never"
    ]
    lacking = [key for key in graph.fleet.clients if risky and not _two_somewhere(graph, key)]
    if not lacking:
        return
    clients = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if lacking[3:] else "")
    for name in risky:
        where = graph.fleet.where("runbook", name, "risk")
        what = f"can never run for {clients}: no rule asks two people for a file of approvals/"
        yield warning(where, what, _TWO)


def _two_somewhere(graph: Graph, client: str) -> bool:
    """Whether some name of a file in the client's approvals belongs to a rule that asks two."""
    rules = graph.fleet.trust.rules if graph.fleet.trust else ()
    ends = {pattern.split("/")[-1].replace("*", "x") for rule in rules for pattern in rule.paths}
    names = {"x"} | {end.removesuffix(".yaml") for end in ends if end.endswith(".yaml")}
    return any(_people(graph, f"{client}/{name}") > 1 for name in names)


def _people(graph: Graph, key: str) -> int:
    return people_behind(graph.fleet, layout.file_of("approval", key))


def _dates(graph: Graph, key: str, approval: Approval) -> Iterator[Problem]:
    where = graph.fleet.where("approval", key, "expires")
    issued = approval.issued_on
    if approval.expires < issued:
        yield error(where, f"is before {issued}, when it was given", "Correct the date.")
    elif approval.expires - issued > LONGEST:
        yield error(
            where,
            f"is more than {LONGEST.days} days after {issued}, when it was given",
            "Approve for less time; what is still needed then is approved again.",
        )


def plan_problems(graph: Graph, checks: Mapping[str, Check]) -> Iterator[Problem]:
    """Approvals of a plan that is no longer the plan; for a fleet without errors."""
    digests: dict[str, str | None] = {}
    for key, approval in graph.fleet.approvals.items():
        client = key.split("/", 1)[0]
        for host, digest in approval.hosts.items():
            target = f"{client}/{host}"
            if target not in digests:
                digests[target] = _plan_of(graph, client, host, checks)
            if digest != f"sha256:{digests[target]}":
                yield warning(
                    graph.fleet.where("approval", key, "hosts", host),
                    f"no longer binds: the plan's digest is now sha256:{digests[target]}",
                    _AGAIN,
                )


def _plan_of(graph: Graph, client: str, host: str, checks: Mapping[str, Check]) -> str | None:
    nothing = "0" * 40
    try:
        return resolve(
            graph.fleet, client, host, commit=nothing, tree=nothing, checks=checks
        ).plan_digest
    except InputError:
        # Whatever keeps it from being resolved is a problem of its own, said elsewhere.
        return None

"""A client is promised a limit only if somebody can show that it is kept."""

from collections.abc import Iterator

from reconciler.desired.graph.context import Graph
from reconciler.desired.problem import Problem, error, warning

HEARTBEAT = "heartbeat"
_HINT = "Give the role heartbeat to a machine or identity of CI, see docs/howto/freshness.md."


def freshness_problems(graph: Graph) -> Iterator[Problem]:
    """Limits that nobody could keep, and heartbeats that no client asks for."""
    beating = _beating(graph)
    for key, client in graph.fleet.clients.items():
        where = graph.fleet.where("client", key, "freshness_h")
        if client.freshness_h is not None and not beating:
            what = "is promised, but nobody in policies/trust/policy.yaml has the role heartbeat"
            yield error(where, what, _HINT)
        if client.freshness_h is None and beating:
            what = "is absent: heartbeats are signed, and nothing is held when they stop"
            yield warning(where, what, "Set freshness_h, for example to 26 for one a day.")


def _beating(graph: Graph) -> bool:
    trust = graph.fleet.trust
    if trust is None:
        return False
    roles = [member.roles for member in (*trust.people, *trust.machines)]
    roles += [identity.roles for identity in trust.identities]
    return any(HEARTBEAT in held for held in roles)

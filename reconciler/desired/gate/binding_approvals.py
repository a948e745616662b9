"""Which approvals bind under a revision, and which cease to when another takes its place."""

from collections.abc import Iterator
from datetime import date

from reconciler.desired.gate.reading import Reading
from reconciler.model.review import ApprovalChange

Bound = tuple[str, str, str]
"""Approval ``<client>/<id>``, host id, runbook."""


def approval_changes(base: Reading, head: Reading, today: date) -> tuple[ApprovalChange, ...]:
    """Approvals that begin or cease to bind; those that ceased come with the reason."""
    before, after = set(_bound(base, today)), set(_bound(head, today))
    gone = [
        ApprovalChange(approval=key, change="removed", why=_why(base, head, key, host, runbook))
        for key, host, runbook in sorted(before - after)
    ]
    new = [
        ApprovalChange(approval=key, change="added", why=f"lets {runbook} run on {host}")
        for key, host, runbook in sorted(after - before)
    ]
    return (*gone, *new)


def _bound(reading: Reading, today: date) -> Iterator[Bound]:
    for key, approval in reading.fleet.approvals.items() if reading.fleet else ():
        client = key.partition("/")[0]
        if not approval.term.in_force(today):
            continue
        for host, digest in approval.hosts.items():
            state = reading.states.get(f"{client}/{host}")
            if state is None or digest != f"sha256:{state.plan_digest}":
                continue
            for runbook, pin in approval.runbooks.items():
                pinned = state.runbooks.get(runbook)
                if pinned is not None and pin == f"sha256:{pinned.digest}":
                    yield key, host, runbook


def _why(base: Reading, head: Reading, key: str, host: str, runbook: str) -> str:
    stops = f"no longer lets {runbook} run on {host}"
    target = f"{key.partition('/')[0]}/{host}"
    now = head.fleet.approvals.get(key) if head.fleet else None
    if now is None:
        return f"{stops}: its file is removed"
    was, is_ = base.states[target], head.states.get(target)
    if is_ is None:
        return f"{stops}: the host is removed"
    if runbook not in is_.runbooks or is_.runbooks[runbook].digest != was.runbooks[runbook].digest:
        return f"{stops}: the runbook changed"
    if is_.plan_digest != was.plan_digest:
        return f"{stops}: the plan of the host changed"
    return f"{stops}: the approval itself changed"

"""A version of a runbook that failed on several hosts runs on no other.

``policies/breakers.yaml`` names it by the digest of its file. A corrected runbook has another
digest, so it is free at once; the same bytes under another name are not.
"""

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.fleet_wide import OpenBreaker
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "fleet_breaker"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Deny a digest that is switched off: the action's, or that of the runbook as it is now."""
    pinned = context.desired.runbooks.get(action.runbook)
    digests = {f"sha256:{action.runbook_digest}", f"sha256:{pinned.digest if pinned else ''}"}
    for breaker in context.desired.breakers.breakers:
        if breaker.digest in digests:
            return Verdict("deny", NAME, _words(breaker))
    return Verdict("allow", NAME)


def _words(breaker: OpenBreaker) -> str:
    count = len(breaker.hosts)
    return (
        f"switched off in the whole fleet on {breaker.opened_on}, after it failed on {count} "
        f"host{'s' * (count != 1)}: {breaker.reason}"
    )


GUARD = Guard(NAME, judge)

"""A new version of a runbook runs on a few hosts first, then on every tenth, then on all.

Rule 1: With ``staged_rollout`` a digest that ``policies/rollout.yaml`` does not name runs nowhere.
Rule 2: Which hosts are every tenth depends on the digest, so that it is not always the same ones.
Rule 3: Waiting for a stage is no fault of this host: the action is deferred, and goes on when the
        file says so.
"""

import hashlib

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.fleet_wide import Stage
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "rollout"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Defer an action whose runbook has not come as far as this host."""
    if not context.desired.guards.staged_rollout:
        return Verdict("allow", NAME)
    stage = context.desired.rollout.runbooks.get(action.runbook)
    if stage is None or stage.digest != f"sha256:{action.runbook_digest}":
        reason = f"policies/rollout.yaml names no stage for {action.runbook} as it is now"
        return Verdict("defer", NAME, reason)
    if reaches(stage, action.target):
        return Verdict("allow", NAME)
    return Verdict("defer", NAME, f"{action.runbook} is at stage {stage.stage}, elsewhere")


def reaches(stage: Stage, target: str) -> bool:
    """Whether a version has come as far as a host."""
    if stage.stage == "all" or target in stage.hosts:
        return True
    return stage.stage == "tenth" and is_tenth(stage.digest, target)


def is_tenth(digest: str, target: str) -> bool:
    """Whether a host is one of about every tenth: ``sha256("<digest>|<target>")`` mod 10 is 0.

    Args:
        digest: ``sha256:<hex>``, as the documents write it.
        target: ``<client>/<host>``.
    """
    return int(hashlib.sha256(f"{digest}|{target}".encode()).hexdigest(), 16) % 10 == 0


GUARD = Guard(NAME, judge)

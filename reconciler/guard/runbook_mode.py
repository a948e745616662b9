"""How much of a person a runbook needs: none, a window, an approval, or everything.

Rule 1: An approval counts for the one plan that it names: this host's, as it is now. Another rule,
        parameter, runbook or exception makes another plan, and the approval binds no more.
Rule 2: It counts for the runbook as it was, byte for byte, and up to its last day.
Rule 3: It is said which approval it was, with the digest of its file, so that evidence leads to the
        person and to the signed commit.
"""

from collections.abc import Iterator

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.desired import PinnedApproval, PinnedRunbook
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "runbook_mode"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Allow ``auto``; allow ``window`` in an open one, ``approve`` with an approval that binds."""
    pinned = context.desired.runbooks.get(action.runbook)
    if pinned is None:
        return Verdict("deny", NAME, f"there is no runbook {action.runbook}")
    match pinned.runbook.mode:
        case "auto":
            return Verdict("allow", NAME)
        case "window":
            if context.window_open:
                return Verdict("allow", NAME)
            return Verdict("defer", NAME, "waits for a maintenance window")
        case "approve":
            return _approved(pinned, context)
        case "never":
            return Verdict("deny", NAME, "never: people do this; see the runbook's procedure")


def _approved(pinned: PinnedRunbook, context: GuardContext) -> Verdict:
    named = [a for a in context.desired.approvals if pinned.runbook.id in a.approval.runbooks]
    for each in named:
        if not list(_flaws(each, pinned, context)):
            said = f"approval {each.approval.id} of {each.approval.approver}"
            until = f"until {each.approval.expires}"
            return Verdict("allow", NAME, f"{said}, {until} (sha256:{each.digest})")
    reasons = [
        f"approval {each.approval.id} {flaw}"
        for each in named
        for flaw in _flaws(each, pinned, context)
    ]
    return Verdict("deny", NAME, "; ".join([*reasons, _wanted(pinned, context)]))


def _flaws(each: PinnedApproval, pinned: PinnedRunbook, context: GuardContext) -> Iterator[str]:
    """Why an approval does not count; nothing when it does."""
    approval, today = each.approval, context.now.date()
    plan = context.desired.plan_digest
    if not approval.term.in_force(today):
        yield approval.term.words(today) or "is not in force"
    if not plan or approval.hosts.get(context.desired.host.id) != f"sha256:{plan}":
        yield "is for another plan"
    if approval.runbooks.get(pinned.runbook.id) != f"sha256:{pinned.digest}":
        yield f"is for another {pinned.runbook.id}"


def _wanted(pinned: PinnedRunbook, context: GuardContext) -> str:
    desired = context.desired
    return (
        f"needs a person: approvals/{desired.client.id}/<id>.yaml with hosts {desired.host.id}: "
        f"sha256:{desired.plan_digest or '(no plan)'} and runbooks {pinned.runbook.id}: "
        f"sha256:{pinned.digest}"
    )


GUARD = Guard(NAME, judge)

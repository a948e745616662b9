"""How much of a person a runbook needs: none, a window, an approval, or everything.

Rule 1: An approval counts for the one plan that it names: this host's, as it is now. Another rule,
        parameter, runbook or exception makes another plan, and the approval binds no more.
Rule 2: It counts for the runbook as it was, byte for byte, and up to its last day.
Rule 3: High risk needs two people. How many stand behind an approval is what the trust policy in
        force asks for at its path; what the file says of itself counts for nothing.
Rule 4: An emergency approval opens a closed window for the runbooks that it names, and no others.
Rule 5: It is said which approval it was, with the digest of its file, so that evidence leads to the
        person and to the signed commit.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.waiting import seconds_until
from reconciler.model.desired import PinnedApproval, PinnedRunbook
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "approval"
HIGH_RISK_PEOPLE = 2


def judge(action: Action, context: GuardContext) -> Verdict:
    """Allow ``auto``; allow ``window`` in an open one, ``approve`` with an approval that binds."""
    pinned = context.desired.runbooks.get(action.runbook)
    if pinned is None:
        return Verdict("deny", NAME, f"there is no runbook {action.runbook}")
    mode = pinned.runbook.mode
    if mode == "never":
        return Verdict("deny", NAME, "never: people do this; see the runbook's procedure")
    if mode == "approve" or pinned.runbook.risk == "high":
        return _approved(action, pinned, context)
    return Verdict("allow", NAME) if mode == "auto" else _in_window(action, context)


def binding(action: Action, context: GuardContext) -> PinnedApproval | None:
    """The first approval that covers an action now; ``None`` when none does."""
    return next(_binding(action, context), None)


def emergency(action: Action, context: GuardContext) -> PinnedApproval | None:
    """The first that covers it outside windows and on frozen days, too."""
    return next((each for each in _binding(action, context) if each.approval.emergency), None)


def onboarding(action: Action, context: GuardContext) -> PinnedApproval | None:
    """The first under which everything that the plan asks for spends one token of the host."""
    return next((each for each in _binding(action, context) if each.approval.onboarding), None)


def said(each: PinnedApproval) -> str:
    """Which approval it was, in words that lead to the person and to the file."""
    approval = each.approval
    name = f"approval {approval.id} of {approval.approver}"
    return f"{name}, until {approval.expires} (sha256:{each.digest})"


def _in_window(action: Action, context: GuardContext) -> Verdict:
    if context.window_open:
        return Verdict("allow", NAME)
    pressing = emergency(action, context)
    if pressing is not None:
        return Verdict("allow", NAME, f"emergency: {said(pressing)}")
    calendar = context.calendar
    wait_s = seconds_until(calendar.opens_at, context.now) if calendar else None
    unseen = ", and none is in sight" if calendar and wait_s is None else ""
    return Verdict("defer", NAME, f"waits for a maintenance window{unseen}", wait_s)


def _approved(action: Action, pinned: PinnedRunbook, context: GuardContext) -> Verdict:
    bound = binding(action, context)
    if bound is not None:
        return Verdict("allow", NAME, said(bound))
    flawed = [(each, list(_flaws(each, pinned, context))) for each in _naming(action, context)]
    reasons = [f"approval {each.approval.id} {flaw}" for each, flaws in flawed for flaw in flaws]
    early = [each.approval.issued_on for each, flaws in flawed if _only_early(each, flaws, context)]
    if early:
        first = datetime.combine(min(early), time(), UTC)
        return Verdict("defer", NAME, "; ".join(reasons), seconds_until(first, context.now))
    return Verdict("deny", NAME, "; ".join([*reasons, _wanted(pinned, context)]))


def _naming(action: Action, context: GuardContext) -> Iterator[PinnedApproval]:
    return (a for a in context.desired.approvals if action.runbook in a.approval.runbooks)


def _binding(action: Action, context: GuardContext) -> Iterator[PinnedApproval]:
    pinned = context.desired.runbooks.get(action.runbook)
    if pinned is not None:
        for each in _naming(action, context):
            if not list(_flaws(each, pinned, context)):
                yield each


def _flaws(each: PinnedApproval, pinned: PinnedRunbook, context: GuardContext) -> Iterator[str]:
    """Why an approval does not count; nothing when it does."""
    approval, today = each.approval, _today(context)
    plan = context.desired.plan_digest
    if not approval.term.in_force(today):
        yield approval.term.words(today) or "is not in force"
    if not plan or approval.hosts.get(context.desired.host.id) != f"sha256:{plan}":
        yield "is for another plan"
    if approval.runbooks.get(pinned.runbook.id) != f"sha256:{pinned.digest}":
        yield f"is for another {pinned.runbook.id}"
    if each.people < _people(pinned):
        yield f"rests on {each.people} person, and high risk needs {HIGH_RISK_PEOPLE} people"


def _only_early(each: PinnedApproval, flaws: list[str], context: GuardContext) -> bool:
    return len(flaws) == 1 and each.approval.term.phase(_today(context)) == "early"


def _people(pinned: PinnedRunbook) -> int:
    return HIGH_RISK_PEOPLE if pinned.runbook.risk == "high" else 1


def _today(context: GuardContext) -> date:
    return context.now.astimezone(UTC).date()


def _wanted(pinned: PinnedRunbook, context: GuardContext) -> str:
    desired = context.desired
    folder = f"approvals/{desired.client.id}/"
    people = "two people" if _people(pinned) > 1 else "a person"
    wanted = (
        f"needs {people}: {folder}<id>.yaml with hosts {desired.host.id}: "
        f"sha256:{desired.plan_digest or '(no plan)'} and runbooks {pinned.runbook.id}: "
        f"sha256:{pinned.digest}"
    )
    if _people(pinned) == 1:
        return wanted
    rule = f"a rule of policies/trust/policy.yaml for {folder}** that asks for 1 approval"
    return f"{wanted}, under {rule}"


GUARD = Guard(NAME, judge)

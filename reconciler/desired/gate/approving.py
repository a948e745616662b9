"""A file for ``approvals/`` about runbooks as they are today, and why one would bind nothing.

Rule 1: What no appliance would count is refused here, in words; nothing is written that only looks
        like a yes.
Rule 2: Digests are those of the work tree, reckoned by the code that an appliance has.
Rule 3: The file is read back and cross-checked with the whole fleet before anybody sees it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from reconciler.desired import strict_yaml
from reconciler.desired.fleet import read_fleet
from reconciler.desired.gate.reading import POLICY, SIGNERS, Reading
from reconciler.desired.gate.review import Catalogues
from reconciler.desired.graph import check_fleet
from reconciler.desired.resolve import people_behind
from reconciler.desired.suggest import did_you_mean
from reconciler.desired.validation import validate
from reconciler.errors import InputError, Where
from reconciler.model.approval import EMERGENCY, LONGEST, Approval
from reconciler.model.desired import DesiredState
from reconciler.model.runbook import Runbook
from reconciler.model.trust_policy import PathRule
from reconciler.report.approval_file import approval_path, approval_text
from reconciler.trust.paths import Owners
from reconciler.trust.people import People, may_author

TERM = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to approve.

    Attributes:
        runbooks: Ids; empty for all that may begin on the hosts (onboarding).
        hosts: Targets; empty for every host where all of the runbooks may begin.
        approver: Principal of the person.
        reason: Why; ``None`` for the titles of the runbooks.
        name: Id of the approval; ``None`` for one that says what it is.
        about: What the usual id says instead of runbook, host and day.
        days: How many days after today the last one is; ``None`` for the usual term.
        today: The first day, in UTC.
    """

    runbooks: tuple[str, ...]
    hosts: tuple[str, ...]
    approver: str
    today: date
    reason: str | None = None
    name: str | None = None
    about: str | None = None
    days: int | None = None
    emergency: bool = False
    onboarding: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """An approval that would bind once it is committed.

    Attributes:
        path: Where it belongs.
        text: The file.
        approval: What it says.
        rule: The rule of the trust policy that owns the path; ``None`` without a policy.
    """

    path: str
    text: str
    approval: Approval
    rule: PathRule | None


def propose_approval(reading: Reading, wish: Wish, catalogues: Catalogues) -> Proposed:
    """The approval that somebody wants, of the fleet as it is.

    Raises:
        InputError: It would bind nothing, or not here, or not by this person; says why.
    """
    fleet = reading.fleet
    if fleet is None or not reading.whole:
        message = "the fleet has errors, so there is no plan to approve"
        raise InputError(message, hint="See them: reconciler check .")
    for name in wish.runbooks:
        _refuse_runbook(fleet.runbooks, name, wish)
    targets = _targets(reading.states, wish)
    runbooks = wish.runbooks or tuple(_all_of(reading.states, targets))
    if not runbooks:
        message = f"nothing that software may begin is left to approve on {', '.join(targets)}"
        raise InputError(message, hint="Runbooks of high risk are named one by one.")
    client = targets[0].partition("/")[0]
    high = any(fleet.runbooks[name].risk == "high" for name in runbooks)
    name = wish.name or ("high-" if high else "") + _name(runbooks, targets, wish)
    path = approval_path(client, name)
    rule = owner_for(reading, path, wish.approver)
    if high and people_behind(fleet, path) < 2:
        raise InputError(
            "binds nothing: high risk needs two people, and one may change this path alone",
            hint="Choose a name that a rule with approvals: 1 owns (--id high-…), or add such a "
            f"rule to {POLICY}.",
            where=Where(path),
        )
    text = _text(reading, wish, path, targets, runbooks)
    return Proposed(
        path=path, text=text, approval=_read(reading, path, text, catalogues), rule=rule
    )


def _refuse_runbook(runbooks: Mapping[str, Runbook], name: str, wish: Wish) -> None:
    runbook = runbooks.get(name)
    if runbook is None:
        raise InputError(f"there is no runbook {name}", hint=did_you_mean(name, runbooks))
    if runbook.mode == "never":
        hint = "Do what its procedure says; approve nothing."
        raise InputError(f"{name} is never run by software", hint=hint)
    if runbook.mode != "approve" and not (wish.emergency or wish.onboarding):
        raise InputError(
            f"{name} has mode {runbook.mode}, which needs no approval",
            hint="--emergency opens windows and freeze days; --onboarding spares tokens.",
        )


def _targets(states: Mapping[str, DesiredState], wish: Wish) -> tuple[str, ...]:
    """The hosts, all of one client."""
    for target in wish.hosts:
        if target not in states:
            raise InputError(f"there is no host {target}", hint=did_you_mean(target, states))
    if not wish.runbooks and not wish.hosts:
        message = "names neither a runbook nor a host"
        raise InputError(message, hint="For the first day of a host: --onboarding --host C/H.")
    stopped = {
        target: [why for name in wish.runbooks if (why := _obstacle(states[target], name))]
        for target in wish.hosts or states
    }
    fit = tuple(sorted(target for target, reasons in stopped.items() if not reasons))
    if not fit or (wish.hosts and len(fit) < len(stopped)):
        target, reasons = next((t, r) for t, r in sorted(stopped.items()) if r)
        more = "" if wish.hosts else f" (and nowhere else, of {len(stopped)} hosts)"
        message = f"binds nothing on {target}: {reasons[0]}{more}"
        raise InputError(message, hint="An approval lets run what a plan leads to, no more.")
    clients = sorted({target.partition("/")[0] for target in fit})
    if len(clients) > 1:
        message = f"hosts of {len(clients)} clients could run it: {', '.join(clients[:10])}"
        hint = "An approval is of one client; name its hosts: --host CLIENT/HOST."
        raise InputError(message, hint=hint)
    return fit


def _obstacle(state: DesiredState, name: str) -> str | None:
    """Why a runbook could not begin on a host whatever a person says; ``None`` when it could."""
    pinned = state.runbooks.get(name)
    if pinned is None:
        return f"no rule leads to {name}"
    if not pinned.approved:
        return f"{name} as it is now is not in runbooks/approved.yaml"
    if name in state.client.denied_runbooks:
        return f"the client denies {name}"
    if "heal" not in state.features:
        return f"tier {state.client.tier} does not heal"
    fixable = [r for r in state.rules if r.enforce and r.check in pinned.runbook.fixes]
    return None if fixable else f"no rule that {name} fixes is enforced"


def _all_of(states: Mapping[str, DesiredState], targets: Iterable[str]) -> Iterator[str]:
    """What may begin on every one of the hosts, but for what needs two people or nobody."""
    every = [states[target] for target in targets]
    for name, pinned in sorted(every[0].runbooks.items()):
        ordinary = pinned.runbook.mode != "never" and pinned.runbook.risk != "high"
        if ordinary and not any(_obstacle(state, name) for state in every):
            yield name


def _name(runbooks: tuple[str, ...], targets: tuple[str, ...], wish: Wish) -> str:
    if wish.about is not None:
        return wish.about
    what = "onboarding" if wish.onboarding else runbooks[0].lower()
    host = targets[0].partition("/")[2] if len(targets) == 1 else f"{len(targets)}-hosts"
    kind = "emergency-" if wish.emergency else ""
    return f"{kind}{what}-{host[:24]}-{wish.today:%Y%m%d}"


def owner_for(reading: Reading, path: str, principal: str) -> PathRule | None:
    """The rule that owns a path, under which a person may bring a file.

    Args:
        reading: The fleet.
        path: Of the file.
        principal: Who brings it.

    Returns:
        The rule; ``None`` where there is no trust policy, and every listed signer may.

    Raises:
        InputError: Nobody knows the person, or they may not.
    """
    policy, signers = reading.trust.policy, reading.trust.signers
    if policy is None:
        known = {signer.principal for signer in signers.signers} if signers else set()
        if known and principal not in known:
            message, where = f"{principal} has no key", Where(SIGNERS)
            raise InputError(message, hint=did_you_mean(principal, known), where=where)
        return None
    owned, person = Owners(policy).of(path), People(policy).person(principal)
    if person is None:
        names = [name for member in policy.people for name in member.principals]
        message = f"{principal} is no person of the trust policy"
        raise InputError(message, hint=did_you_mean(principal, names), where=Where(POLICY))
    if owned is None or not may_author(person, owned):
        asked = "no rule owns it" if owned is None else f"rule {owned.rule.id} asks for others"
        message = f"{principal} may not bring such a file: {asked}"
        hint = "Let somebody approve who may; reconciler verify-intent says who that is."
        raise InputError(message, hint=hint, where=Where(path))
    return owned.rule


def _text(
    reading: Reading,
    wish: Wish,
    path: str,
    targets: tuple[str, ...],
    runbooks: tuple[str, ...],
) -> str:
    first = reading.states[targets[0]]
    names = [target.partition("/")[2] for target in targets]
    titles = ", ".join(f"{first.runbooks[name].runbook.title} ({name})" for name in runbooks[:5])
    return approval_text(
        name=path.rpartition("/")[2].removesuffix(".yaml"),
        approver=wish.approver,
        hosts={target.partition("/")[2]: reading.states[target].plan_digest for target in targets},
        runbooks={name: first.runbooks[name].digest for name in runbooks},
        reason=wish.reason or f"{titles} on {', '.join(names[:5])}",
        issued_on=wish.today,
        expires=wish.today + _term(wish),
        emergency=wish.emergency,
        onboarding=wish.onboarding,
    )


def _term(wish: Wish) -> timedelta:
    longest = EMERGENCY if wish.emergency else LONGEST
    term = timedelta(days=wish.days) if wish.days is not None else min(TERM, longest)
    if not timedelta(0) <= term <= longest:
        kind = "an emergency" if wish.emergency else "an approval"
        message = f"{kind} lasts {longest.days} days at most, not {term.days}"
        raise InputError(message, hint="What is still needed then is approved again.")
    return term


def _read(reading: Reading, path: str, text: str, catalogues: Catalogues) -> Approval:
    """What the file says, once the fleet with it has nothing to say against it."""
    if path in reading.files:
        raise InputError("is there already", hint="Choose another: --id NAME.", where=Where(path))
    approval = validate(strict_yaml.load(text.encode(), path), Approval)
    fleet = read_fleet({**reading.files, path: text.encode()})
    for problem in check_fleet(fleet, catalogues.checks, catalogues.steps):
        if problem.where.file == path:
            raise InputError(problem.message, hint=problem.hint, where=problem.where)
    return approval

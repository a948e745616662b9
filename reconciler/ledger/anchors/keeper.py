"""Keeping checkpoints anchored: does what is due, over the network, in bounded time.

An authority that cannot be reached is no reason to stop an appliance, and no reason to be silent:
it is a `Problem`, and after some days the plan makes an alarm of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reconciler.errors import InputError, ReconcilerError
from reconciler.ledger.anchors import plan
from reconciler.ledger.anchors.bodies import AUTHORITY, body
from reconciler.ledger.anchors.extra import needed
from reconciler.ledger.anchors.model import (
    BITCOIN,
    Anchor,
    AnchorState,
    Method,
    Problem,
)
from reconciler.ports import Clock

if TYPE_CHECKING:
    from reconciler.ledger.anchors.rfc3161 import Authority

_LEAST_S = 0.5
_BUDGET_HINT = "It stays due; give anchors more seconds if this is said in every run."
_ALARM_HINT = "See the problems of earlier runs, the network, and the settings of this authority."


@dataclass(frozen=True, slots=True)
class AnchorSettings:
    """Where checkpoints are anchored.

    Attributes:
        calendars: OpenTimestamps calendars that get each digest; none leaves that way out.
        min_calendars: How many of them must answer.
        upgrade_from: Calendars that may be asked about pending proofs, beside those above: a pool
            hands a digest on to calendars of other addresses.
        authorities: Time stamping authorities.
        timeout_s: Seconds for one exchange.
        budget_s: Seconds for everything at one time.
        pace: How often.
    """

    calendars: tuple[str, ...] = ()
    min_calendars: int = 1
    upgrade_from: tuple[str, ...] = ()
    authorities: "tuple[Authority, ...]" = ()
    timeout_s: float = 10.0
    budget_s: float = 30.0
    pace: plan.Pace = field(default_factory=plan.Pace)

    def __post_init__(self) -> None:
        """Refuse names that evidence could not hold, or that do not say who it was."""
        names = [authority.name for authority in self.authorities]
        for name in names:
            if AUTHORITY.fullmatch(name) is None or names.count(name) > 1:
                hint = f"Give each authority a name of its own, of the form {AUTHORITY.pattern}"
                raise InputError(f"{name!r:.80} is no name of one authority", hint=hint)

    @property
    def ways(self) -> tuple[plan.Way, ...]:
        """Every way that is wanted."""
        bitcoin = (plan.Way(Method.OPENTIMESTAMPS, BITCOIN),) if self.calendars else ()
        return bitcoin + tuple(plan.Way(Method.RFC3161, one.name) for one in self.authorities)


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of the work that was due.

    Attributes:
        bodies: Bodies of new ``anchor`` entries, to be appended in this order.
        problems: What did not come about, and alarms.
        tried: When what was last tried; give it back in the next `plan.LedgerView`.
    """

    bodies: tuple[dict[str, Any], ...]
    problems: tuple[Problem, ...]
    tried: Mapping[str, datetime]


def keep(view: plan.LedgerView, settings: AnchorSettings, clock: Clock) -> Kept:
    """Do the anchor work that is due.

    Args:
        view: What the ledger has.
        settings: Where checkpoints are anchored.
        clock: Time of day for ages, monotonic time for the budget.

    Returns:
        New entries and problems; never raises for what a server or the network does. Work that
        the budget did not reach stays due, and is said.
    """
    now, end = clock.now(), clock.monotonic() + settings.budget_s
    bodies: list[dict[str, Any]] = []
    problems: list[Problem] = []
    tried = dict(view.tried)
    for work in plan.due(view, settings.ways, now, settings.pace):
        if isinstance(work, plan.Alarm):
            problems.append(_problem(work.way, work.message, _ALARM_HINT))
            continue
        way = work.way
        left = min(settings.timeout_s, end - clock.monotonic())
        if left < _LEAST_S:
            problems.append(_problem(way, "no time was left for it in this run", _BUDGET_HINT))
            continue
        tried[work.key] = now
        try:
            bodies += map(body, _done(work, settings, left))
        except ReconcilerError as error:
            problems.append(_problem(way, error.message, error.hint))
    return Kept(tuple(bodies), tuple(problems), _recent(tried, now))


def _done(
    work: plan.Stamp | plan.Upgrade, settings: AnchorSettings, timeout_s: float
) -> list[Anchor]:
    if isinstance(work, plan.Upgrade):
        return _upgraded(work.entry.anchor, settings, timeout_s)
    if work.way.method is Method.OPENTIMESTAMPS:
        return [_submitted(work.checkpoint, settings, timeout_s)]
    return [_signed(work.way, work.checkpoint, settings, timeout_s)]


def _submitted(checkpoint: plan.Checkpoint, settings: AnchorSettings, timeout_s: float) -> Anchor:
    with needed():
        from reconciler.ledger.anchors import opentimestamps  # noqa: PLC0415 - lazy: once a day
    proof = opentimestamps.submit(
        bytes.fromhex(checkpoint.note_sha256),
        settings.calendars,
        timeout_s=timeout_s,
        min_calendars=settings.min_calendars,
    )
    way = plan.Way(Method.OPENTIMESTAMPS, BITCOIN)
    return _anchor(way, checkpoint, opentimestamps.state(proof).state, proof)


def _upgraded(pending: Anchor, settings: AnchorSettings, timeout_s: float) -> list[Anchor]:
    with needed():
        from reconciler.ledger.anchors import opentimestamps  # noqa: PLC0415 - lazy: once a day
    allowed = {*settings.calendars, *settings.upgrade_from}
    proof = opentimestamps.upgrade(pending.proof, calendars=allowed, timeout_s=timeout_s)
    # A promise in place of a promise is not kept: a calendar could fill the ledger with them.
    if proof is None or opentimestamps.state(proof).state is AnchorState.PENDING:
        return []
    return [replace(pending, state=AnchorState.COMPLETE, proof=proof)]


def _signed(
    way: plan.Way, checkpoint: plan.Checkpoint, settings: AnchorSettings, timeout_s: float
) -> Anchor:
    with needed():
        from reconciler.ledger.anchors import rfc3161  # noqa: PLC0415 - lazy: once a day
    (authority,) = (one for one in settings.authorities if one.name == way.authority)
    token = rfc3161.request(checkpoint.note, authority=authority, timeout_s=timeout_s)
    return _anchor(way, checkpoint, AnchorState.COMPLETE, token)


def _anchor(way: plan.Way, checkpoint: plan.Checkpoint, state: AnchorState, proof: bytes) -> Anchor:
    return Anchor(
        method=way.method,
        checkpoint=checkpoint.ref,
        note_sha256=checkpoint.note_sha256,
        authority=way.authority,
        state=state,
        proof=proof,
    )


def _problem(way: plan.Way, message: str, hint: str) -> Problem:
    return Problem(way.method, way.authority, message, hint)


def _recent(tried: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    # No pause is longer than a day: what is older than two is no longer asked about.
    return {key: at for key, at in tried.items() if now - at <= timedelta(days=2)}

"""Whom to call about which incidents, now: from what is wrong and what people were told already.

Rule 1: One ticket an incident. Each channel hears of it once for each step that names it, once more
        when it is about something else, and once that it has ended.
Rule 2: A channel that takes nothing is left alone: twice as long after each failure.
Rule 3: A storm is one message: what has no room in the hour goes into a digest that names it all.
Rule 4: Who has acknowledged is not called again until the day that they named is over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from reconciler.evidence import canonical
from reconciler.incident.goodbyes import Ended
from reconciler.incident.ticket import END, Delivery, Line, Ticket
from reconciler.incident.ticket_form import Covered
from reconciler.incident.tickets import HOUR
from reconciler.incident.wants import Situation, Want, calling, left_behind, wants

BASE = timedelta(seconds=60)
CAP = timedelta(hours=6)
MOST_COVERED = 1000
"""Incidents in one digest; more go into the next one."""

DIGEST = "digest-"


Phase = Literal["opened", "step", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One message to one channel.

    Attributes:
        phase: As the entry before it says: ``opened``, ``step`` or ``closed``.
        covers: The tickets it is about; several in a digest.
        key: What the receiver knows it by.
        message: Its id, the same in every try.
        reference: The receiver's number, if it is known.
    """

    phase: Phase
    covers: tuple[Covered, ...]
    key: str
    message: str
    reference: int | None = None

    @property
    def digest(self) -> bool:
        """Whether it is about a digest."""
        return self.key.startswith(DIGEST)


def backoff(failures: int) -> timedelta:
    """How long nothing is tried after so many failures in a row."""
    return min(BASE * 2 ** min(failures - 1, 20), CAP) if failures > 0 else timedelta(0)


def newly_acknowledged(here: Situation) -> tuple[Covered, ...]:
    """Tickets that somebody has taken over since the last look."""
    left = left_behind(here)
    found = []
    for name, incident in calling(here):
        ticket = here.tickets.open.get(name)
        if name not in here.acknowledged or (ticket and ticket.acknowledged):
            continue
        follows = None if ticket else left.get(incident.rule)
        round_ = ticket.round if ticket else 1
        if follows is not None:
            round_ = here.tickets.open[follows].round + 1
        reason = incident.reason
        found.append(Covered(name, incident.id, incident.rule, reason, round_, 0, follows))
    return tuple(found)


def finished(here: Situation) -> tuple[Covered, ...]:
    """Tickets whose incident has ended, and of which nobody has to be told any more."""
    ended = Ended.of(here)
    return tuple(
        Covered(name, ticket.incident, ticket.rule, ticket.reason, ticket.round, 0)
        for name, ticket in ended.tickets.items()
        if not any(ended.due(channel, ticket) for channel in here.channels)
    )


def calls(here: Situation, channel: str, *, per_run: int, per_hour: int) -> tuple[Call, ...]:
    """What one channel is told now, the most urgent first.

    Args:
        here: The situation.
        channel: Its name.
        per_run: Most messages in one run.
        per_hour: Most tries within an hour.
    """
    line = here.tickets.lines.get(channel)
    if line is not None and here.now < line.at + backoff(line.failures):
        return ()
    room = min(per_run, per_hour - _recent(line, here.now))
    if room <= 0:
        return ()
    wanted = sorted(wants(here, channel), key=lambda want: want.rank)
    again = list(_digests_again(here, wanted))
    retried = {covered.ticket for call in again for covered in call.covers}
    fresh = [want for want in wanted if want.covered.ticket not in retried]
    ripe = [want for want in fresh if _ripe(want.before, here.now)]
    opened = _fitting(here.target, ripe, room - len(again))
    return (*again, *opened, *_goodbyes(here, channel))[:room]


def _recent(line: Line | None, now: datetime) -> int:
    return 0 if line is None else sum(now - one < HOUR for one in line.recent)


def _ripe(before: Delivery | None, now: datetime) -> bool:
    return before is None or now >= before.at + backoff(before.tries)


def _digests_again(here: Situation, wanted: Sequence[Want]) -> Iterator[Call]:
    """Digests that did not arrive, as they were: so that a second one is known for the same."""
    groups: dict[str, list[Want]] = {}
    for want in wanted:
        before = want.before
        if before and before.tries and before.key.startswith(DIGEST) and _ripe(before, here.now):
            groups.setdefault(before.message, []).append(_as_before(want, before))
    for message, group in groups.items():
        covers = tuple(want.covered for want in group)
        yield Call(phase=_phase(group), covers=covers, key=group[0].key, message=message)


def _as_before(want: Want, before: Delivery) -> Want:
    round_, step = before.aim
    covered = replace(want.covered, round=round_, step=step)
    return replace(want, covered=covered, key=before.key)


def _fitting(target: str, wanted: Sequence[Want], room: int) -> Iterator[Call]:
    alone = wanted if len(wanted) <= room else wanted[: max(room - 1, 0)]
    rest = wanted[len(alone) :][:MOST_COVERED]
    yield from (_single(target, want) for want in alone)
    if rest and room > 0:
        yield _digest(target, rest)


def _single(target: str, want: Want) -> Call:
    covered, before = want.covered, want.before
    known = before.reference if before and before.key == want.key else None
    about = [target, want.key, covered.incident, covered.round, covered.step]
    return Call(
        phase=want.phase,
        covers=(covered,),
        key=want.key,
        message=canonical.digest(about),
        reference=known,
    )


def _digest(target: str, group: Sequence[Want]) -> Call:
    covers = tuple(want.covered for want in group)
    message = canonical.digest([target, [covered.to_body() for covered in covers]])
    return Call(phase=_phase(group), covers=covers, key=f"{DIGEST}{message[:16]}", message=message)


def _phase(group: Sequence[Want]) -> Phase:
    return "opened" if any(want.phase == "opened" for want in group) else "step"


def _goodbyes(here: Situation, channel: str) -> Iterator[Call]:
    """That something has ended: once for what the receiver knows by one key."""
    ended = Ended.of(here)
    groups: dict[str, list[tuple[Covered, Delivery]]] = {}
    for name, ticket in ended.tickets.items():
        delivery = ended.due(channel, ticket)
        if delivery is not None and _ripe_goodbye(delivery, here.now):
            groups.setdefault(delivery.key, []).append((_last(name, ticket), delivery))
    for key, group in groups.items():
        yield Call(
            phase="closed",
            covers=tuple(covered for covered, _ in group),
            key=key,
            message=canonical.digest([here.target, key, "closed", group[0][0].round]),
            reference=group[0][1].reference,
        )


def _ripe_goodbye(delivery: Delivery, now: datetime) -> bool:
    return not delivery.saying_goodbye or _ripe(delivery, now)


def _last(name: str, ticket: Ticket) -> Covered:
    return Covered(name, ticket.incident, ticket.rule, ticket.reason, ticket.round, END)

"""What is remembered of a fix that does not hold: when it was undone, and whether it holds now.

Rule 1: A recurrence is counted once for each verified success: when its incident says that it came
        back, when it is put right again, or when the flap guard turns that away.
Rule 2: Facts are kept and scores are reckoned from them, so new numbers count at once and an
        auditor needs the ledger alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.guard import memory_form as form
from reconciler.model.guard_settings import FlapSettings

REMEMBERED = 32
"""Recurrences that are remembered of one rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap:
    """One bound rule that was put right at least once.

    Attributes:
        at: When it was last put right or came back; never goes back.
        held: Verified, and not known to have come back since.
        recurred: When it came back, newest last.
    """

    at: datetime
    held: bool
    recurred: tuple[datetime, ...]

    def to_body(self) -> dict[str, Any]:
        """JSON values; times are whole microseconds since 1970."""
        return {
            "at": form.stamp(self.at),
            "held": self.held,
            "recurred": [form.stamp(at) for at in self.recurred],
        }

    @classmethod
    def from_body(cls, body: object) -> "Flap":
        """The inverse of `to_body`.

        Raises:
            Malformed: It does not read as a flap.
        """
        fields = form.fields(body, {"at", "held", "recurred"})
        return cls(
            at=form.time(fields["at"]),
            held=form.flag(fields["held"]),
            recurred=tuple(form.time(at) for at in form.sequence(fields["recurred"])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Damping:
    """How much a rule flaps at one moment.

    Attributes:
        score: Penalties as far as they have not decayed.
        suppressed: It reached ``suppress_at``, or came back ``most_recurrences`` times, and has not
            come down to ``reuse_at`` since.
        recurrences: How often it came back within ``within_days``.
    """

    score: int
    suppressed: bool
    recurrences: int


def verified(flap: Flap | None, at: datetime) -> Flap:
    """After a verified success."""
    if flap is None:
        return Flap(at=at, held=True, recurred=())
    return replace(flap, at=max(at, flap.at), held=True)


def recurred(flap: Flap, at: datetime) -> Flap:
    """After it was seen that the success did not hold; counts once for each success."""
    if not flap.held:
        return flap
    at = max(at, flap.at)
    return Flap(at=at, held=False, recurred=(*flap.recurred, at)[-REMEMBERED:])


def held(
    flaps: Mapping[str, Flap], rules: Iterable[str], at: datetime, forget: timedelta
) -> dict[str, Flap]:
    """All flaps after some rules were put right, without those that are long over."""
    kept = {rule: flap for rule, flap in flaps.items() if at - flap.at < forget}
    return {**kept, **{rule: verified(flaps.get(rule), at) for rule in rules}}


def came_back(flaps: Mapping[str, Flap], rules: Iterable[str], at: datetime) -> dict[str, Flap]:
    """All flaps after some rules were seen to fail; what was never put right cannot come back."""
    back = {rule: recurred(flaps[rule], at) for rule in rules if rule in flaps}
    return {**flaps, **back}


def damping(flap: Flap | None, settings: FlapSettings, now: datetime) -> Damping:
    """How much a rule flaps now."""
    if flap is None or not flap.recurred:
        return Damping(score=0, suppressed=False, recurrences=0)
    now = max(now, flap.at)
    score, suppressed = _newest(flap, settings)
    score = decayed(score, settings.half_life_s, now - flap.recurred[-1])
    return Damping(
        score=score,
        suppressed=suppressed and score > settings.reuse_at,
        recurrences=_within(flap, settings, now),
    )


def _newest(flap: Flap, settings: FlapSettings) -> tuple[int, bool]:
    """The score right after the newest recurrence, and whether it is suppressed."""
    score, suppressed, last = 0, False, flap.recurred[0]
    for at in flap.recurred:
        score = decayed(score, settings.half_life_s, at - last)
        suppressed = suppressed and score > settings.reuse_at
        score = min(score + settings.penalty, settings.cap)
        often = _within(flap, settings, at) >= settings.most_recurrences
        suppressed = suppressed or often or score >= settings.suppress_at
        last = at
    return score, suppressed


def _within(flap: Flap, settings: FlapSettings, now: datetime) -> int:
    """How often it came back in the days that end now."""
    window = timedelta(days=settings.within_days)
    return sum(at <= now and now - at < window for at in flap.recurred)


def decayed(score: int, half_life_s: int, elapsed: timedelta) -> int:
    """What is left of a score after some time."""
    halvings = max(elapsed, timedelta(0)) / timedelta(seconds=half_life_s)
    return int(score * 0.5 ** min(halvings, 64))


def release_s(flap: Flap, settings: FlapSettings, now: datetime) -> int:
    """After how many whole seconds it is suppressed no more, if nothing else comes back."""
    if not damping(flap, settings, now).suppressed:
        return 0
    score, _suppressed = _newest(flap, settings)
    since = max(now, flap.at) - flap.recurred[-1]
    low, high = 0, settings.half_life_s * score.bit_length()
    while low < high:
        middle = (low + high) // 2
        left = decayed(score, settings.half_life_s, since + timedelta(seconds=middle))
        low, high = (low, middle) if left <= settings.reuse_at else (middle + 1, high)
    return low

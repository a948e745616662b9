"""What is remembered of one action: how often it failed, and when it was last tried.

An attempt counts from its intent, before the first step: a crash in the middle of an action is an
attempt, too. What a guard turned away is not an attempt and leaves no trace here.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.guard import memory_form as form

QUIET = timedelta(hours=24)
"""After this long without an attempt, earlier failures no longer count."""
RECURRENCES = 8
"""How many recurrences are remembered."""

_FAILURES = {"failed", "rolled_back", "interrupted"}
_NOT_TRIED = {"deferred", "denied", "escalated", "not_applicable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The attempts at one action.

    Attributes:
        failures: Failed attempts since the last verified success or the last quiet day.
        last_at: When it was last begun or ended, whichever is later; never goes back.
        last_result: Result of the newest outcome; ``None`` before the first.
        last_success_at: When it was last verified to have healed.
        open: Begun, and not yet closed by an outcome.
        recurred_at: When it was begun again although it had healed, newest last: a fix that
            does not hold (lesson 10).
    """

    failures: int
    last_at: datetime
    last_result: str | None
    last_success_at: datetime | None
    open: bool
    recurred_at: tuple[datetime, ...]

    def to_body(self) -> dict[str, Any]:
        """JSON values; times are whole microseconds since 1970."""
        return {
            "failures": self.failures,
            "last_at": form.stamp(self.last_at),
            "last_result": self.last_result,
            "last_success_at": self.last_success_at and form.stamp(self.last_success_at),
            "open": self.open,
            "recurred_at": [form.stamp(at) for at in self.recurred_at],
        }

    @classmethod
    def from_body(cls, body: object) -> "Attempt":
        """The inverse of `to_body`.

        Raises:
            Malformed: It does not read as an attempt.
        """
        names = {"failures", "last_at", "last_result", "last_success_at", "open", "recurred_at"}
        fields = form.fields(body, names)
        recurred, is_open = fields["recurred_at"], fields["open"]
        if not isinstance(recurred, list | tuple) or not isinstance(is_open, bool):
            raise form.Malformed("open must be true or false, recurred_at a list")
        return cls(
            failures=form.count(fields["failures"]),
            last_at=form.time(fields["last_at"]),
            last_result=form.optional_text(fields["last_result"]),
            last_success_at=form.optional_time(fields["last_success_at"]),
            open=is_open,
            recurred_at=tuple(form.time(at) for at in recurred),
        )


def started(attempt: Attempt | None, at: datetime) -> Attempt:
    """After an intent."""
    if attempt is None:
        return Attempt(
            failures=0,
            last_at=at,
            last_result=None,
            last_success_at=None,
            open=True,
            recurred_at=(),
        )
    again = attempt.last_result == "healed"
    recurred = (*attempt.recurred_at, at)[-RECURRENCES:] if again else attempt.recurred_at
    quiet = not attempt.open and at - attempt.last_at >= QUIET
    return replace(
        attempt,
        # An intent that was never closed is a failure of its own.
        failures=0 if quiet else attempt.failures + attempt.open,
        last_at=max(at, attempt.last_at),
        open=True,
        recurred_at=recurred,
    )


def ended(attempt: Attempt | None, result: str, at: datetime) -> Attempt:
    """After an outcome.

    Raises:
        Malformed: The result is not of the closed list, or nothing had begun.
    """
    if attempt is None:
        raise form.Malformed("an outcome without an intent before it")
    closed = replace(attempt, last_at=max(at, attempt.last_at), open=False, last_result=result)
    if result == "healed":
        return replace(closed, failures=0, last_success_at=closed.last_at)
    if result in _FAILURES:
        return replace(closed, failures=attempt.failures + 1)
    if result in _NOT_TRIED:
        return closed
    raise form.Malformed(f"{result!r} is not a result")

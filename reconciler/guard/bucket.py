"""A bucket of tokens, as one moment: when it is full again if nobody takes from it.

Rule 1: Every charge moves that moment by what one token takes to come back; so over any stretch of
        time no more is taken than the bucket holds and what came back meanwhile.
Rule 2: A clock that went back neither fills a bucket nor lets it be charged in the past.
Rule 3: What was taken comes back at the rate at which it was taken, also when the numbers change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.guard import memory_form as form


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One bucket that was charged.

    Attributes:
        at: When it was last charged; never goes back.
        full_at: When it is full again.
    """

    at: datetime
    full_at: datetime

    def to_body(self) -> dict[str, Any]:
        """JSON values; times are whole microseconds since 1970."""
        return {"at": form.stamp(self.at), "full_at": form.stamp(self.full_at)}

    @classmethod
    def from_body(cls, body: object) -> "Bucket":
        """The inverse of `to_body`.

        Raises:
            Malformed: It does not read as a bucket.
        """
        fields = form.fields(body, {"at", "full_at"})
        return cls(at=form.time(fields["at"]), full_at=form.time(fields["full_at"]))


def charged(bucket: Bucket | None, refill_s: int, at: datetime) -> Bucket:
    """The bucket after one token was taken."""
    if bucket is not None:
        at = max(at, bucket.at)
    begin = at if bucket is None else max(at, bucket.full_at)
    return Bucket(at=at, full_at=begin + timedelta(seconds=refill_s))


def spent(
    buckets: Mapping[str, Bucket], refill_s: Mapping[str, int], at: datetime
) -> dict[str, Bucket]:
    """The buckets after some lost a token; one that is full again is forgotten."""
    kept = {name: bucket for name, bucket in buckets.items() if bucket.full_at > at}
    taken = {name: charged(buckets.get(name), seconds, at) for name, seconds in refill_s.items()}
    return {**kept, **taken}


def wait(bucket: Bucket | None, size: int, refill_s: int, now: datetime) -> timedelta:
    """How long until a token is there; zero when one is."""
    spare = timedelta(seconds=refill_s) * (size - 1)
    return max(_debt(bucket, now) - spare, timedelta(0))


def whole(bucket: Bucket | None, size: int, refill_s: int, now: datetime) -> int:
    """How many tokens are there."""
    owed = -(-_debt(bucket, now) // timedelta(seconds=refill_s))
    return max(size - owed, 0)


def _debt(bucket: Bucket | None, now: datetime) -> timedelta:
    if bucket is None:
        return timedelta(0)
    return max(bucket.full_at - max(now, bucket.at), timedelta(0))

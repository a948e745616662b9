"""Times without a run, in words."""

from datetime import UTC, datetime, timedelta

from reconciler.evidence.entry import stamp
from reconciler.evidence.whole import Gap


def moment(milliseconds: int) -> str:
    """Milliseconds since 1970 as entries write a time."""
    return stamp(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds))


def described(gap: Gap) -> str:
    """How long nothing ran, what was promised, and who says so."""
    length = (gap.end - gap.begin) // 60_000
    said = "the appliance says so itself" if gap.declared else "the appliance does not say so"
    return (
        f"no run for {length // 60} h {length % 60} min, one was promised every"
        f" {gap.promise_s} s; {said}"
    )

"""Moments that programs write as text (RFC 3339), as Unix seconds without floats."""

import re
from datetime import UTC, datetime, timedelta

from reconciler.errors import Unobservable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def unix_s(text: str, what: str) -> int:
    """Unix seconds of an RFC 3339 moment; fractions are dropped.

    Raises:
        Unobservable: It is not one, or names no real moment.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise Unobservable(f"{what} is not a moment (RFC 3339)")
    try:
        moment = datetime.fromisoformat(match[1] + match[2].replace("Z", "+00:00"))
    except ValueError as problem:
        raise Unobservable(f"{what} is not a real moment") from problem
    return (moment - _EPOCH) // timedelta(seconds=1)

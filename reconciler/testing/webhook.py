"""The other side of a webhook: what a receiver of tickets has to check, ready to be copied.

A receiver checks the signature over the bytes as they came, before it reads them, refuses what is
too old, and drops a message whose id it has seen: ``Idempotency-Key``, the same in every try.
"""

import hmac
import re

from reconciler.escalate.signature import HEADER, ID_HEADER, mac

__all__ = ["HEADER", "ID_HEADER", "TOLERANCE_S", "is_genuine"]

TOLERANCE_S = 300
"""Seconds that clocks may differ; a message that is older was sent by somebody else, again."""

_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def is_genuine(
    secret: bytes, header: str, body: bytes, now: int, tolerance_s: int = TOLERANCE_S
) -> bool:
    """Whether a message is from whoever has the secret, and new.

    Args:
        secret: Shared with the sender.
        header: Value of `HEADER`, as it came.
        body: The bytes, as they came.
        now: Whole seconds since 1970.
        tolerance_s: How old it may be, or how far in the future.
    """
    form = _FORM.fullmatch(header)
    if form is None:
        return False
    at = int(form[1])
    # In constant time: how far a guess was right must not show.
    same = hmac.compare_digest(mac(secret, at, body), form[2])
    return same and abs(now - at) <= tolerance_s

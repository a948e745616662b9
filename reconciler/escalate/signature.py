"""The signature of a webhook: HMAC-SHA256 over time and body, in one header.

``Reconciler-Signature: t=1772442000,v1=<64 hex digits>`` where ``v1`` is over ``<t>.<body>``. The
time is under the signature, so that a receiver can refuse what somebody sends again later.
`reconciler.testing.webhook` is the other side.
"""

import hashlib
import hmac

HEADER = "Reconciler-Signature"
ID_HEADER = "Idempotency-Key"


def sign(secret: bytes, at: int, body: bytes) -> str:
    """The value of the header.

    Args:
        secret: Shared with the receiver.
        at: Whole seconds since 1970.
        body: Exactly as it is sent.
    """
    return f"t={at},v1={mac(secret, at, body)}"


def mac(secret: bytes, at: int, body: bytes) -> str:
    """The HMAC alone, hex."""
    return hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()

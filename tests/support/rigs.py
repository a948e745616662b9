"""Skip or fail where a test rig is missing.

A developer without root should see *skipped: not root*; the gate should see a failure, because a
suite that quietly skips its real machine proves nothing. `RECONCILER_RIGS=required` says which.
"""

import os

import pytest


def rig(name: str, reason: str | None) -> None:
    """Go on if the rig is there, else skip, or fail where rigs are required.

    Args:
        name: What the rig is, for the person who reads the skip: ``systemd guest``.
        reason: Why it is not available; None if it is.
    """
    if reason is None:
        return
    if os.environ.get("RECONCILER_RIGS") == "required":
        pytest.fail(f"{name}: {reason} (RECONCILER_RIGS=required)", pytrace=False)
    pytest.skip(f"{name}: {reason}")

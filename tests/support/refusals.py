"""What a refusal of evidence must be: an error of ours, with a hint."""

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.errors import EvidenceError


def refused(act: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """Call something that must refuse, and return the message of its refusal."""
    with pytest.raises(EvidenceError) as caught:
        act(*args, **kwargs)
    assert caught.value.hint
    return caught.value.message

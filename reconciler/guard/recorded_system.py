"""What entries say of the system that is trusted, and of the one that runs."""

from collections.abc import Mapping
from typing import Any

from reconciler.guard import memory_form as form
from reconciler.guard import trusted_system


def trusted_after(
    before: Mapping[str, Any] | None, kind: str, body: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The release in force after one more entry; what says nothing of it changes nothing.

    Raises:
        Malformed: What it says does not read as such, or goes back.
    """
    held = None if before is None else trusted_system.read(before)
    found = trusted_system.after(held, kind, body)
    return None if found is None else found.to_body()


def recorded_after(before: str | None, kind: str, body: Mapping[str, Any]) -> str | None:
    """The system that was last recorded to run.

    Raises:
        Malformed: An entry of kind ``system`` does not say which runs.
    """
    return form.text(body.get("to")) if kind == "system" else before

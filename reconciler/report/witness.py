"""What a witness saw of each log, for a terminal and for machines."""

from collections.abc import Sequence
from typing import Any

from reconciler.evidence.witnessing import Look, Seen
from reconciler.report.words import clip


def render(looks: Sequence[Look]) -> str:
    """One line for each log."""
    return "\n".join(map(_line, looks))


def as_document(name: str, verifier_key: str, looks: Sequence[Look]) -> dict[str, Any]:
    """The same for machines.

    Args:
        name: The name the witness signs with.
        verifier_key: Its public key as others configure it.
        looks: What came of looking.
    """
    return {
        "witness": {"name": name, "verifierKey": verifier_key},
        "ok": all(look.objection is None for look in looks),
        "logs": [_document(look) for look in looks],
    }


def _line(look: Look) -> str:
    origin = clip(look.origin)
    if look.objection is not None:
        vouched = "" if look.seen is None else f"; {look.seen.size:,} entries stay vouched for"
        reason = f"{look.objection.reason}: {clip(look.objection.message)}"
        return f"REFUSED   {origin}  {reason}{vouched}"
    examined = f"{look.entries:,} of {look.size:,} entries examined"
    if look.seen is None:
        return f"WAITING   {origin}  no checkpoint yet, {examined}"
    root = look.seen.root.hex()[:16]
    state = f"{look.seen.size:,} entries vouched for, root {root}…"
    return f"{'COSIGNED ' if look.cosigned else 'UNCHANGED'} {origin}  {state}, {examined}"


def _document(look: Look) -> dict[str, Any]:
    objection = look.objection
    return {
        "origin": look.origin,
        "cosigned": look.cosigned,
        "examined": look.entries,
        "size": look.size,
        "vouchedFor": None if look.seen is None else _state(look.seen),
        "objection": objection
        and {
            "reason": objection.reason,
            "message": objection.message,
            "shown": dict(objection.shown),
        },
    }


def _state(seen: Seen) -> dict[str, Any]:
    return {"size": seen.size, "root": seen.root.hex(), "note": seen.note}

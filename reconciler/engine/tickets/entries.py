"""Bodies of ``ticket`` entries: before a message leaves, after it, and what needs no message.

They are folded by `reconciler.incident.tickets`, which is the only memory of tickets there is.
"""

from collections.abc import Sequence
from typing import Any

from reconciler.evidence import canonical
from reconciler.incident.calls import Call
from reconciler.incident.ticket_form import Covered

Body = dict[str, Any]


def before_body(run: str, channel: str, call: Call) -> Body:
    """What is durable before a message leaves.

    Args:
        run: Id of the run.
        channel: Where it goes.
        call: The message.
    """
    return {
        "run": run,
        "phase": call.phase,
        "channel": channel,
        "key": call.key,
        "message": call.message,
        **_about(call.covers),
    }


def after_body(
    run: str, channel: str, call: Call, trouble: str | None, reference: int | None
) -> Body:
    """How it went.

    Args:
        run: Id of the run.
        channel: Where it went.
        call: The message.
        trouble: Stable code of why it did not arrive; None if it did.
        reference: The receiver's number for it, if it gave one.
    """
    first = call.covers[0]
    several = len(call.covers) > 1
    return {
        "run": run,
        "phase": "sent" if trouble is None else "unsent",
        "channel": channel,
        "key": call.key,
        "message": call.message,
        "ticket": call.message if several else first.ticket,
        "incident": None if several else first.incident,
        "step": max(covered.step for covered in call.covers),
        "reason": trouble or "",
        "reference": reference,
    }


def note_body(run: str, phase: str, covers: Sequence[Covered]) -> Body:
    """What became of tickets without a message: ``acknowledged`` or ``closed``."""
    return {"run": run, "phase": phase, "channel": None, **_about(covers)}


def _about(covers: Sequence[Covered]) -> Body:
    if len(covers) == 1:
        return covers[0].to_body()
    listed = [covered.to_body() for covered in covers]
    return {
        "ticket": canonical.digest(listed),
        "incident": None,
        "step": max(covered.step for covered in covers),
        "reason": "several",
        "covers": listed,
    }

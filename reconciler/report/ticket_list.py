"""Tickets as the ledger remembers them, for a terminal and for machines."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.report.words import clip

Body = Mapping[str, Any]


def render(tickets: Body, target: str) -> str:
    """Every open ticket, and how each channel does.

    Args:
        tickets: As `document` gives them.
        target: ``<client>/<host>``.
    """
    open_, lines = tickets["tickets"], tickets["channels"]
    said = [f"{target}: {len(open_)} open ticket{'s' * (len(open_) != 1)}"]
    for one in open_:
        said += ["", f"{one['incident']}  {clip(one['rule'])}: {clip(one['reason'])}"]
        taken = ", acknowledged" if one["acknowledged"] else ""
        said += [f"  asked since {one['opened']}, round {one['round']}{taken}"]
        said += [f"  fingerprint {one['fingerprint']}"]
        said += [f"  {channel['name']}: {_told(channel)}" for channel in one["channels"]]
    for line in lines:
        if line["failures"]:
            said += ["", f"channel {line['name']}: {line['failures']} failures in a row since then"]
    return "\n".join(said)


def _told(channel: Body) -> str:
    if channel["tries"]:
        return f"not delivered, {channel['tries']} tries, the last at {channel['at']}"
    number = "" if channel["reference"] is None else f", number {channel['reference']}"
    if channel["ended"]:
        return f"told that it has ended, at {channel['at']}{number}"
    return f"told step {channel['step'] + 1} at {channel['at']}{number}"


def history(entries: Iterator[tuple[int, str, Body]], names: frozenset[str]) -> list[str]:
    """What entries say of one ticket, oldest first.

    Args:
        entries: Number, time and body of ticket entries, the newest first.
        names: The fingerprint and ids that it is known by.
    """
    said = []
    for seq, at, body in entries:
        about = [body, *body.get("covers", ())]
        if not any({one.get("ticket"), one.get("incident")} & names for one in about):
            continue
        where = f" by {body['channel']}" if body.get("channel") else ""
        reason = f": {clip(str(body['reason']))}" if body.get("reason") else ""
        said.append(f"entry {seq}  {at}  {body['phase']}{where}{reason}")
    return said[::-1]

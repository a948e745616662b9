"""Composing the next entry of a ledger from what is newest in it; nothing is signed or written."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.evidence.entry import FIRST_SEQ, UNKNOWN_CLOCK, Clock, Entry, Kind, stamp
from reconciler.evidence.merkle import Frontier
from reconciler.evidence.record import Branch
from reconciler.evidence.statement import Reference, Subject
from reconciler.ledger.head import Head
from reconciler.ledger.provenance import boot_id as this_boot
from reconciler.ledger.provenance import tool_versions


def genesis(
    branch: Branch,
    body: Mapping[str, Any],
    at: datetime,
    subject: Subject | None,
    boot_id: str | None,
) -> Entry:
    """The first entry of a ledger."""
    return Entry(
        kind=Kind.GENESIS,
        seq=FIRST_SEQ,
        previous=None,
        ref=branch.ref,
        client=branch.client,
        host=branch.host,
        recorded_at=stamp(at),
        clock=UNKNOWN_CLOCK,
        base=None,
        boot_id=boot_id or this_boot(),
        tool=tool_versions(),
        subject=subject,
        log=Frontier.empty(),
        closes=None,
        open=(),
        body=body,
    )


def following(
    head: Head,
    kind: Kind,
    body: Mapping[str, Any],
    *,
    at: datetime,
    clock: Clock,
    subject: Subject | None,
    closes: Reference | None,
    boot_id: str | None,
) -> Entry:
    """The next entry, with a file."""
    return replace(
        _next(head, kind, body, at, clock),
        base=None,
        boot_id=boot_id or this_boot(),
        tool=tool_versions(),
        subject=subject,
        log=head.log,
        closes=closes,
        open=tuple(reference for reference in head.open_intents if reference != closes),
    )


def following_slim(
    head: Head, kind: Kind, body: Mapping[str, Any], *, at: datetime, clock: Clock
) -> Entry:
    """The next entry, without a file: what it leaves out is as in the base.

    Raises:
        EvidenceError: An intent is open, which an entry without a file cannot say.
    """
    if head.open_intents:
        raise EvidenceError("an intent is open", hint="Append an entry with a file.")
    return _next(head, kind, body, at, clock)


def _next(head: Head, kind: Kind, body: Mapping[str, Any], at: datetime, clock: Clock) -> Entry:
    """The next entry as far as it stands on the ones before it alone."""
    return Entry(
        kind=kind,
        seq=head.tip.entry.seq + 1,
        previous=head.tip.digest,
        ref=head.base.ref,
        client=head.base.client,
        host=head.base.host,
        recorded_at=stamp(at),
        clock=clock,
        base=head.base.seq,
        boot_id=None,
        tool={},
        subject=None,
        log=None,
        closes=None,
        open=(),
        body=body,
    )

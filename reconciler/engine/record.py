"""What a run writes into the ledger about itself: the gap before it, a refusal, its findings."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.engine.append import seal_waiting
from reconciler.engine.pending import whole
from reconciler.engine.sameness import Body, found_the_same
from reconciler.engine.sealing import enqueue, ripe, seal
from reconciler.engine.session import Session
from reconciler.engine.trusted.standing import Standing
from reconciler.evidence.bodies import held_paths, run_body, since_body
from reconciler.evidence.entry import Kind, stamp
from reconciler.evidence.follow import ended_at
from reconciler.guard.memory import fold
from reconciler.incident import register as incidents
from reconciler.incident.tickets import Tickets
from reconciler.ledger.store import Receipt
from reconciler.model.run import RunReport
from reconciler.model.scrub import scrub


def record_gap(session: Session) -> None:
    """Say openly that nobody looked for longer than was promised, before anything else is said."""
    appliance, past = session.appliance, session.appliance.past
    promise, now = past.promise_s, session.facts.at
    if promise is None or now - _last_sign(session) <= timedelta(seconds=2 * promise):
        return
    rebooted = session.facts.boot_id != past.boot_id
    seal_waiting(appliance, session.facts, session.options.hook)
    begin = ended_at(appliance.ledger.head.tip)
    body = {"from": begin, "until": stamp(now), "promise_s": promise, "rebooted": rebooted}
    session.append(Kind.GAP, body)


def _last_sign(session: Session) -> datetime:
    """When the newest run or entry was, sealed or not."""
    ledger, last = session.appliance.ledger, session.appliance.queue.last
    return last or datetime.fromisoformat(ended_at(ledger.head.tip))


def record_refusal(session: Session) -> None:
    """A refusal is evidence, once: again only when the reason or the commit changes."""
    status, past = session.intent.status, session.appliance.past
    if status.refused is None:
        return
    if past.memory.refusal == {"reason": status.refused, "commit": status.refused_commit}:
        return
    session.append(
        Kind.REFUSAL,
        {
            "reason": status.refused,
            "commit": status.refused_commit,
            "accepted": status.commit,
            "message": scrub(status.message, session.own),
        },
    )


def record_holds(session: Session) -> None:
    """What holds the desired state is evidence, once for each reason until it is over."""
    status = session.intent.status
    known = session.appliance.past.standing.held
    for hold in status.holds:
        if hold.reason not in known:
            session.append(
                Kind.REFUSAL,
                {
                    "reason": hold.reason,
                    "commit": status.commit,
                    "accepted": status.commit,
                    "message": scrub(hold.message, session.own),
                    "held": True,
                    "paths": held_paths(hold, session.own),
                },
            )


def record_run(session: Session, report: RunReport) -> RunReport:
    """The ``run`` entry closes the run and carries the folded memory for the next one.

    A run that found what the newest one with findings found says so, in an entry without a file,
    or waits on the disk to be sealed with others; the first one of a day says everything again.
    """
    # In whole milliseconds, as the entry says it: who folds the ledger reckons the same memory.
    at = whole(session.appliance.clock.now())
    body = _body(session, report, at)
    said = _repeated(session, body, at)
    receipt = _in_full(session, report, body, at) if said is None else _short(session, said, at)
    session.options.hook("after-run-entry")
    if receipt is None:
        return replace(report, waits_s=_waits_s(session, at))
    return replace(report, seq=receipt.seq, commit=receipt.commit)


def _body(session: Session, report: RunReport, at: datetime) -> Body:
    past = session.appliance.past
    seq = session.appliance.ledger.tip.seq + 1
    body = run_body(report) | {
        "started_at": stamp(session.facts.at),
        "finished_at": stamp(at),
        "reached_at": stamp(past.reached_at) if past.reached_at else None,
        "checkpoint_at": stamp(past.checkpoint_at) if past.checkpoint_at else None,
        "upkeep": past.kept.to_body(),
        "standing": _standing(session).to_body(),
        "promise_s": session.options.promise_s,
        "since": since_body(report.findings, past.since, seq, stamp(at)),
    }
    if session.moves:
        body["incidents"] = [move.to_body() for move in session.moves]
    body["memory"] = fold(past.memory, Kind.RUN.value, body, at).to_body()
    body["register"] = incidents.fold(past.register, Kind.RUN.value, body).to_body()
    if past.tickets != Tickets.empty():
        body["tickets"] = past.tickets.to_body()
    return body


def _repeated(session: Session, body: Body, at: datetime) -> dict[str, Any] | None:
    """What a run says that found what the newest one with findings found; None if it did not."""
    appliance = session.appliance
    newest = appliance.past.run
    if newest is None or newest.recorded_at[:10] != stamp(at)[:10]:
        return None
    if not appliance.ledger.slim_allowed(session.subject, session.facts.boot_id):
        return None
    if not found_the_same(body, newest.body, appliance.checks):
        return None
    took = (at - session.facts.at) // timedelta(milliseconds=1)
    return {"like": newest.seq, "reached": body["intent"]["fetched"], "took_ms": max(took, 0)}


def _standing(session: Session) -> Standing:
    """What a restart must know of heartbeats, recoveries and holds once this run is recorded."""
    status, standing = session.intent.status, session.appliance.past.standing
    accepted = status.acceptance
    return replace(
        standing,
        recovery=(accepted and accepted.recovery) or standing.recovery,
        held={hold.reason: hold.since for hold in status.holds},
    )


def _in_full(session: Session, report: RunReport, body: Body, at: datetime) -> Receipt:
    # The body names its own number, so what waits gets its own before.
    if seal_waiting(session.appliance, session.facts, session.options.hook):
        at = whole(session.appliance.clock.now())
        body = _body(session, report, at)
    return session.append(Kind.RUN, body, at=at)


def _short(session: Session, said: dict[str, Any], at: datetime) -> Receipt | None:
    """An entry without a file, for this run or all that wait; None while it waits itself."""
    appliance, options = session.appliance, session.options
    queue, ledger = appliance.queue, appliance.ledger
    standing = appliance.past.standing
    now = ripe(queue, at, options.seal_s, options.promise_s or 0)
    # A heartbeat that was first seen just now must be known after a restart, too.
    now = now or standing.news_due(options.seal_s)
    if now and queue.waiting is None:
        body = said | standing.news()
        receipt = ledger.append_slim(Kind.RUN, body, at=at, clock=session.facts.reading(at))
        appliance.past.follow(ledger.head.tip)
        return receipt
    enqueue(queue, ledger, at, **said)
    options.hook("run-waits")
    if not now:
        # What a later run compares its clock with; entries say it for themselves.
        appliance.past.last_clock = session.facts.body()
        return None
    return seal(ledger, appliance.past, queue, session.facts, at, options.hook)


def _waits_s(session: Session, at: datetime) -> int:
    """Within how many seconds the oldest run that waits is sealed."""
    waiting = session.appliance.queue.waiting
    waited = 0 if waiting is None else int((at - waiting.first).total_seconds())
    return max(session.options.seal_s - waited, 0)

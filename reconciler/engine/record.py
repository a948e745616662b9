"""What a run writes into the ledger about itself: the gap before it, a refusal, its findings."""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.engine.sameness import Body, found_the_same
from reconciler.engine.session import Session
from reconciler.evidence.bodies import run_body, since_body
from reconciler.evidence.entry import Kind, stamp
from reconciler.evidence.follow import ended_at
from reconciler.guard.memory import fold
from reconciler.ledger.store import Receipt
from reconciler.model.run import RunReport
from reconciler.model.values import plain


def record_gap(session: Session) -> None:
    """Say openly that nobody looked for longer than was promised, before anything else is said."""
    appliance, past = session.appliance, session.appliance.past
    begin = ended_at(appliance.ledger.head.tip)
    promise, now = past.promise_s, session.facts.at
    if promise is None or now - datetime.fromisoformat(begin) <= timedelta(seconds=2 * promise):
        return
    rebooted = session.facts.boot_id != past.boot_id
    body = {"from": begin, "until": stamp(now), "promise_s": promise, "rebooted": rebooted}
    session.append(Kind.GAP, body)


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
            "message": plain(status.message),
        },
    )


def record_run(session: Session, report: RunReport) -> RunReport:
    """The ``run`` entry closes the run and carries the folded memory for the next one.

    A run that found what the newest one with findings found says so, in an entry without a file;
    the first one of a day says everything again.
    """
    at = session.appliance.clock.now()
    body = _body(session, report, at)
    receipt = _repeat(session, body, at) or session.append(Kind.RUN, body)
    session.options.hook("after-run-entry")
    return replace(report, seq=receipt.seq, commit=receipt.commit)


def _body(session: Session, report: RunReport, at: datetime) -> Body:
    past = session.appliance.past
    seq = session.appliance.ledger.tip.seq + 1
    body = run_body(report) | {
        "started_at": stamp(session.facts.at),
        "finished_at": stamp(at),
        "reached_at": stamp(past.reached_at) if past.reached_at else None,
        "checkpoint_at": stamp(past.checkpoint_at) if past.checkpoint_at else None,
        "promise_s": session.options.promise_s,
        "since": since_body(report.findings, past.since, seq, stamp(at)),
    }
    body["memory"] = fold(past.memory, Kind.RUN.value, body, at).to_body()
    return body


def _repeat(session: Session, body: Body, at: datetime) -> Receipt | None:
    newest = session.appliance.past.run
    if newest is None or newest.recorded_at[:10] != stamp(at)[:10]:
        return None
    if not found_the_same(body, newest.body, session.appliance.checks):
        return None
    took = (at - session.facts.at) // timedelta(milliseconds=1)
    said = {"like": newest.seq, "reached": body["intent"]["fetched"], "took_ms": max(took, 0)}
    return session.append_slim(Kind.RUN, said)

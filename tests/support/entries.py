"""Records by hand, for what only reads them; nothing here is signed."""

import hashlib
from collections.abc import Mapping
from typing import Any

from reconciler.evidence.entry import UNKNOWN_CLOCK, Entry, Kind, Reference, Subject
from reconciler.evidence.layout import entry_path
from reconciler.evidence.record import Record

BOOT = "0123abcd-0000-4000-8000-000000000001"
PUBLIC = bytes(32)


def digest_of(seq: int) -> str:
    return hashlib.sha256(b"statement %d" % seq).hexdigest()


def record(
    seq: int,
    kind: str,
    body: Mapping[str, Any],
    *,
    at: str = "2026-03-01T12:00:00.000Z",
    closes: int | None = None,
    slim: bool = False,
    tool: Mapping[str, str] | None = None,
) -> Record:
    """A record that says it was proven."""
    entry = Entry(
        kind=Kind(kind),
        seq=seq,
        previous=None if seq == 0 else digest_of(seq - 1),
        ref="refs/heads/smile/desk",
        client="smile",
        host="desk",
        recorded_at=at,
        clock=UNKNOWN_CLOCK,
        base=seq - 1 if slim else None,
        boot_id=None if slim else BOOT,
        tool={} if slim else dict(tool or {"reconciler": "1.0"}),
        subject=None if slim else Subject("c" * 40, "d" * 64),
        log=None,
        closes=None if closes is None else Reference(closes, digest_of(closes)),
        open=(),
        body=body,
    )
    commit = hashlib.sha1(b"commit %d" % seq).hexdigest()
    return Record(commit, entry, digest_of(seq), PUBLIC, None if slim else entry_path(entry))


def finding(rule: str, status: str, **other: Any) -> dict[str, Any]:
    """A finding as a run entry holds it."""
    return {
        "rule": rule,
        "check": "LNX-X-001",
        "status": status,
        "severity": "high",
        "controls": ["hipaa:164.312(b)"],
        "observed": {"n": 1},
        "expected": {"n": "at most 1"},
        "failed": ["n"] if status == "fail" else [],
        "reason": "could not look" if status == "unknown" else "",
        "exception": None,
        "raw_digest": "e" * 64,
        **other,
    }


def run_body(*findings: dict[str, Any], **other: Any) -> dict[str, Any]:
    """The body of a full run."""
    return {
        "run": "f" * 32,
        "mode": "enforce",
        "intent": {
            "accepted": {"commit": "c" * 40, "counter": 1},
            "fetched": True,
            "refused": None,
        },
        "census": {"rules": len(findings)},
        "findings": list(findings),
        "plan": {"digest": "0" * 64, "actions": [], "unplanned": []},
        "not_done": [],
        "outcomes": [],
        **other,
    }


def run(seq: int, *findings: dict[str, Any], at: str = "2026-03-01T12:00:00.000Z") -> Record:
    """A run with findings of its own."""
    return record(seq, "run", run_body(*findings), at=at)


def again(
    seq: int, like: int, *, at: str = "2026-03-01T12:00:00.000Z", ticks: int | None = None
) -> Record:
    """A slim run that repeats another; with ticks, a seal over so many runs."""
    body: dict[str, Any] = {"like": like, "reached": True, "took_ms": 1}
    if ticks is not None:
        body["ticks"] = [60_000] * ticks
    return record(seq, "run", body, at=at, slim=True)


def intent_body(*findings: dict[str, Any], runbook: str = "RB-X-001") -> dict[str, Any]:
    """The body of an intent."""
    return {
        "run": "f" * 32,
        "plan_digest": "0" * 64,
        "desired": {"commit": "c" * 40, "counter": 1},
        "action": {
            "id": "a" * 64,
            "target": "smile/desk",
            "tier": "L1",
            "rules": [f["rule"] for f in findings],
            "runbook": runbook,
            "runbook_digest": "b" * 64,
            "params": {"unit": "x.service"},
        },
        "found": list(findings),
        "verdicts": [{"guard": "mode", "ruling": "allow", "reason": "", "retry_after_s": None}],
    }


def outcome_body(rule: str, result: str, after: str, reason: str = "") -> dict[str, Any]:
    """The body of an outcome."""
    return {
        "run": "f" * 32,
        "action": "a" * 64,
        "runbook": "RB-X-001",
        "rules": [rule],
        "result": result,
        "reason": reason,
        "steps": [
            {
                "id": "restart",
                "kind": "unit_restart",
                "results": [{"ok": True, "reason": "", "ms": 5}],
            }
        ],
        "undone": [],
        "rollback": "none",
        "after": {rule: after},
    }

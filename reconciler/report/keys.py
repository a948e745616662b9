"""Keys as rows: who may sign evidence, what each key is for, what it did, and how it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.evidence.entry import Entry
from reconciler.evidence.key_change import RECOVERY_NAMESPACE
from reconciler.evidence.key_use import Usage
from reconciler.evidence.signers import AllowedSigners, Signer
from reconciler.evidence.sshsig import fingerprint, public_text
from reconciler.report.words import clip


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key: its lines in the file, and what it did.

    Attributes:
        principal: Whom it speaks for.
        role: ``appliance``, ``witness``, ``recovery`` or ``person``.
        public: The key, 32 bytes.
        lines: Its lines in the signers file; empty if it is not listed.
        used: What it did, None if it did nothing that was looked at.
        state: How it stands, see `state_of`.
    """

    principal: str
    role: str
    public: bytes
    lines: tuple[Signer, ...]
    used: Usage | None
    state: str


def rows_of(
    signers: AllowedSigners, used: Mapping[str, Sequence[Usage]], now: datetime
) -> list[KeyRow]:
    """Every key that is listed or was used, in the order of the file.

    Args:
        signers: Who may sign evidence.
        used: Principal to what keys did on its branch, for branches that were looked at.
        now: Wall time, for windows that have ended.
    """
    lines: dict[tuple[str, bytes], list[Signer]] = {}
    for signer in signers.signers:
        lines.setdefault((signer.principal, signer.public), []).append(signer)
    done = {(name, use.public): use for name, uses in used.items() for use in uses}
    rows = []
    for principal, public in (*lines, *(place for place in done if place not in lines)):
        listed, use = tuple(lines.get((principal, public), ())), done.get((principal, public))
        state = state_of(listed, use, now)
        rows.append(KeyRow(principal, _role(principal, listed), public, listed, use, state))
    return rows


def state_of(lines: Sequence[Signer], use: Usage | None, now: datetime) -> str:
    """How a key stands.

    Returns:
        ``not listed``, ``expired``, ``in use``, ``announced`` (and nothing signed yet),
        ``retired``, ``closed`` (its entries have an end), ``open``, or ``closed, still in use``:
        the branch needs a new key.
    """
    if not lines:
        return "not listed"
    closed = all(_ended(line) for line in lines)
    if use is not None and use.current:
        if closed:
            return "closed, still in use"
        return "announced" if use.first is None else "in use"
    if use is not None and use.first is not None:
        return "retired"
    if all(line.valid_before is not None and line.valid_before < now for line in lines):
        return "expired"
    return "closed" if closed else "open"


def render(rows: Sequence[KeyRow]) -> str:
    """Two lines a key."""
    return "\n".join(line for row in rows for line in _lines(row))


def as_document(rows: Sequence[KeyRow]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "principal": row.principal,
            "role": row.role,
            "state": row.state,
            "fingerprint": fingerprint(row.public),
            "public": public_text(row.public),
            "lines": [_line_document(line) for line in row.lines],
            "use": None if row.used is None else _use_document(row.used),
        }
        for row in rows
    ]


def _role(principal: str, lines: Sequence[Signer]) -> str:
    if principal.startswith("witness/"):
        return "witness"
    if "/" in principal:
        return "appliance"
    recovers = any(RECOVERY_NAMESPACE in (line.namespaces or ()) for line in lines)
    return "recovery" if recovers else "person"


def _ended(line: Signer) -> bool:
    return line.positions is not None and line.positions[1] is not None


def _lines(row: KeyRow) -> list[str]:
    head = f"{clip(row.principal)}  {row.role}  {row.state}  {fingerprint(row.public)}"
    allowed = "; ".join(_allowed(line) for line in row.lines) or "may sign nothing"
    return [head, f"    {allowed}{_done(row.used)}"]


def _allowed(line: Signer) -> str:
    words = ["any entry"]
    if line.positions is not None:
        first, last = line.positions
        words = [f"entries {first}-{'' if last is None else last}"]
    if line.valid_after is not None:
        words.append(f"from {line.valid_after:%Y-%m-%dT%H:%M:%SZ}")
    if line.valid_before is not None:
        words.append(f"until {line.valid_before:%Y-%m-%dT%H:%M:%SZ}")
    if line.comment:
        words.append(f"({clip(line.comment)})")
    return " ".join(words)


def _done(use: Usage | None) -> str:
    if use is None:
        return ""
    why = f", {use.reason}" if use.reason else ""
    if use.first is None or use.last is None:
        return f"; by {use.by}{why}; signed nothing yet"
    span = f"entries {use.first.seq} ({use.first.recorded_at}) to {use.last.seq}"
    return f"; by {use.by}{why}; signed {span} ({use.last.recorded_at})"


def _line_document(line: Signer) -> dict[str, Any]:
    after, before = line.valid_after, line.valid_before
    return {
        "line": line.line,
        "namespaces": None if line.namespaces is None else list(line.namespaces),
        "positions": None if line.positions is None else list(line.positions),
        "validAfter": None if after is None else f"{after:%Y-%m-%dT%H:%M:%SZ}",
        "validBefore": None if before is None else f"{before:%Y-%m-%dT%H:%M:%SZ}",
        "comment": line.comment,
    }


def _use_document(use: Usage) -> dict[str, Any]:
    return {
        "by": use.by,
        "reason": use.reason,
        "current": use.current,
        "entries": use.entries,
        "first": None if use.first is None else _entry_document(use.first),
        "last": None if use.last is None else _entry_document(use.last),
    }


def _entry_document(entry: Entry) -> dict[str, Any]:
    return {"seq": entry.seq, "at": entry.recorded_at}

"""The readable page of an incident: one HTML file, no scripts, nothing loaded, fit for paper."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from reconciler.evidence.record import Record
from reconciler.report import words
from reconciler.report.citation import cite
from reconciler.report.entry_text import body_lines
from reconciler.report.incident import RAW_ANSWERS, Incident, rule_states

# No source of anything is allowed, so that what machines said cannot load or run anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body { font: 11pt/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #111; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid #bbb; padding: .3rem }
code, pre { font: 9.5pt/1.4 monospace; overflow-wrap: anywhere; white-space: pre-wrap }
pre { background: #f4f4f4; padding: .6rem; margin: .4rem 0 }
.sign { border-bottom: 1px solid #111; width: 24rem; padding-top: 1.5rem }
.note { border-left: .3rem solid #888; padding-left: .8rem }
@page { margin: 18mm }
@media print { body { margin: 0; max-width: none } tr, pre, .entry { break-inside: avoid } }
"""
# What a person must decide and sign; nothing here may be filled in by software.
_REVIEW = (
    "<h2>For the reviewer</h2>"
    "<p>Whether this was a breach (45 CFR 164.402), who was told, and what else was done, is a"
    " person's finding and is not in this bundle.</p>"
    '<p class="sign">Reviewed by</p><p class="sign">Date</p><p class="sign">Signature</p>'
)


def page(incident: Incident, files: Mapping[int, tuple[str, str]]) -> bytes:
    """The page.

    Args:
        incident: The incident.
        files: For each entry, its file name in the bundle and the SHA-256 of that file.
    """
    intent = incident.intent.entry
    title = f"Incident {intent.seq} on {intent.client}/{intent.host}"
    parts = [
        f"<h1>{_text(title)}</h1>",
        _summary(incident),
        "<h2>Rules</h2>",
        _rules(incident),
        "<h2>What happened</h2>",
        *(_entry(record, incident) for record in incident.entries),
        "<h2>Evidence</h2>",
        _evidence(incident, files),
        f"<p>{_text(RAW_ANSWERS)}</p>",
        _how(incident),
        _REVIEW,
    ]
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{_STYLE}</style>"
    )
    body = "\n".join(parts)
    html = f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'
    return html.encode("utf-8", "backslashreplace")


def _text(said: str, longest: int = 2000) -> str:
    return escape(words.clip(said, longest))


def _summary(incident: Incident) -> str:
    intent, outcome = incident.intent.entry, incident.outcome
    action = intent.body["action"]
    ended = "It is still open." if outcome is None else _ended(outcome)
    return (
        f"<p>{_text(intent.recorded_at)}: the appliance announced that it would run"
        f" <code>{_text(action['runbook'])}</code> ({_text(action['tier'])}) for"
        f" {_text(', '.join(action['rules']))}. {ended}</p>"
    )


def _ended(outcome: Record) -> str:
    body = outcome.entry.body
    reason = f": {_text(body['reason'])}" if body["reason"] else ""
    at = _text(outcome.entry.recorded_at)
    return f"It ended as <strong>{_text(body['result'])}</strong> at {at}{reason}."


def _rules(incident: Incident) -> str:
    rows = [
        [
            state["rule"],
            ", ".join(state["controls"]),
            *(_state(state[when]) for when in ("before", "found", "after")),
        ]
        for state in rule_states(incident)
    ]
    names = ("Rule", "Controls", "Run before", "When it acted", "Run after")
    return _table(names, rows)


def _state(state: Mapping[str, Any] | None) -> str:
    if state is None:
        return "not judged"
    raw = f" (raw answer {state['raw_digest']})" if state["raw_digest"] else ""
    return f"{state['status']}: {state['words']}{raw}"


def _entry(record: Record, incident: Incident) -> str:
    entry = record.entry
    shown = incident.shown_before if record is incident.before else incident.shown_after
    said = escape("\n".join(body_lines(record, shown)))
    notes = "".join(
        f'<p class="note">Annotation (entry {note.entry.seq}, {_text(note.entry.body["by"])}):'
        f" {_text(note.entry.body['text'])}</p>"
        for note in incident.annotations
        if note.entry.body["about"]["seq"] == entry.seq
    )
    heading = f"Entry {entry.seq}: {entry.kind.value}, {entry.recorded_at}"
    return f'<div class="entry"><h3>{_text(heading)}</h3><pre>{said}</pre>{notes}</div>'


def _evidence(incident: Incident, files: Mapping[int, tuple[str, str]]) -> str:
    rows = []
    for record in incident.all:
        where, (name, sha256) = cite(record), files[record.entry.seq]
        rows.append([str(where.seq), where.kind, name, sha256, where.digest, where.commit])
    names = ("Entry", "Kind", "File here", "SHA-256 of it", "Statement", "Commit")
    return _table(names, rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td><code>{_text(cell)}</code></td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _how(incident: Incident) -> str:
    tip = incident.tip
    return (
        f"<p>Every entry here was proven from entry {tip.seq} of branch"
        f" <code>{_text(incident.intent.entry.ref)}</code> (statement <code>{tip.digest}</code>)"
        " downwards: signature, number and link to the entry before it. Check it without this page:"
        " <code>reconciler verify REPOSITORY --signers FILE</code>, or stock git and ssh-keygen on"
        " the commits named above. Files are DSSE envelopes as they are stored, or the raw Git"
        " commit where the statement stands in its message.</p>"
    )

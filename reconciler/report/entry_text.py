"""One entry for a person: what it says, who signed it, what is before and after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.evidence.record import Record
from reconciler.evidence.sshsig import fingerprint
from reconciler.report import words
from reconciler.report.citation import Citation, cite, repeats
from reconciler.report.incident_words import where
from reconciler.report.system import system_lines

SHOWN = 200

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An entry, and what a reader needs around it.

    Attributes:
        record: The entry, proven.
        principal: Whom its key speaks for.
        file_sha256: Hex SHA-256 of its file, or of its commit if it has none.
        repeated: For a slim run, the run that it repeats.
        following: The entry after it, None at the newest.
        notes: Annotations: the entry that holds each, and its words.
    """

    record: Record
    principal: str
    file_sha256: str
    repeated: Record | None
    following: Citation | None
    notes: Sequence[tuple[Citation, str]]


def render(shown: Shown) -> str:
    """Everything about it, without control characters."""
    record, entry = shown.record, shown.record.entry
    lines = [
        f"entry {entry.seq}: {entry.kind.value} on {entry.client}/{entry.host}",
        f"  recorded   {entry.recorded_at}",
        f"  statement  sha256 {record.digest}",
        f"  commit     {record.commit}",
        f"  file       {record.path or 'none: its statement is in the commit message'}",
        f"  stored     sha256 {shown.file_sha256}",
        f"  signed by  {words.clip(shown.principal)}, key {fingerprint(record.public)}",
        f"  before it  {_before(record)}",
        f"  after it   {_after(shown)}",
        *_state(record),
        *_notes(shown),
        "",
        *body_lines(record, shown.repeated),
    ]
    return "\n".join(lines)


def as_document(shown: Shown) -> dict[str, Any]:
    """The same as one JSON document, with the body as it was signed."""
    record, entry = shown.record, shown.record.entry
    return {
        **cite(record).to_json(),
        "ref": entry.ref,
        "file_sha256": shown.file_sha256,
        "signed_by": {"principal": shown.principal, "key": fingerprint(record.public)},
        "previous": entry.previous,
        "following": None if shown.following is None else shown.following.to_json(),
        "tool": dict(entry.tool),
        "desired": _subject(record),
        "closes": None if entry.closes is None else entry.closes.seq,
        "open": [reference.seq for reference in entry.open],
        "body": dict(entry.body),
        "repeats": None if shown.repeated is None else cite(shown.repeated).to_json(),
        "repeated_body": None if shown.repeated is None else dict(shown.repeated.entry.body),
        "annotations": [{**where.to_json(), "text": text} for where, text in shown.notes],
    }


def _subject(record: Record) -> dict[str, str] | None:
    subject = record.entry.subject
    return None if subject is None else {"commit": subject.commit, "policy": subject.policy}


def _before(record: Record) -> str:
    if record.entry.previous is None:
        return "nothing: this is the first entry"
    return f"entry {record.entry.seq - 1}, sha256 {record.entry.previous}"


def _after(shown: Shown) -> str:
    if shown.following is None:
        return "nothing: this is the newest entry"
    return f"entry {shown.following.seq}, sha256 {shown.following.digest}"


def _state(record: Record) -> list[str]:
    entry, lines = record.entry, []
    if entry.subject is not None:
        lines.append(f"  desired    commit {entry.subject.commit}, policy {entry.subject.policy}")
    if entry.tool:
        tools = ", ".join(f"{name} {version}" for name, version in sorted(entry.tool.items()))
        lines.append(f"  written by {words.clip(tools)}")
    if entry.closes is not None:
        lines.append(f"  closes     intent {entry.closes.seq}")
    if entry.open:
        lines.append(f"  left open  intents {', '.join(str(r.seq) for r in entry.open)}")
    return lines


def _notes(shown: Shown) -> list[str]:
    return [
        f"  annotation (entry {where.seq} of {where.at}): {words.clip(text, 1000)}"
        for where, text in shown.notes
    ]


def body_lines(record: Record, repeated: Record | None) -> list[str]:
    """What the body of an entry says.

    Args:
        record: The entry.
        repeated: For a slim run, the run that it repeats.
    """
    like = repeats(record)
    if like is not None:
        lines = [f"It found what run {like} found:"]
        return lines + (_run(repeated.entry.body) if repeated is not None else [])
    reader = _READERS.get(record.entry.kind.value, _plain)
    try:
        return reader(record.entry.body) + _incidents(record.entry.body)
    except (KeyError, TypeError, AttributeError):
        # Proven, but of a shape this version does not know: show it as it is.
        return _plain(record.entry.body)


def _incidents(body: Body) -> list[str]:
    """What happened to incidents, in the order in which it did."""
    return [
        f"  incident {words.clip(step['id'], 40)} of {words.clip(step['rule'])}:"
        f" {step['from'] or 'new'} -> {where(step['to'], step['reason'])}"
        for step in body.get("incidents", [])
    ]


def _run(body: Body) -> list[str]:
    lines = [f"run {words.clip(body['run'])} ({words.clip(body['mode'])}), findings:"]
    for found in body["findings"]:
        status = found["status"]
        lines.append(f"  {status:<14} {words.clip(found['rule'])}: {words.finding(found)}")
    for left in body["not_done"]:
        what = f"{words.clip(left['runbook'])} for {words.clip(', '.join(left['rules']))}"
        lines.append(f"  {left['result']:<14} {what}: {words.not_done(left)}")
    lines += [f"  {done['result']:<14} {words.clip(done['runbook'])}" for done in body["outcomes"]]
    return lines + _desired(body.get("intent", {}))


def _desired(intent: Body) -> list[str]:
    """What held the desired state, and what stood behind it where this run accepted it."""
    lines = [
        f"  {'held':<14} {words.clip(hold['reason'])} since {words.clip(hold['since'])}: "
        f"{words.clip(', '.join(hold['paths'])) or 'nothing acts until it is over'}"
        for hold in intent.get("holds", [])
    ]
    accepted = intent.get("acceptance")
    if accepted is None:
        return lines
    signed = f", signed by {words.clip(accepted['signer'])}" if accepted["signer"] else ""
    lines.append(f"  {'accepted':<14} {accepted['commits']} new commits{signed}")
    for one in accepted["agreed"]:
        people = words.clip(", ".join(one["people"]))
        lines.append(f"  {'approved':<14} rule {words.clip(one['rule'])} by {people}")
    if accepted["recovery"] is not None:
        people = words.clip(", ".join(accepted["recovery"]["people"]))
        lines.append(f"  {'recovered':<14} by the word of {people}")
    return lines


def _intent(body: Body) -> list[str]:
    action = body["action"]
    lines = [
        f"intent to run {action['runbook']} ({action['tier']}), action {action['id']}",
        f"  runbook sha256 {action['runbook_digest']}",
    ]
    lines += [f"  with {words.clip(k)} = {words.value(v)}" for k, v in action["params"].items()]
    for found in body["found"]:
        lines.append(
            f"  because {words.clip(found['rule'])} is {found['status']}: {words.finding(found)}"
        )
    lines += [f"  {v['guard']}: {v['ruling']} {words.clip(v['reason'])}" for v in body["verdicts"]]
    return [line.rstrip() for line in lines]


def _outcome(body: Body) -> list[str]:
    lines = [
        f"{body['result']}: {body['runbook']}, action {body['action']}",
        f"  reason: {words.clip(body['reason']) or 'the second look says so'}",
        f"  rollback: {body['rollback']}",
    ]
    for name in ("steps", "undone"):
        for step in body[name]:
            word = "done" if name == "steps" else "undone"
            bad = [words.clip(r["reason"]) for r in step["results"] if not r["ok"]]
            lines.append(f"  {word} {words.clip(step['id'])}: {'; '.join(bad) or 'ok'}")
    lines += [f"  after it {words.clip(rule)}: {s}" for rule, s in body["after"].items()]
    return lines


def _plain(body: Body) -> list[str]:
    """Any body, one value a line."""
    lines = list(_flat("", body))
    more = [f"  … and {len(lines) - SHOWN} more values (--json shows all)"]
    return [f"  {line}" for line in lines[:SHOWN]] + (more if len(lines) > SHOWN else [])


def _flat(name: str, value: Any) -> list[str]:
    if isinstance(value, Mapping) and value:
        return [line for k, v in value.items() for line in _flat(f"{name}.{words.clip(k)}", v)]
    if isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        return [line for i, v in enumerate(value) for line in _flat(f"{name}[{i}]", v)]
    return [f"{name.lstrip('.')} = {words.value(value) if value != {} else 'empty'}"]


_READERS = {"run": _run, "intent": _intent, "outcome": _outcome, "system": system_lines}

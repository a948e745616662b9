"""What changed between two runs: findings, desired state, tools, plan and place."""

from collections.abc import Mapping
from typing import Any

from reconciler.evidence.record import Record
from reconciler.report import words
from reconciler.report.citation import cite

Body = Mapping[str, Any]
_COMPARED = (
    "status", "observed", "expected", "failed", "reason", "exception", words.GAP, "severity",
    "check",
)  # fmt: skip


def as_document(
    first: Record, first_shown: Record, second: Record, second_shown: Record
) -> dict[str, Any]:
    """What changed, as one JSON document.

    Args:
        first: A run.
        first_shown: The run that has its findings: the one it repeats, or itself.
        second: Another run.
        second_shown: The run that has its findings.
    """
    old, new = first_shown.entry.body, second_shown.entry.body
    return {
        "first": {**cite(first).to_json(), "shown_by": first_shown.entry.seq},
        "second": {**cite(second).to_json(), "shown_by": second_shown.entry.seq},
        "findings": _findings(old, new),
        "facts": _changed(_facts(first_shown), _facts(second_shown)),
        "tools": _changed(dict(first_shown.entry.tool), dict(second_shown.entry.tool)),
        "planned": _changed(_plan(old), _plan(new)),
        "not_done": _changed(_not_done(old), _not_done(new)),
    }


def render(document: Mapping[str, Any]) -> str:
    """The same for a terminal."""
    first, second = document["first"], document["second"]
    lines = [
        f"from entry {first['seq']} of {first['recorded_at']}",
        f"to   entry {second['seq']} of {second['recorded_at']}",
    ]
    titles = {
        "facts": "state",
        "tools": "tool versions",
        "planned": "planned actions",
        "not_done": "not done",
    }
    for name, title in titles.items():
        lines += _section(title, document[name])
    lines += ["", "findings:" if document["findings"] else "no finding changed"]
    for change in document["findings"]:
        old, new = change["first"], change["second"]
        lines.append(f"  {words.clip(change['rule'])}: {_status(old)} -> {_status(new)}")
        lines += [f"    {mark} {f['words']}" for mark, f in (("-", old), ("+", new)) if f]
    return "\n".join(lines)


def _section(title: str, changes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not changes:
        return []
    return [
        "",
        f"{title}:",
        *(
            f"  {words.clip(name)}: {_word(change['first'])} -> {_word(change['second'])}"
            for name, change in changes.items()
        ),
    ]


def _word(value: Any) -> str:
    return "none" if value is None else words.value(value)


def _status(finding: Body | None) -> str:
    if finding is None:
        return "not judged"
    known = finding.get(words.GAP)
    return str(finding["status"]) + (f" ({words.gap(known)})" if isinstance(known, str) else "")


def _findings(old: Body, new: Body) -> list[dict[str, Any]]:
    before = {f["rule"]: f for f in old["findings"]}
    after = {f["rule"]: f for f in new["findings"]}
    return [
        {"rule": rule, "first": _state(before.get(rule)), "second": _state(after.get(rule))}
        for rule in sorted(before.keys() | after.keys())
        if _differs(before.get(rule), after.get(rule))
    ]


def _differs(old: Body | None, new: Body | None) -> bool:
    # The digest of a raw answer is salted anew in every run: it says nothing about a change.
    if old is None or new is None:
        return True
    return any(old.get(name) != new.get(name) for name in _COMPARED)


def _state(finding: Body | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    shown = {name: finding[name] for name in _COMPARED if name in finding}
    return shown | {"words": words.finding(finding)}


def _facts(record: Record) -> dict[str, Any]:
    entry, body = record.entry, record.entry.body
    subject, accepted = entry.subject, body["intent"]["accepted"] or {}
    return {
        "desired commit": None if subject is None else subject.commit,
        "policy digest": None if subject is None else subject.policy,
        "accepted counter": accepted.get("counter"),
        "refused": (body["intent"]["refused"] or {}).get("reason"),
        "mode": body["mode"],
        "boot": entry.boot_id,
        **{f"loaded {kind}": count for kind, count in body["census"].items()},
    }


def _plan(body: Body) -> dict[str, Any]:
    return {f"{a['runbook']} {a['id'][:12]}": list(a["rules"]) for a in body["plan"]["actions"]}


def _not_done(body: Body) -> dict[str, Any]:
    return {
        f"{left['runbook']} {left['action'][:12]}": f"{left['result']} by {left['guard']}"
        for left in body["not_done"]
    }


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: {"first": old.get(name), "second": new.get(name)}
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }

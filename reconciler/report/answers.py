"""Answers from the derived index, for a terminal and for machines."""

from dataclasses import dataclass
from typing import Any

from reconciler.report import words
from reconciler.report.citation import Citation

DERIVED = "From a derived index. What counts is the entry: reconciler evidence show SEQ proves it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One thing that entries say.

    Attributes:
        ref: Full name of the branch.
        first: The entry, or the first run of a span.
        last: The last run of a span; None for a single entry.
        about: ``finding``, ``not_done``, ``intent``, ``outcome``, ``refusal``, ``annotation``;
            empty for an entry as a whole.
        rule: Id of the bound rule.
        status: Status, result or reason.
        action: Id of the action.
        runs: How many runs a span covers.
        detail: In words.
        notes: Annotations of the entry, with the entry that holds each.
    """

    ref: str
    first: Citation
    last: Citation | None
    about: str
    rule: str | None
    status: str
    action: str | None
    runs: int | None
    detail: str
    notes: tuple[tuple[Citation, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers, newest first.

    Attributes:
        found: As many as were asked for.
        more: Whether there are more.
    """

    found: tuple[Answer, ...]
    more: bool


def render(answers: Answers) -> str:
    """Two lines an answer: what, and where it can be checked."""
    if not answers.found:
        return "nothing found"
    lines = [line for answer in answers.found for line in _lines(answer)]
    if answers.more:
        lines.append("… and more: raise --limit, or ask for less")
    return "\n".join([*lines, DERIVED])


def as_document(answers: Answers) -> dict[str, Any]:
    """Everything, as one JSON document."""
    return {
        "answers": [_json(answer) for answer in answers.found],
        "more": answers.more,
        "note": DERIVED,
    }


def _lines(answer: Answer) -> list[str]:
    first, last = answer.first, answer.last
    place = answer.ref.removeprefix("refs/heads/")
    if last is not None and last.seq != first.seq:
        when = f"{place} entries {first.seq} to {last.seq}, {first.at} to {last.at}"
    else:
        when = f"{place} entry {first.seq}, {first.at}"
    runs = "" if answer.runs is None else f" in {answer.runs} run{'s' * (answer.runs != 1)}"
    what = [answer.rule, answer.status] if answer.about else [first.kind]
    said = " ".join(words.clip(word) for word in what if word)
    detail = f": {words.clip(answer.detail)}" if answer.detail else ""
    kind = f"{answer.about.replace('_', ' ')} " if answer.about else ""
    lines = [f"{when}: {kind}{said}{runs}{detail}"]
    lines += [
        f"    {_where(where)}" for where in ([first] if last in (None, first) else [first, last])
    ]
    lines += [
        f"    annotation (entry {where.seq}): {words.clip(text, 1000)}"
        for where, text in answer.notes
    ]
    return lines


def _where(where: Citation) -> str:
    return f"entry {where.seq}: commit {where.commit}, {where.path or 'in the commit message'}"


def _json(answer: Answer) -> dict[str, Any]:
    return {
        "ref": answer.ref,
        "first": answer.first.to_json(),
        "last": None if answer.last is None else answer.last.to_json(),
        "about": answer.about or None,
        "rule": answer.rule,
        "status": answer.status or None,
        "action": answer.action,
        "runs": answer.runs,
        "detail": answer.detail or None,
        "annotations": [{**where.to_json(), "text": text} for where, text in answer.notes],
    }

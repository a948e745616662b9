"""The whole story of one incident, entry by entry, from proven entries.

Rule 1: It says nothing that the entries do not say, and names the entry of everything it says.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.errors import InputError
from reconciler.evidence.record import Record
from reconciler.report import words
from reconciler.report.citation import cite
from reconciler.report.incident_words import where

_WANTED = re.compile(r"[0-9a-f]{8,64}|[0-9a-f]{12}-[1-9][0-9]{0,9}")

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One entry that is about the incident.

    Attributes:
        record: The entry.
        steps: Its transitions of the incident, in order; none for an entry that only names it.
    """

    record: Record
    steps: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """One incident.

    Attributes:
        id: Its id.
        chapters: What happened, oldest first.
    """

    id: str
    chapters: tuple[Chapter, ...]

    @property
    def opening(self) -> Body:
        """The transition that began it."""
        return self.chapters[0].steps[0]

    @property
    def intents(self) -> tuple[int, ...]:
        """Numbers of the intents to act on it, oldest first."""
        return tuple(
            chapter.record.entry.seq
            for chapter in self.chapters
            # An intent for another one may carry what happened to this one.
            if any(step["to"] == "executing" for step in chapter.steps)
        )


def tell(newest_first: Iterable[Record], wanted: str) -> Story:
    """Find an incident.

    Args:
        newest_first: Proven entries; no more are taken than are needed.
        wanted: Its id, or the first digits of its fingerprint: then the newest with such a one.

    Raises:
        InputError: There is no such incident.
        LedgerDamaged: An entry does not verify.
    """
    if not _WANTED.fullmatch(wanted):
        hint = "An id is 12 hex digits, a dash and a number: reconciler incidents lists them."
        raise InputError(f"{wanted!r} is no incident", hint=hint)
    search = _Search(wanted)
    for record in newest_first:
        if search.take(record):
            return search.story()
    hint = "reconciler incidents --all lists what is remembered."
    raise InputError(f"there is no incident {wanted} on this branch", hint=hint)


class _Search:
    """Goes back in history to the entry in which the incident began."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._id = wanted if "-" in wanted else ""
        self._fingerprint = ""
        self._found: list[Chapter] = []

    def take(self, record: Record) -> bool:
        """Take in one more entry; returns whether the incident began in it."""
        body = record.entry.body
        steps = tuple(step for step in body.get("incidents", ()) if self._is_it(step))
        if steps or self._names_it(body):
            self._found.append(Chapter(record, steps))
        return any(step["from"] is None for step in steps)

    def story(self) -> Story:
        return Story(self._id, tuple(reversed(self._found)))

    def _is_it(self, step: Body) -> bool:
        if not self._id and step["fingerprint"].startswith(self._wanted):
            self._id = step["id"]
        if step["id"] != self._id:
            return False
        self._fingerprint = step["fingerprint"]
        return True

    def _names_it(self, body: Body) -> bool:
        """Whether a question or a ticket is about it; what is newer than its end is not."""
        about = [body, *body.get("covers", ())]
        return bool(self._id) and any(one.get("incident") == self._id for one in about)


def render(story: Story) -> str:
    """Every step with the entry and the commit that it stands in."""
    opening = story.opening
    lines = [
        f"incident {story.id}: {words.clip(opening['rule'])} ({words.clip(opening['check'])},"
        f" {words.clip(opening['severity'])}, seen by {words.clip(opening['source'])})",
        f"  fingerprint {opening['fingerprint']}",
        f"  controls    {words.clip(', '.join(opening['controls'])) or 'none'}",
    ]
    for chapter in story.chapters:
        at = cite(chapter.record)
        lines.append(f"entry {at.seq} ({at.kind}, {at.at}, commit {at.commit}):")
        lines += [f"  {_step(step)}" for step in chapter.steps]
        lines += [f"  {line}" for line in _more(chapter.record)]
    return "\n".join(lines)


def as_document(story: Story) -> dict[str, Any]:
    """The same for machines."""
    return {
        "id": story.id,
        "fingerprint": story.opening["fingerprint"],
        "rule": story.opening["rule"],
        "intents": list(story.intents),
        "entries": [
            {**cite(chapter.record).to_json(), "incidents": [dict(step) for step in chapter.steps]}
            for chapter in story.chapters
        ],
    }


def _step(step: Body) -> str:
    what = where(step["to"], step["reason"])
    chosen = f", {step['runbook']} by {step['tier']}" if step.get("runbook") else ""
    again = f", recurrence {step['recurrences']}" if step.get("recurred") else ""
    until = f", until {words.clip(step['until'])}" if "until" in step else ""
    return f"{words.clip(step['at'])} {words.clip(step['to'], 40):<17} {what}{chosen}{again}{until}"


def _more(record: Record) -> list[str]:
    """What else an entry says of it, in one line."""
    body = record.entry.body
    match record.entry.kind.value:
        case "outcome":
            reason = words.clip(body["reason"]) or "the second look says so"
            return [f"outcome {body['result']} of {words.clip(body['runbook'])}: {reason}"]
        case "advice" | "ticket":
            said = [
                words.clip(str(body[n]), 80) for n in ("phase", "result", "reason") if body.get(n)
            ]
            return [f"{record.entry.kind.value}: {', '.join(said)}"]
        case _:
            return []

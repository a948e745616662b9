"""The answer to "what is this, how does it stand, since when, and what shows it?"."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one rule stands in the newest run.

    Attributes:
        finding: The finding as the evidence holds it.
        title: The rule's title.
        note: What the rule's author wants people to know.
        remedy: Runbook that puts it right, if any.
        mode: ``enforce`` or ``observe``.
        since: Status, entry number and time since when it has stood so without a break.
        decisions: Exceptions and accepted risks about it, with their terms, in words.
    """

    finding: Mapping[str, Any]
    title: str
    note: str
    remedy: str | None
    mode: str
    since: Mapping[str, Any]
    decisions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A rule or a control, explained.

    Attributes:
        subject: What was asked.
        what: One sentence about it.
        details: Facts by name: requirement, kind of evidence, framework.
        standings: Every rule it is about.
        seq: Entry that the findings come from.
        commit: Commit of that entry in the evidence repository.
        path: File of that entry.
        recorded_at: Time of that entry.
        last_seq: The newest run, which found the same.
        last_at: Time of that run.
    """

    subject: str
    what: str
    details: Mapping[str, str]
    standings: tuple[Standing, ...]
    seq: int
    commit: str
    path: str
    recorded_at: str
    last_seq: int
    last_at: str

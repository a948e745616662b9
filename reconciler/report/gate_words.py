"""What a review says, in the words that text and Markdown share; and the same changes told once.

Rule 1: Words of a repository are one line and end: no control characters, nothing without a bound.
Rule 2: A change that many hosts share is told once, with their names; nothing is left out by it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.model.review import (
    ActionForecast,
    FieldChange,
    HostForecast,
    Need,
    Remark,
    Review,
    RuleChange,
    RunbookChange,
    TrustChange,
)
from reconciler.report.words import clip

SIGNS = {"added": "+", "removed": "-", "changed": "~"}
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Shared:
    """A change, and the hosts that share it."""

    change: RuleChange | RunbookChange | FieldChange
    targets: tuple[str, ...]


def verdict(review: Review) -> str:
    """The answer in one line: whether it may be merged, and how far it reaches."""
    if review.errors:
        return f"FAILED: {count(review.errors, 'error')}"
    if not review.compared:
        return "NOT COMPARED: the base cannot be read whole"
    hosts = count(len(review.changes), "host")
    said = f"{hosts} changed ({len(review.hosts)} in all)" if review.changes else "no host changes"
    parts = [f"OK: {said}"]
    # One of mode never is a text for people; nothing reaches it.
    added = [r for h in review.changes for r in h.runbooks if r.change == "added"]
    reachable = {each.runbook for each in added if each.mode != "never"}
    if reachable:
        parts.append(f"{count(len(reachable), 'runbook')} newly reachable")
    if review.trust:
        parts.append(f"TRUST CHANGES ({len(review.trust)})")
    warnings = len(review.remarks) - review.errors
    if warnings:
        parts.append(count(warnings, "warning"))
    return ", ".join(parts)


def rules(review: Review) -> list[Shared]:
    """Changes of rules, each with the hosts that share it."""
    return _shared((change, h.target) for h in review.changes for change in h.rules)


def runbooks(review: Review) -> list[Shared]:
    """Changes of what may run, each with the hosts that share it."""
    return _shared((change, h.target) for h in review.changes for change in h.runbooks)


def exceptions(review: Review) -> list[Shared]:
    """Changes of exceptions, each with the hosts that share it."""
    return _shared((change, h.target) for h in review.changes for change in h.exceptions)


def settings(review: Review) -> list[Shared]:
    """Changes of settings, each with the hosts that share it."""
    return _shared((change, h.target) for h in review.changes for change in h.settings)


def _shared(pairs: Iterable[tuple[RuleChange | RunbookChange | FieldChange, str]]) -> list[Shared]:
    found: dict[RuleChange | RunbookChange | FieldChange, list[str]] = {}
    for change, target in pairs:
        found.setdefault(change, []).append(target)
    return [Shared(change, tuple(targets)) for change, targets in found.items()]


def value(text: str) -> str:
    """A value of a repository as one line that ends."""
    return clip(text, LONGEST)


def between(change: FieldChange) -> str:
    """``3 -> 5``."""
    return f"{value(change.old)} -> {value(change.new)}"


def targets(names: Sequence[str], most: int = 6) -> str:
    """Hosts by name, and how many more."""
    shown = ", ".join(map(value, names[:most]))
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def count(number: int, noun: str) -> str:
    """``1 host``, ``2 hosts``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def runbook(change: RunbookChange) -> str:
    """What a runbook is about to be: mode, pin, digest, what leads to it."""
    pin = "pinned" if change.approved else "NOT pinned in runbooks/approved.yaml: it cannot run"
    return (
        f"mode {change.mode}, {pin}, sha256:{change.digest[:12]}, for "
        f"{targets(change.rules)}; blast radius: {value(change.blast_radius)}"
    )


def need(asked: Need) -> str:
    """What one rule of the trust policy asks for."""
    paths = f"{count(len(asked.paths), 'path')} ({targets(asked.paths, 3)})"
    if asked.rule is None:
        return f"{paths}: no rule owns them; refused whoever signs"
    client = f" with client {value(asked.client)}" if asked.client else ""
    text = f"{paths}: signed by {' or '.join(asked.authors)}{client} (rule {asked.rule})"
    if asked.approvals == 0:
        return f"{text}; no approval needed"
    people = targets(asked.people) if asked.people else "nobody"
    return (
        f"{text}; {count(asked.approvals, 'approval')} by other people with "
        f"{' or '.join(asked.approvers)}{client}: {people}"
    )


def trust(change: TrustChange) -> str:
    """``key SHA256:…``, with what it may or no longer may."""
    fields = "; ".join(f"{value(f.field)}: {between(f)}" for f in change.fields)
    return f"{change.what} {value(change.name)} {change.change}" + (f": {fields}" if fields else "")


def remark(found: Remark) -> str:
    """Where, and what is wrong there."""
    return f"{value(str(found.where))}: {value(found.message)}"


def age(at: datetime, then: datetime | None) -> str:
    """How old something is, in the largest unit that says it."""
    if then is None:
        return "never"
    seconds = int((at - then).total_seconds())
    if seconds < 0:
        return "from the future"
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{count(seconds // size, unit)} old"
    return "just now"


def evidence(host: HostForecast, at: datetime) -> str:
    """Which evidence a forecast stands on, and how old it is."""
    if host.why_not:
        return host.why_not
    said = f"entry {host.seq}, {age(at, host.observed_at)}"
    if host.confirmed_at is not None and host.confirmed_at != host.observed_at:
        said += f", the same in a run {age(at, host.confirmed_at)}"
    return said


def action(foreseen: ActionForecast) -> str:
    """Whether and when an action would begin, and who stops it."""
    text = f"{foreseen.runbook} for {targets(foreseen.rules)}: "
    if foreseen.ruling == "allow":
        text += "would run"
    else:
        text += f"{foreseen.ruling} by {foreseen.guard}: {value(foreseen.reason)}"
        if foreseen.runs_at is not None:
            text += f"; would run at {foreseen.runs_at:%Y-%m-%d %H:%M}Z"
    if foreseen.prechecks and (foreseen.ruling == "allow" or foreseen.runs_at is not None):
        text += f" (if {count(foreseen.prechecks, 'precheck')} hold)"
    return text

"""A review in sections of lines, worst news first; text and Markdown differ only in their frame.

Every line begins with a sign: ``+`` for what comes, ``-`` for what goes, ``~`` for a change, ``!``
for what needs a person's eyes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.model.review import (
    FieldChange,
    HostForecast,
    Review,
    RuleChange,
    RunbookChange,
)
from reconciler.report import gate_words as words
from reconciler.report import trusted_system
from reconciler.report.table import clean


@dataclass(frozen=True, slots=True)
class Section:
    """Some lines under a title; both are plain text.

    Attributes:
        loud: Whether it must be seen without opening it.
    """

    title: str
    lines: tuple[str, ...]
    loud: bool = False


def sections(review: Review) -> list[Section]:
    """Every section that has something to say."""
    found = [
        Section("Errors", tuple(_remarks(review, "error")), loud=True),
        Section("Trust changes: who may sign and approve what", tuple(_trust(review)), loud=True),
        Section("What may run", tuple(_runbooks(review)), loud=True),
        Section("Systems of NixOS hosts", tuple(_systems(review)), loud=True),
        Section("Settings, tiers and kill switches", tuple(_settings(review))),
        Section("Rules", tuple(_rules(words.rules(review)))),
        Section("Exceptions", tuple(_rules(words.exceptions(review)))),
        Section("Approvals in approvals/", tuple(_approvals(review))),
        Section("Signatures and approvals that this change needs", tuple(_needs(review))),
        Section("Forecast: findings that would turn", tuple(_turns(review))),
        Section("Forecast: actions that would be tried", tuple(_actions(review))),
        Section("Warnings", tuple(_remarks(review, "warning"))),
        Section("Hosts", tuple(_hosts(review))),
    ]
    return [replace(s, lines=tuple(map(clean, s.lines))) for s in found if s.lines]


def _remarks(review: Review, severity: str) -> Iterator[str]:
    for found in review.remarks:
        if found.severity == severity:
            yield f"! {words.remark(found)}"
            yield f"    {words.value(found.hint)}"
    if severity == "warning" and review.older:
        yield f"  {words.count(review.older, 'warning')} of the base stay: reconciler check"


def _trust(review: Review) -> Iterator[str]:
    for change in review.trust:
        yield f"{words.SIGNS[change.change]} {words.trust(change)}"


def _systems(review: Review) -> Iterator[str]:
    for change in review.systems:
        old = words.value(change.old) if change.old else "no system"
        yield f"~ {words.value(change.target)}: {old} -> {words.value(change.new)}"
        yield f"    release of {change.release[:12]}"
        for line in () if change.diff is None else trusted_system.changes(change.diff):
            yield f"    {words.value(line)}"


def _settings(review: Review) -> Iterator[str]:
    for shared in words.settings(review):
        if isinstance(shared.change, FieldChange):
            change = shared.change
            mark = "!" if change.field == "kill_switches" else "~"
            yield f"{mark} {words.value(change.field)}: {words.between(change)}"
            yield f"    on {words.targets(shared.targets)}"


def _rules(found: list[words.Shared]) -> Iterator[str]:
    """Rules with the same change on the same hosts stand together, each on a line of its own."""
    groups: dict[tuple[str, tuple[FieldChange, ...], tuple[str, ...]], list[str]] = {}
    for shared in found:
        if isinstance(shared.change, RuleChange):
            change = shared.change
            key = (words.SIGNS[change.change], change.fields, shared.targets)
            groups.setdefault(key, []).append(change.rule)
    for (sign, fields, targets), names in groups.items():
        yield from (f"{sign} {words.value(name)}" for name in names)
        yield from (f"    {words.value(f.field)}: {words.between(f)}" for f in fields)
        yield f"    on {words.targets(targets)}"


def _runbooks(review: Review) -> Iterator[str]:
    becomes = {"added": "becomes reachable", "removed": "no longer reachable", "changed": "changes"}
    for shared in words.runbooks(review):
        if isinstance(shared.change, RunbookChange):
            change = shared.change
            sign = words.SIGNS[change.change]
            yield f"{sign} {words.value(change.runbook)} {becomes[change.change]}"
            yield f"    {words.runbook(change)}"
            for field in change.fields:
                yield f"    {words.value(field.field)}: {words.between(field)}"
            yield f"    on {words.targets(shared.targets)}"


def _approvals(review: Review) -> Iterator[str]:
    for change in review.approvals:
        sign = "!" if change.change == "removed" else "+"
        yield f"{sign} {words.value(change.approval)} {words.value(change.why)}"


def _needs(review: Review) -> Iterator[str]:
    for asked in review.needs:
        yield f"{'!' if asked.rule is None else ' '} {words.need(asked)}"
    if review.paths and not review.needs:
        yield "  no trust policy in the base: any listed signer may change everything"


def _turns(review: Review) -> Iterator[str]:
    for host in review.forecast or ():
        yield f"  {words.value(host.target)}: {words.evidence(host, review.at)}{_stays(host)}"
        for turn in host.turns:
            sign = {"fail": "!", "pass": "+", None: "?"}.get(turn.then, "~")
            then = turn.then or "not known"
            was = turn.now or "new"
            yield f"{sign}   {words.value(turn.rule)}: {was} -> {then}: {words.value(turn.why)}"


def _stays(host: HostForecast) -> str:
    return "" if host.why_not else f"; {words.count(host.stays, 'rule')} as before"


def _actions(review: Review) -> Iterator[str]:
    for host in review.forecast or ():
        for foreseen in host.actions:
            sign = "!" if foreseen.runs_at is not None else " "
            yield f"{sign} {words.value(host.target)}: {words.action(foreseen)}"


def _hosts(review: Review) -> Iterator[str]:
    changed = {change.target: change for change in review.changes}
    for target, digest in sorted(review.hosts.items()):
        sign = words.SIGNS[changed[target].change] if target in changed else " "
        yield f"{sign} {words.value(target)} plan sha256:{digest}"
    for change in review.changes:
        if change.change == "removed":
            yield f"- {words.value(change.target)} is removed"

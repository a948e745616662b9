"""Findings as a table for a terminal."""

from collections.abc import Mapping, Sequence

from reconciler.model.finding import Finding, Status
from reconciler.model.proposed import is_proposed
from reconciler.model.values import Value

COLUMNS = ("RULE", "FINDING", "OBSERVED", "EXPECTED", "CONTROL")
ORDER: tuple[Status, ...] = ("fail", "unknown", "excepted", "pass", "not_applicable")
COLOURS: Mapping[str, str] = {"fail": "31", "unknown": "33", "pass": "32", "excepted": "36"}


def show(value: Value) -> str:
    """One observed value as a person would say it."""
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(show(item) for item in value) + "]"
    return str(value)


def observed(finding: Finding) -> str:
    """What was seen, for the fields that decide: the failed ones first, else all."""
    if finding.status in {"unknown", "not_applicable"}:
        return finding.reason
    names = finding.failed or tuple(finding.observed)
    return ", ".join(f"{name}={show(finding.observed.get(name))}" for name in names)


def expected(finding: Finding) -> str:
    """What was expected of the same fields."""
    names = finding.failed or tuple(finding.expected)
    return ", ".join(
        f"{name}: {finding.expected[name]}" for name in names if name in finding.expected
    )


def clean(text: str) -> str:
    """Text from a machine without control characters: it must not drive the reader's terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _clip(text: str, width: int) -> str:
    text = clean(text)
    return text if len(text) <= width else text[: width - 1] + "…"


def _control(name: str) -> str:
    """A control without its framework, unless the framework is no law: then that is said."""
    framework, _, control = name.partition(":")
    return f"{control} ({framework})" if is_proposed(framework) else control


def render(findings: Sequence[Finding], *, width: int = 160, colour: bool = False) -> str:
    """A table, worst first; text from machines is clipped and stripped of control characters."""
    rows = [
        (
            f.rule,
            f.status,
            observed(f),
            expected(f),
            " ".join(_control(name) for name in f.controls),
        )
        for f in sorted(findings, key=lambda f: (ORDER.index(f.status), f.rule))
    ]
    rule_width = max([len(row[0]) for row in rows] + [len(COLUMNS[0])])
    room = max(width - rule_width - 14 - 8, 60)
    widths = (rule_width, 14, room * 36 // 100, room * 36 // 100, room * 28 // 100)
    lines = ["  ".join(f"{c:<{w}}" for c, w in zip(COLUMNS, widths, strict=True)).rstrip()]
    for row in rows:
        cells = [f"{_clip(cell, w):<{w}}" for cell, w in zip(row, widths, strict=True)]
        if colour and row[1] in COLOURS:
            cells[1] = f"\x1b[{COLOURS[row[1]]}m{cells[1]}\x1b[0m"
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def tally(findings: Sequence[Finding]) -> dict[str, int]:
    """How many of each status; every status is there, so that none can hide."""
    return {status: sum(f.status == status for f in findings) for status in ORDER}


def summary(findings: Sequence[Finding]) -> str:
    """One line with its denominator: nothing is averaged, unknown is shown (lessons 28)."""
    counts = tally(findings)
    parts = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items())
    known = sum(finding.risk_accepted is not None for finding in findings)
    gaps = f" (of the failing, {known} risk_accepted_noncompliant: known gaps)" if known else ""
    return f"{len(findings)} rules: {parts}{gaps}"

"""An explanation, for a terminal and for machines."""

from dataclasses import asdict
from typing import Any

from reconciler.model.explanation import Explanation, Standing
from reconciler.report import words
from reconciler.report.table import clean, show


def render(explanation: Explanation) -> str:
    """What, why, since when, which evidence."""
    lines = [f"{explanation.subject}: {explanation.what}"]
    lines += [f"  {name}: {value}" for name, value in explanation.details.items()]
    if not explanation.standings:
        lines.append("  no rule on this host speaks about it: software shows nothing here")
    for standing in explanation.standings:
        lines += ["", *_standing(standing)]
    lines += [
        "",
        f"evidence: entry {explanation.seq} of {explanation.recorded_at}",
        f"  commit {explanation.commit}",
        f"  file   {explanation.path}",
    ]
    if explanation.last_seq != explanation.seq:
        lines.append(
            f"  found the same until entry {explanation.last_seq} of {explanation.last_at}"
        )
    return "\n".join(lines)


def _standing(standing: Standing) -> list[str]:
    finding, since = standing.finding, standing.since
    lines = [
        f"{finding['rule']}: {finding['status']} since {since.get('at', 'now')}"
        f" (entry {since.get('seq', '?')})",
        f"  {standing.title}",
    ]
    if isinstance(finding.get(words.GAP), str):
        lines.append(f"  {words.gap(finding[words.GAP])}")
    if finding["reason"]:
        lines.append(f"  why: {clean(finding['reason'])}")
    for name, expected in finding["expected"].items():
        mark = "✗" if name in finding["failed"] else "·"
        seen = finding["observed"].get(name)
        value = show(tuple(seen) if isinstance(seen, list) else seen)
        lines.append(f"  {mark} {name}: observed {clean(value)}, expected {expected}")
    lines.append(f"  check {finding['check']}, controls {' '.join(finding['controls'])}")
    lines.append(f"  remedy {standing.remedy or 'none: a person'}, mode {standing.mode}")
    if standing.note:
        lines.append(f"  note: {standing.note}")
    lines += [f"  {clean(decision)}" for decision in standing.decisions]
    return lines


def as_document(explanation: Explanation) -> dict[str, Any]:
    """The whole explanation as one JSON document."""
    return asdict(explanation)

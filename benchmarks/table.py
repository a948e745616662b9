"""What a benchmark found: rows of samples, printed as Markdown or JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.stats import Summary, paired_ratio, summarize

Samples = Mapping[str, Sequence[float]]
"""Samples of one row by metric, one for each round."""


@dataclass(frozen=True, slots=True)
class Table:
    """One benchmark.

    Attributes:
        name: As on the command line.
        title: What was done, and how often.
        metrics: Heading of each metric; the first is the one that ratios are taken of.
        rows: Samples by the name of the row, in order.
        base: The row that the others are divided by.
        versions: Version of what a row ran, where that is not this project.
        notes: What was not comparable, and other things a reader must know.
        more_is_better: The metric is a rate, so the base is divided by the row.
    """

    name: str
    title: str
    metrics: Mapping[str, str]
    rows: Mapping[str, Samples]
    base: str
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    more_is_better: bool = False

    def ratio(self, row: str) -> Summary:
        """How many times as much as the base this row costs."""
        metric = next(iter(self.metrics))
        samples, base = self.rows[row][metric], self.rows[self.base][metric]
        return paired_ratio(base, samples) if self.more_is_better else paired_ratio(samples, base)

    def markdown(self) -> str:
        """Heading, table and notes."""
        heads = ["", *self.metrics.values(), f"times {self.base}"]
        lines = [f"## {self.name}", "", self.title, "", _line(heads), _line(["---"] * len(heads))]
        for row, samples in self.rows.items():
            label = f"{row} {self.versions.get(row, '')}".strip()
            cells = [_cell(samples.get(metric)) for metric in self.metrics]
            label = f"**{label}**" if row == self.base else label
            lines.append(_line([label, *cells, self._times(row)]))
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes)]).rstrip() + "\n"

    def document(self) -> dict[str, Any]:
        """Everything as JSON values, every sample included."""
        return {
            "name": self.name,
            "title": self.title,
            "base": self.base,
            "metrics": dict(self.metrics),
            "versions": dict(self.versions),
            "notes": list(self.notes),
            "rows": {
                row: {
                    "samples": {metric: list(values) for metric, values in samples.items()},
                    "median": {m: summarize(values).middle for m, values in samples.items()},
                    "ratio": asdict(self.ratio(row)),
                }
                for row, samples in self.rows.items()
            },
        }

    def _times(self, row: str) -> str:
        if row == self.base:
            return "1"
        found = self.ratio(row)
        return f"**{number(found.middle)}** [{number(found.low)}-{number(found.high)}]"


def number(value: float) -> str:
    """Three significant digits at most, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _cell(samples: Sequence[float] | None) -> str:
    return number(summarize(samples).middle) if samples else "-"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""Medians and paired ratios of samples that were taken in rounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Summary:
    """Some samples: their median, and how far they spread.

    Attributes:
        count: How many.
        middle: Median.
        low: Smallest.
        high: Largest.
    """

    count: int
    middle: float
    low: float
    high: float


def summarize(samples: Sequence[float]) -> Summary:
    """Summarize samples.

    Raises:
        ValueError: There is none.
    """
    if not samples:
        raise ValueError("no samples")
    return Summary(len(samples), median(samples), min(samples), max(samples))


def paired_ratio(samples: Sequence[float], base: Sequence[float]) -> Summary:
    """How many times the base, round by round, then summarized.

    Two rows of one round met the same load, so their ratio varies less than the rows do.

    Raises:
        ValueError: Lengths differ, there is no sample, or a base is not above zero.
    """
    if len(samples) != len(base):
        raise ValueError(f"{len(samples)} samples and {len(base)} of the base")
    if any(value <= 0 for value in base):
        raise ValueError("a base of zero has no ratio")
    return summarize([sample / value for sample, value in zip(samples, base, strict=True)])

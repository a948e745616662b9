"""Sets of port numbers as ranges, both ends included."""

from collections.abc import Iterable

Ports = tuple[tuple[int, int], ...]
"""Ranges of ports; neither sorted nor disjoint unless `merge` made them so."""

EVERY_PORT: Ports = ((0, 65_535),)


def merge(ports: Iterable[tuple[int, int]]) -> Ports:
    """The same ports as sorted ranges that neither touch nor overlap."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(pair for pair in ports if pair[0] <= pair[1]):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def intersect(left: Ports, right: Ports) -> Ports:
    """Ports in both."""
    return merge((max(a, c), min(b, d)) for a, b in left for c, d in right)


def complement(ports: Ports) -> Ports:
    """Ports of 0 to 65535 that are not in it."""
    found, start = [], 0
    for low, high in merge(ports):
        found.append((start, low - 1))
        start = high + 1
    return merge([*found, (start, 65_535)])

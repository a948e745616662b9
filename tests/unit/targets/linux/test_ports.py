from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.targets.linux.ports import EVERY_PORT, Ports, complement, intersect, merge

RANGES = st.lists(
    st.tuples(st.integers(0, 65_535), st.integers(0, 200)).map(
        lambda pair: (pair[0], min(pair[0] + pair[1], 65_535))
    ),
    max_size=5,
).map(tuple)


FEW = settings(max_examples=25)
"""Each example counts through all 65,536 ports."""


def members(ports: Ports) -> set[int]:
    return {port for low, high in ports for port in range(low, high + 1)}


@given(RANGES)
def test_merging_changes_nothing_and_leaves_gaps(ports: Ports) -> None:
    merged = merge(ports)
    assert members(merged) == members(ports)
    assert all(a[1] + 1 < b[0] for a, b in pairwise(merged))


@given(RANGES, RANGES)
def test_intersection(left: Ports, right: Ports) -> None:
    assert members(intersect(left, right)) == members(left) & members(right)


@FEW
@given(RANGES)
def test_complement(ports: Ports) -> None:
    assert members(complement(ports)) == set(range(65_536)) - members(ports)


def test_edges() -> None:
    assert complement(()) == EVERY_PORT
    assert complement(EVERY_PORT) == ()
    assert merge([(5, 4)]) == ()

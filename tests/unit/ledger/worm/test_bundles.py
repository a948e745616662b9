"""Names of bundles, and which of them make a ledger whole."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import EvidenceError
from reconciler.ledger.worm import bundles
from reconciler.ledger.worm.bundles import Bundle

PLACE = bundles.folder("msp/", "smile", "desk")
HEX = "0123456789abcdef"


def bundle(first: int, last: int, name: str = "") -> Bundle:
    return Bundle(f"{first}-{last}{name}", first, last, HEX)


def test_a_key_says_what_is_in_the_bundle() -> None:
    key = bundles.key_of(PLACE, (7, 120), b"bytes")

    digest = hashlib.sha256(b"bytes").hexdigest()[:16]
    assert key == f"msp/smile/desk/00000007-00000120-{digest}.bundle"
    assert bundles.parse_key(PLACE, key) == Bundle(key, 7, 120, digest)


@pytest.mark.parametrize(
    "name",
    [
        f"00000007-00000006-{HEX}.bundle",
        f"0000007-00000009-{HEX}.bundle",
        f"00000007-00000009-{HEX.upper()}.bundle",
        f"00000007-00000009-{HEX}.bundle\n",
        f"00000007-00000009-{HEX}.bundle.bundle",
        f"x/00000007-00000009-{HEX}.bundle",
        f"\u06600000007-00000009-{HEX}.bundle",
        "",
    ],
)
def test_another_name_is_none(name: str) -> None:
    assert bundles.parse_key(PLACE, PLACE + name) is None


def test_the_name_of_a_bundle_elsewhere_is_none() -> None:
    key = bundles.key_of("msp/smile/other/", (0, 1), b"")

    assert bundles.parse_key(PLACE, key) is None


@pytest.mark.parametrize("ref", ["refs/heads/smile", "refs/heads/a/b/c", "refs/heads/../x", "main"])
def test_only_an_appliances_branch_has_an_owner(ref: str) -> None:
    with pytest.raises(EvidenceError, match="not the branch"):
        bundles.owner(ref)
    assert bundles.owner("refs/heads/smile/desk") == ("smile", "desk")


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=12))
def test_a_chain_has_neither_hole_nor_overlap_and_leads_as_far_as_one_can(
    ends: list[tuple[int, int]],
) -> None:
    known = [bundle(min(pair), max(pair)) for pair in ends]
    found = bundles.chain(known)

    following = 0
    for each in found:
        assert each.first == following
        following = each.last + 1
    assert following == _furthest(known)


def _furthest(known: list[Bundle]) -> int:
    reached, more = {0}, True
    while more:
        ahead = {b.last + 1 for b in known if b.first in reached} - reached
        reached, more = reached | ahead, bool(ahead)
    return max(reached)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=12))
def test_holes_are_what_is_in_no_span(ends: list[tuple[int, int]]) -> None:
    spans = [(min(pair), max(pair)) for pair in ends]
    there = {seq for first, last in spans for seq in range(first, last + 1)}

    missing = [seq for first, last in bundles.holes(spans) for seq in range(first, last + 1)]
    assert missing == [seq for seq in range(max(there, default=-1)) if seq not in there]


def test_what_an_interrupted_copy_left_is_stepped_over() -> None:
    known = [bundle(0, 99), bundle(0, 120), bundle(121, 150)]

    assert bundles.chain(known) == known[1:]


def test_of_two_of_the_same_entries_it_is_the_first() -> None:
    known = [bundle(0, 9, "first"), bundle(0, 9, "second"), bundle(10, 11)]

    assert bundles.chain(known) == [known[0], known[2]]

"""Names of the bundles of a ledger in a store, and the order in which they make it whole again.

A bundle holds the commits of neighbouring entries; it builds on the commit before them. Its name
says whose they are, which, and how its SHA-256 begins, so that a listing alone shows whether any
are missing: ``<client>/<host>/<first>-<last>-<sha256[:16]>.bundle``.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.errors import EvidenceError
from reconciler.evidence.entry import FIRST_SEQ, LAST_SEQ

Span = tuple[int, int]
"""First and last sequence number, both included."""

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_REF = re.compile(f"refs/heads/({_LABEL})/({_LABEL})")
_FILE = re.compile(r"([0-9]{8})-([0-9]{8})-([0-9a-f]{16})\.bundle")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What the name of an object says.

    Attributes:
        key: Its whole key.
        first: Sequence number of the oldest entry in it.
        last: Sequence number of the newest.
        sha256: The first 16 hex digits of the SHA-256 of its content.
    """

    key: str
    first: int
    last: int
    sha256: str


def folder(prefix: str, client: str, host: str) -> str:
    """What the keys of one appliance's bundles begin with."""
    return f"{prefix}{client}/{host}/"


def owner(ref: str) -> tuple[str, str]:
    """Client and host of a branch.

    Raises:
        EvidenceError: It is not an appliance's branch.
    """
    match = _REF.fullmatch(ref)
    if match is None:
        message = f"{ref!r:.200} is not the branch of an appliance"
        raise EvidenceError(message, hint="Name refs/heads/<client>/<host>.")
    return match[1], match[2]


def key_of(place: str, span: Span, data: bytes) -> str:
    """The key of a bundle.

    Args:
        place: As from `folder`.
        span: The entries in it.
        data: Its content.
    """
    return f"{place}{span[0]:08d}-{span[1]:08d}-{hashlib.sha256(data).hexdigest()[:16]}.bundle"


def parse_key(place: str, key: str) -> Bundle | None:
    """What a key says; None if it is not the name of a bundle at that place."""
    match = _FILE.fullmatch(key.removeprefix(place)) if key.startswith(place) else None
    if match is None or not FIRST_SEQ <= int(match[1]) <= int(match[2]) <= LAST_SEQ:
        return None
    return Bundle(key, int(match[1]), int(match[2]), match[3])


def holes(spans: Iterable[Span]) -> list[Span]:
    """What is missing from the first entry of a ledger to the last of these."""
    missing: list[Span] = []
    following = FIRST_SEQ
    for first, last in sorted(spans):
        if first > following:
            missing.append((following, first - 1))
        following = max(following, last + 1)
    return missing


def chain(bundles: Sequence[Bundle]) -> list[Bundle]:
    """Bundles that follow one another without hole or overlap, from the first entry on.

    Where there is a choice, it is the chain that leads furthest, then the bundle named first: a
    copy that was interrupted may have left one that no other builds on.

    Args:
        bundles: Any, in the order of preference.
    """
    reach: dict[int, tuple[int, Bundle]] = {}
    # From the end: by then it is known how far one gets from whatever follows a bundle.
    for bundle in sorted(bundles, key=lambda bundle: -bundle.first):
        far = reach[bundle.last + 1][0] if bundle.last + 1 in reach else bundle.last
        if bundle.first not in reach or far > reach[bundle.first][0]:
            reach[bundle.first] = (far, bundle)
    found: list[Bundle] = []
    following = FIRST_SEQ
    while following in reach:
        found.append(reach[following][1])
        following = found[-1].last + 1
    return found

"""What nf_tables holds, as the kernel tells it over netlink (<linux/netfilter/nf_tables.h>)."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from reconciler.targets.linux.netlink import (
    NETLINK_NETFILTER,
    Attributes,
    attribute,
    attributes,
    dump,
    each,
)

FAMILIES = {1: "inet", 2: "ip", 10: "ip6"}
HOOKS = {0: "prerouting", 1: "input", 2: "forward", 3: "output", 4: "postrouting"}

CONTINUE, BREAK, JUMP, GOTO, RETURN = -1, -2, -3, -4, -5
DROP, ACCEPT = 0, 1

_SUBSYSTEM = 10 << 8
_GET_CHAIN, _GET_RULE, _GET_ELEMENTS = 4, 7, 13
_FAMILY_HEADER = struct.Struct("!BBH")
_ELEMENT_END, _ELEMENT_ALL = 0x1, 0x2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to a packet: ``DROP``, ``ACCEPT``, ``JUMP``, ... and to which chain it jumps."""

    code: int
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain. ``hook``, ``kind`` and ``policy`` are ``None`` when it is only jumped to."""

    family: int
    table: str
    name: str
    hook: int | None
    kind: str | None
    policy: int | None


Expression = bytes
"""One expression of a rule as the kernel encodes it; `expression` reads it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, its expressions in order."""

    family: int
    table: str
    chain: str
    expressions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a set or map, from ``low`` to ``high`` (both included).

    Attributes:
        low: Key, or lowest key of a range; empty for the element that matches everything.
        high: Highest key.
        verdict: Of a verdict map.
    """

    low: bytes
    high: bytes
    verdict: Verdict | None


class Kernel:
    """The ruleset of this network namespace."""

    def __init__(self, deadline: float) -> None:
        """Nothing is asked yet.

        Args:
            deadline: Monotonic time at which to give up.
        """
        self._deadline = deadline

    def chains(self) -> list[Chain]:
        """Chains of the families inet, ip and ip6.

        Raises:
            OSError: No permission, or no nf_tables in this kernel.
            NoAnswer: The answer makes no sense.
        """
        return read_chains(self._dump(_GET_CHAIN, 0, b""))

    def rules(self) -> list[Rule]:
        """Rules of the families inet, ip and ip6, in the order of their chains."""
        return read_rules(self._dump(_GET_RULE, 0, b""))

    def elements(self, family: int, table: str, name: str) -> tuple[Element, ...]:
        """Elements of a set, ranges joined, sorted by key."""
        wanted = attribute(1, table.encode() + b"\0") + attribute(2, name.encode() + b"\0")
        return read_elements(tuple(self._dump(_GET_ELEMENTS, family, wanted)))

    def _dump(self, kind: int, family: int, wanted: bytes) -> list[bytes]:
        body = _FAMILY_HEADER.pack(family, 0, 0) + wanted
        answer = dump(NETLINK_NETFILTER, _SUBSYSTEM | kind, body, self._deadline)
        return [payload for _, payload in answer]


def read_chains(messages: Iterable[bytes]) -> list[Chain]:
    """Chains from ``NFT_MSG_NEWCHAIN`` payloads."""
    chains = []
    for family, found in _of_known_families(messages):
        hook = attributes(found[4]) if 4 in found else {}
        chains.append(
            Chain(
                family=family,
                table=text(found.get(1, b"")),
                name=text(found.get(3, b"")),
                hook=number(hook[1]) if 1 in hook else None,
                kind=text(found[7]) if 7 in found else None,
                policy=number(found[5]) if 5 in found else None,
            )
        )
    return chains


def read_rules(messages: Iterable[bytes]) -> list[Rule]:
    """Rules from ``NFT_MSG_NEWRULE`` payloads."""
    return [
        Rule(
            family=family,
            table=text(found.get(1, b"")),
            chain=text(found.get(2, b"")),
            expressions=tuple(item for _, item in each(found.get(4, b""))),
        )
        for family, found in _of_known_families(messages)
    ]


@lru_cache(maxsize=2048)
def expression(encoded: Expression) -> tuple[str, Attributes]:
    """Name and attributes of an expression."""
    found = attributes(encoded)
    return text(found.get(1, b"")), attributes(found.get(2, b""))


@lru_cache(maxsize=256)
def read_elements(messages: tuple[bytes, ...]) -> tuple[Element, ...]:
    """Elements from ``NFT_MSG_NEWSETELEM`` payloads, ranges joined, sorted by key."""
    raw = [
        attributes(item)
        for message in messages
        for _, item in each(attributes(message[4:]).get(3, b""))
    ]
    everything = [Element(b"", b"", _element_verdict(e)) for e in raw if _flags(e) & _ELEMENT_ALL]
    keyed = [e for e in raw if 1 in e and not _flags(e) & _ELEMENT_ALL]
    if any(_flags(element) & _ELEMENT_END for element in keyed):
        return (*_joined(keyed), *everything)
    return (*sorted(map(_single, keyed), key=lambda element: element.low), *everything)


def verdict(data: bytes) -> Verdict | None:
    """The verdict in an ``NFTA_DATA`` attribute, if it holds one."""
    inner = attributes(data)
    if 2 not in inner:
        return None
    found = attributes(inner[2])
    return Verdict(number(found.get(1, b""), signed=True), text(found.get(2, b"")))


def value(data: bytes) -> bytes:
    """The value in an ``NFTA_DATA`` attribute; empty if it holds none."""
    return attributes(data).get(1, b"")


def number(data: bytes, *, signed: bool = False) -> int:
    """A number in network order."""
    return int.from_bytes(data, "big", signed=signed)


def text(data: bytes) -> str:
    """A name."""
    return data.rstrip(b"\0").decode("utf-8", "replace")


def _of_known_families(messages: Iterable[bytes]) -> Iterator[tuple[int, Attributes]]:
    for message in messages:
        if message and message[0] in FAMILIES:
            yield message[0], attributes(message[4:])


def _flags(element: Attributes) -> int:
    return number(element.get(3, b""))


def _element_verdict(element: Attributes) -> Verdict | None:
    return verdict(element[2]) if 2 in element else None


def _single(element: Attributes) -> Element:
    low = value(element[1])
    high = value(element[10]) if 10 in element else low
    return Element(low, high, _element_verdict(element))


def _joined(elements: list[Attributes]) -> list[Element]:
    # An interval set lists where ranges start and, flagged, the first key after each range.
    marks = sorted(
        (value(element[1]), 0 if _flags(element) & _ELEMENT_END else 1, at)
        for at, element in enumerate(elements)
    )
    joined: list[Element] = []
    start: tuple[bytes, Verdict | None] | None = None
    for key, starts, at in marks:
        if start is not None:
            joined.append(Element(start[0], _before(key), start[1]))
        start = (key, _element_verdict(elements[at])) if starts else None
    if start is not None:
        joined.append(Element(start[0], b"\xff" * len(start[0]), start[1]))
    return joined


def _before(key: bytes) -> bytes:
    return (int.from_bytes(key, "big") - 1).to_bytes(len(key), "big") if any(key) else key

"""What one nf_tables rule lets through, as far as protocols and destination ports go.

A rule is a small program over registers. It is read once, in order, keeping for every register
what it was loaded from; comparisons then narrow the protocols and ports. What is not understood
counts as "some condition", so that it can never turn into an unconditional verdict.

Rules that iptables-nft writes hold whole xtables matches; ``tcp``, ``udp`` and ``multiport`` are
read, any other match is a condition.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from reconciler.targets.linux.netlink import Attributes
from reconciler.targets.linux.nft_kernel import (
    Element,
    Expression,
    Rule,
    Verdict,
    expression,
    number,
    text,
    value,
    verdict,
)
from reconciler.targets.linux.ports import EVERY_PORT, Ports, complement, intersect
from reconciler.targets.linux.xt_match import multiport, tcp_ports, udp_ports

Elements = Callable[[str], tuple[Element, ...]]
"""Elements of a set of the rule's table, by name."""

REJECT = Verdict(256)
"""``reject`` is an expression to the kernel, not a verdict; the code is ours."""

_NEW = 8
_LOOPBACK_INDEX = 1
_PASSIVE = frozenset({"counter", "log", "objref", "notrack", "byteorder", "last"})
_META = {4: "iif", 6: "iifname", 16: "protocol"}
# By header (1 network, 2 transport), offset and length: destination port, and the field of IPv4
# and of IPv6 that names the transport protocol.
_PAYLOAD = {(2, 2, 2): "port", (1, 9, 1): "protocol", (1, 6, 1): "protocol"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule says.

    Attributes:
        protocols: Transport protocols it is limited to (6 is TCP, 17 UDP); ``None`` for all.
        ports: Destination ports it is limited to; ``None`` for all.
        other: Whether it has conditions besides these two.
        local: Whether it concerns only the loopback interface or known connections.
        verdict: What it decides, if it decides.
    """

    protocols: frozenset[int] | None = None
    ports: Ports | None = None
    other: bool = False
    local: bool = False
    verdict: Verdict | None = None

    @property
    def unconditional(self) -> bool:
        """Whether every packet that gets here meets the verdict."""
        return self.protocols is None and self.ports is None and not (self.other or self.local)

    def within(self, outer: "Reading") -> "Reading":
        """The same rule under the limits of another: one that jumps here, or one more condition."""
        protocols, ports = outer.protocols, outer.ports
        if self.protocols is not None:
            protocols = self.protocols if protocols is None else self.protocols & protocols
        if self.ports is not None:
            ports = self.ports if ports is None else intersect(self.ports, ports)
        return Reading(
            protocols=protocols,
            ports=ports,
            other=self.other or outer.other,
            local=self.local or outer.local,
            verdict=self.verdict,
        )


def read_rule(rule: Rule, elements: Elements) -> tuple[Reading, ...]:
    """What a rule says; a verdict map says several things.

    Raises:
        NoAnswer: A set cannot be read.
        OSError: The kernel refused to show a set.
    """
    items = tuple(item for item in rule.expressions if expression(item)[0] not in _PASSIVE)
    if any(expression(item)[0] == "lookup" for item in items):
        return tuple(_Machine(elements).run(items))
    return _read_alone(items)


@lru_cache(maxsize=1024)
def _read_alone(items: tuple[Expression, ...]) -> tuple[Reading, ...]:
    return tuple(_Machine(lambda _name: ()).run(items))


@dataclass(frozen=True, slots=True)
class _Loaded:
    kind: str
    mask: int = 0


_UNKNOWN = _Loaded("unknown")


class _Machine:
    """Runs the expressions of one rule; ``readings`` are alternatives that a set may open."""

    def __init__(self, elements: Elements) -> None:
        self._elements = elements
        self._registers: dict[int, _Loaded] = {}
        self._readings = [Reading()]

    def run(self, expressions: tuple[Expression, ...]) -> list[Reading]:
        steps = {
            "meta": self._meta,
            "payload": self._payload,
            "ct": self._ct,
            "bitwise": self._bitwise,
            "cmp": self._cmp,
            "range": self._range,
            "lookup": self._lookup,
            "match": self._match,
            "target": self._target,
            "immediate": self._immediate,
            "reject": self._reject,
        }
        for name, found in map(expression, expressions):
            if name in steps:
                steps[name](found)
            else:
                self._narrow(other=True)
        return self._readings

    def _narrow(self, **limits: Any) -> None:
        limit = Reading(**limits)
        self._readings = [reading.within(limit) for reading in self._readings]

    def _decide(self, decided: Verdict) -> None:
        self._readings = [replace(reading, verdict=decided) for reading in self._readings]

    def _load(self, register: bytes, kind: str, mask: int = 0) -> None:
        self._registers[_slot(number(register))] = _Loaded(kind, mask)

    def _loaded(self, register: bytes) -> _Loaded:
        return self._registers.get(_slot(number(register)), _UNKNOWN)

    def _meta(self, found: Attributes) -> None:
        if 1 in found:
            self._load(found[1], _META.get(number(found.get(2, b"")), "unknown"))

    def _payload(self, found: Attributes) -> None:
        if 1 in found:
            header, offset, size = (number(found.get(field, b"")) for field in (2, 3, 4))
            self._load(found[1], _PAYLOAD.get((header, offset, size), "unknown"))

    def _ct(self, found: Attributes) -> None:
        if 1 in found:
            self._load(found[1], "state" if number(found.get(2, b"")) == 0 else "unknown")

    def _bitwise(self, found: Attributes) -> None:
        if self._loaded(found.get(1, b"")).kind == "state":
            self._load(found.get(2, b""), "masked state", _host_word(value(found.get(4, b""))))
        else:
            self._load(found.get(2, b""), "unknown")

    def _cmp(self, found: Attributes) -> None:
        loaded, data = self._loaded(found.get(1, b"")), value(found.get(3, b""))
        operator = number(found.get(2, b""))
        if loaded.kind == "port" and len(data) == 2:
            self._narrow(ports=_compared(operator, number(data)))
        elif loaded.kind == "protocol" and operator == 0:
            self._narrow(protocols=frozenset(data[:1]))
        else:
            local = _is_old_or_local(loaded, operator, data)
            self._narrow(local=local, other=not local)

    def _range(self, found: Attributes) -> None:
        low, high = value(found.get(3, b"")), value(found.get(4, b""))
        if self._loaded(found.get(1, b"")).kind != "port" or len(low) != 2:
            self._narrow(other=True)
            return
        ports: Ports = ((number(low), number(high)),)
        self._narrow(ports=complement(ports) if number(found.get(2, b"")) else ports)

    def _lookup(self, found: Attributes) -> None:
        elements = self._elements(text(found.get(1, b"")))
        slot = _slot(number(found.get(2, b"")))
        kind = self._registers.get(slot, _UNKNOWN).kind
        inverted = bool(number(found.get(5, b"")) & 1)
        is_verdict_map = 3 in found and number(found[3]) == 0
        if kind == "port" and not is_verdict_map and _width(elements) == 2:
            ports = _ports(elements)
            self._narrow(ports=complement(ports) if inverted else ports)
        elif inverted:
            self._narrow(other=True)
        else:
            self._readings = [
                replace(reading.within(self._limit(slot, element)), verdict=element.verdict)
                for element in elements
                for reading in self._readings
            ]

    def _limit(self, slot: int, element: Element) -> Reading:
        """What one key of a set limits a packet to; each part of a key starts a new word."""
        limit, at = Reading(), 0
        while at < len(element.low):
            kind = self._registers.get(slot + at // 4, _UNKNOWN).kind
            limit = limit.within(_part(kind, element.low[at:], element.high[at:]))
            at += 16 if kind == "iifname" else 4
        return limit

    def _match(self, found: Attributes) -> None:
        name, info = text(found.get(1, b"")), found.get(3, b"")
        if name == "comment":
            return
        decode = {"tcp": tcp_ports, "udp": udp_ports, "multiport": multiport}.get(name)
        ports = decode(info) if decode else None
        if ports is None:
            self._narrow(other=True)
        elif ports != EVERY_PORT:
            self._narrow(ports=ports)

    def _target(self, found: Attributes) -> None:
        if text(found.get(1, b"")) == "REJECT":
            self._decide(REJECT)

    def _immediate(self, found: Attributes) -> None:
        decided = verdict(found.get(2, b""))
        if decided is not None:
            self._decide(decided)

    def _reject(self, _found: Attributes) -> None:
        self._decide(REJECT)


def _slot(register: int) -> int:
    # Registers 1 to 4 are 16 bytes wide; 8 and above name the same space in words of 4.
    return (register - 1) * 4 if 1 <= register <= 4 else register - 8


def _compared(operator: int, port: int) -> Ports:
    below, above = ((0, port - 1),), ((port + 1, 65_535),)
    by_operator: tuple[Ports, ...] = (
        ((port, port),),
        complement(((port, port),)),
        below,
        ((0, port),),
        above,
        ((port, 65_535),),
    )
    return by_operator[operator] if operator < len(by_operator) else EVERY_PORT


def _is_loopback(kind: str, data: bytes) -> bool:
    if kind == "iifname":
        return data.rstrip(b"\0") == b"lo"
    return kind == "iif" and data == struct.pack("=I", _LOOPBACK_INDEX)


def _is_old_or_local(loaded: _Loaded, operator: int, data: bytes) -> bool:
    # nft writes `ct state established` as "masked with established, not equal to 0".
    if loaded.kind == "masked state":
        return operator == 1 and not loaded.mask & _NEW
    return operator == 0 and _is_loopback(loaded.kind, data)


def _part(kind: str, low: bytes, high: bytes) -> Reading:
    if kind == "port":
        return Reading(ports=((number(low[:2]), number(high[:2])),))
    if kind == "protocol":
        return Reading(protocols=frozenset(low[:1]))
    if kind == "state":
        known = not _host_word(low) & _NEW
        return Reading(local=known, other=not known)
    local = _is_loopback(kind, low[:16] if kind == "iifname" else low[:4])
    return Reading(local=local, other=not local)


def _host_word(data: bytes) -> int:
    return int(struct.unpack("=I", data[:4].ljust(4, b"\0"))[0])


def _width(elements: tuple[Element, ...]) -> int:
    return max((len(element.low) for element in elements), default=2)


def _ports(elements: tuple[Element, ...]) -> Ports:
    return tuple(
        (number(element.low[:2]), number(element.high[:2])) if element.low else EVERY_PORT[0]
        for element in elements
    )

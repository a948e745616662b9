"""Ports in the xtables matches that iptables-nft puts whole into nf_tables rules.

Source: <linux/netfilter/xt_tcpudp.h>, <linux/netfilter/xt_multiport.h>; native byte order. Each
function gives ``None`` for what it cannot read.
"""

import struct

from reconciler.targets.linux.ports import Ports, complement


def tcp_ports(info: bytes) -> Ports | None:
    """Destination ports of a ``tcp`` match."""
    # struct xt_tcp: spts[2], dpts[2], option, flg_mask, flg_cmp, invflags (2: destination)
    return _xt_ports(info, invert_at=11)


def udp_ports(info: bytes) -> Ports | None:
    """Destination ports of a ``udp`` match."""
    # struct xt_udp: spts[2], dpts[2], invflags (2: destination)
    return _xt_ports(info, invert_at=8)


def _xt_ports(info: bytes, invert_at: int) -> Ports | None:
    if len(info) <= invert_at:
        return None
    low, high = struct.unpack_from("=HH", info, 4)
    return complement(((low, high),)) if info[invert_at] & 2 else ((low, high),)


def multiport(info: bytes) -> Ports | None:
    """Ports of a ``multiport`` match on destinations."""
    # struct xt_multiport_v1: flags (1: destination), count, ports[15], pflags[15], invert
    if len(info) < 48 or info[0] != 1 or info[1] > 15:
        return None
    numbers = struct.unpack_from("=15H", info, 2)[: info[1]]
    ranges = info[32 : 32 + info[1]]
    found, at = [], 0
    while at < len(numbers):
        wide = bool(ranges[at]) and at + 1 < len(numbers)
        found.append((numbers[at], numbers[at + 1] if wide else numbers[at]))
        at += 2 if wide else 1
    return complement(tuple(found)) if info[47] else tuple(found)

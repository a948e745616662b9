"""Bitcoin block headers that an auditor brings along: the few that proofs name, and those on top.

The file is text, one header a line, in rising order: the height, a space, and the 80 bytes in hex.
Any node makes it, and any second node or explorer can confirm it::

    for h in $(seq 800000 800006); do
        echo "$h $(bitcoin-cli getblockheader "$(bitcoin-cli getblockhash "$h")" false)"
    done

A header says for itself that work was done for it. On the main network the work asked for here is
out of a forger's reach, so the file needs no trust beyond "this much work was spent on it".

Rule 1: Every header meets its own target, and the target meets the floor of the network.
Rule 2: A header at the next height follows the one before it by hash.
Rule 3: The main network is meant unless the *caller* says otherwise; the file cannot.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.ledger.anchors.extra import needed

if TYPE_CHECKING:
    from bitcoin.core import CBlockHeader

CONFIRMATIONS = 6
"""Headers that must stand on top of the one that a proof names."""

MAX_FILE = 8 * 1024 * 1024

_LINE = re.compile(r"(0|[1-9][0-9]{0,8}) ([0-9a-f]{160})")
_HINT = (
    "Each line is HEIGHT, a space and the 80-byte header in hex, in rising order, as printed by "
    "bitcoin-cli getblockheader HASH false."
)


class Network(Enum):
    """Which chain a header file is of; the value is the easiest target that is accepted.

    The main network's first target would be met by one modern machine within a second. Its
    difficulty has been above 10^13 since 2020; seven headers at that floor cost more than 10^23
    hashes, while a test chain costs nothing and proves nothing.
    """

    MAIN = (0xFFFF << 208) // 10**13
    TEST = 0x7FFFFF << 232


@dataclass(frozen=True, slots=True)
class HeaderFile:
    """Headers that were checked when they were read.

    Attributes:
        network: What the caller declared them to be of.
        headers: By height.
    """

    network: Network
    headers: Mapping[int, "CBlockHeader"]

    def at(self, height: int) -> "CBlockHeader | None":
        """The header of a height; None if the file does not hold it."""
        return self.headers.get(height)

    def on_top(self, height: int) -> int:
        """How many headers of the file follow this height without a break."""
        following = height + 1
        while following in self.headers:
            following += 1
        return following - height - 1


def read_headers(data: bytes, name: str, network: Network = Network.MAIN) -> HeaderFile:
    """Read and check a header file.

    Args:
        data: The file.
        name: Its name, for messages.
        network: `Network.TEST` only where a test chain is meant and said to be meant.

    Raises:
        InputError: Not of this form: too large, another encoding, not in rising order.
        EvidenceError: A header that does not meet its target, whose target is too easy for the
            network, or that does not follow the one before it.
    """
    headers: dict[int, CBlockHeader] = {}
    for number, line in enumerate(_lines(data, name), 1):
        where = Where(name, number)
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError("this line is not a height and a header", hint=_HINT, where=where)
        height = int(match[1])
        if headers and height <= next(reversed(headers)):
            raise InputError("heights do not rise", hint=_HINT, where=where)
        header = _header(bytes.fromhex(match[2]), network, where)
        before = headers.get(height - 1)
        if before is not None and header.hashPrevBlock != before.GetHash():
            raise _false(f"header {height} does not follow header {height - 1}", where)
        headers[height] = header
    return HeaderFile(network, headers)


def header_time(header: "CBlockHeader") -> datetime:
    """The time that a block's miner wrote into it."""
    return datetime.fromtimestamp(header.nTime, UTC)


def _lines(data: bytes, name: str) -> list[str]:
    if len(data) > MAX_FILE:
        message = f"header file of {len(data)} bytes is larger than {MAX_FILE}"
        raise InputError(
            message, hint="Bring only the headers that proofs name.", where=Where(name)
        )
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise InputError("header file is not ASCII text", hint=_HINT, where=Where(name)) from error
    if not text.endswith("\n"):
        raise InputError("header file is empty or cut off", hint=_HINT, where=Where(name))
    return text[:-1].split("\n")


def _header(data: bytes, network: Network, where: Where) -> "CBlockHeader":
    with needed():
        from bitcoin.core import CBlockHeader  # noqa: PLC0415 - lazy: an extra
        from bitcoin.core.serialize import (  # noqa: PLC0415
            uint256_from_compact,
            uint256_from_str,
        )

    header = CBlockHeader.deserialize(data)
    # The 24th bit is a sign in this encoding; python-bitcoinlib reads it as part of the number.
    target = 0 if header.nBits & 0x800000 else uint256_from_compact(header.nBits)
    if not 0 < target <= network.value:
        raise _false(f"its target is too easy for the {network.name} network", where)
    if uint256_from_str(header.GetHash()) > target:
        raise _false("the work for this header was not done", where)
    return header


def _false(message: str, where: Where) -> EvidenceError:
    hint = "Fetch the headers again from a node of your own, and compare them with a second one."
    return EvidenceError(message, hint=hint, where=where)

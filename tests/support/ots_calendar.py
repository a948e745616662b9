"""An OpenTimestamps calendar and the test chain that it commits to, on loopback.

Built on the reference library and python-bitcoinlib. The chain has the difficulty of regtest: a
block costs two hashes, which is why nothing outside a test may accept it.
"""

import contextlib
from collections.abc import Iterator

from bitcoin.core import (
    CBlock,
    CBlockHeader,
    COutPoint,
    CTransaction,
    CTxIn,
    CTxOut,
)
from bitcoin.core.script import OP_RETURN, CScript
from bitcoin.core.serialize import uint256_from_compact, uint256_from_str
from opentimestamps.bitcoin import make_timestamp_from_block
from opentimestamps.core.notary import PendingAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import Timestamp, make_merkle_tree

from tests.support.loopback_http import Server, serve

EASY = 0x207FFFFF
START = 1_760_000_000


class Chain:
    """Blocks of a test network, one every ten minutes."""

    def __init__(self, height: int = 100, bits: int = EASY) -> None:
        self.bits = bits
        self.first = height
        self.blocks: list[CBlock] = [self._made(b"\x00" * 32, height, [])]

    @property
    def height(self) -> int:
        return self.first + len(self.blocks) - 1

    def mine(self, messages: list[bytes] | None = None) -> CBlock:
        """The next block; each message is in the output of a transaction."""
        previous = self.blocks[-1].GetHash()
        self.blocks.append(self._made(previous, self.height + 1, messages or []))
        return self.blocks[-1]

    def text(self, first: int | None = None, last: int | None = None) -> bytes:
        """The header file of an auditor who has these heights."""
        start = self.first if first is None else first
        end = self.height if last is None else last
        lines = (f"{h} {self.header(h).serialize().hex()}\n" for h in range(start, end + 1))
        return "".join(lines).encode()

    def header(self, height: int) -> CBlockHeader:
        return self.blocks[height - self.first].get_header()

    def _made(self, previous: bytes, height: int, messages: list[bytes]) -> CBlock:
        coinbase = CTransaction(
            [CTxIn(COutPoint(), CScript([height, b"test"]))], [CTxOut(50, CScript([b"test"]))]
        )
        carrying = [
            CTransaction(
                [CTxIn(COutPoint(b"\x11" * 32, n))], [CTxOut(0, CScript([OP_RETURN, message]))]
            )
            for n, message in enumerate(messages)
        ]
        transactions = [coinbase, *carrying]
        root = CBlock.build_merkle_tree_from_txs(transactions)[-1]
        when = START + 600 * height
        return mined(previous, root, when, self.bits, transactions)


def mined(
    previous: bytes, root: bytes, when: int, bits: int, transactions: list[CTransaction]
) -> CBlock:
    """A block for which the work was done."""
    for nonce in range(1 << 20):
        block = CBlock(4, previous, root, when, bits, nonce, transactions)
        if uint256_from_str(block.GetHash()) <= uint256_from_compact(bits):
            return block
    raise AssertionError("no block found")


class Calendar:
    """Promises at once, and keeps the promise in the next block that is mined."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.url = ""
        self.promised: dict[bytes, Timestamp] = {}
        self.kept: dict[bytes, Timestamp] = {}

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """What the calendar says, as the public ones do."""
        if (method, path) == ("POST", "/digest") and len(body) <= 64:
            return 200, self._promise(body)
        if method == "GET" and path.startswith("/timestamp/"):
            stamp = self.kept.get(bytes.fromhex(path.rsplit("/", 1)[1]))
            return (404, b"Pending confirmation") if stamp is None else (200, written(stamp))
        return 404, b"Not found"

    def mine(self, on_top: int = 6) -> int:
        """Commit to everything that is promised, and let blocks follow; the block's height."""
        stamps = list(self.promised.values())
        tip = make_merkle_tree(stamps)
        block = self.chain.mine([tip.msg])
        height = self.chain.height
        tip.merge(make_timestamp_from_block(tip.msg, block, height))
        self.kept |= {stamp.msg: stamp for stamp in stamps}
        self.promised.clear()
        for _ in range(on_top):
            self.chain.mine()
        return height

    def _promise(self, digest: bytes) -> bytes:
        root = Timestamp(digest)
        number = (len(self.promised) + len(self.kept)).to_bytes(4, "big")
        dated = root.ops.add(OpPrepend(number)).ops.add(OpSHA256())
        commitment = dated.ops.add(OpAppend(b"calendar"))
        self.promised[commitment.msg] = Timestamp(commitment.msg)
        commitment.attestations.add(PendingAttestation(self.url))
        return written(root)


def written(stamp: Timestamp) -> bytes:
    """A tree as a calendar sends it."""
    context = BytesSerializationContext()
    stamp.serialize(context)
    return context.getbytes()


@contextlib.contextmanager
def calendar(chain: Chain) -> Iterator[tuple[Calendar, Server]]:
    """A calendar with its server while the block lasts."""
    made = Calendar(chain)
    with serve(made.answer) as server:
        made.url = server.url
        yield made, server

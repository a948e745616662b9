"""Independent times for the attack suite: an RFC 3161 authority and an OpenTimestamps calendar.

Neither is asked over a socket: what a server would answer is what these objects answer.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from reconciler.evidence.statement import Kind
from reconciler.ledger.anchors import ots_file
from reconciler.ledger.anchors.bitcoin_headers import Network, read_headers
from reconciler.ledger.anchors.judge import Trust
from tests.support.attack_book import Book, Step
from tests.support.ots_calendar import Calendar, Chain
from tests.support.tsa import Tsa


class Stamps:
    """Both, and what an auditor brings to check them."""

    def __init__(self, directory: Path) -> None:
        self.tsa = Tsa(directory / "alpha")
        self.chain = Chain()
        self.calendar = Calendar(self.chain)
        self.calendar.url = "https://calendar.invalid"
        self._pending: dict[bytes, bytes] = {}

    def trust(self) -> Trust:
        """What checks all of it."""
        headers = read_headers(self.chain.text(), "headers", Network.TEST)
        return Trust(headers=headers, authorities={"alpha": self.tsa.authority()})

    def authority(self, note: bytes) -> bytes:
        """The answer of the authority for a note."""
        builder = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256)
        return self.tsa.reply(builder.cert_request(cert_request=True).build().as_bytes())

    def promised(self, note: bytes) -> bytes:
        """What a calendar says at once."""
        digest = hashlib.sha256(note).digest()
        answer = self.calendar.answer("POST", "/digest", digest)[1]
        return ots_file.write_file(ots_file.read_answer(answer, digest))

    def kept(self, proof: bytes) -> bytes:
        """The same proof once the calendar's block was mined."""
        root = ots_file.read_file(proof)
        if self.calendar.promised:
            self.calendar.mine()
        for node, _ in ots_file.waits(root):
            node.merge(self.calendar.kept[node.msg])
        return ots_file.write_file(root)

    def dated(self, book: Book) -> str:
        """An entry that keeps the authority's word for the newest checkpoint."""
        return anchor(book, book.checkpoints[-1], "rfc3161", "alpha", self.authority)

    def submitted(self, book: Book) -> str:
        """An entry that keeps a pending proof of the newest checkpoint."""

        def proof(note: bytes) -> bytes:
            self._pending[note] = self.promised(note)
            return self._pending[note]

        return anchor(book, book.checkpoints[-1], "opentimestamps", "bitcoin", proof, "pending")

    def upgraded(self, book: Book) -> str:
        """An entry that keeps the complete proof of the checkpoint that was submitted last."""
        pending = [
            entry.body["checkpoint"]["seq"]
            for entry in book.entries
            if entry.kind is Kind.ANCHOR and entry.body["state"] == "pending"
        ]
        proof = lambda note: self.kept(self._pending[note])  # noqa: E731
        return anchor(book, pending[-1], "opentimestamps", "bitcoin", proof)


def anchor(
    book: Book,
    seq: int,
    method: str,
    authority: str,
    proof: Callable[[bytes], bytes],
    state: str = "complete",
) -> str:
    """An anchor entry for a checkpoint."""
    note = book.note_of(seq).encode()
    body = {
        "authority": authority,
        "checkpoint": {"seq": seq, "sha256": book.digests[seq]},
        "method": method,
        "note_sha256": hashlib.sha256(note).hexdigest(),
        "proof": b64encode(proof(note)).decode(),
        "state": state,
    }
    return book.append(Kind.ANCHOR, body)


def anchoring(stamps: Stamps) -> tuple[Step, Step, Step]:
    """The three steps of a script: dated, submitted, upgraded."""
    return stamps.dated, stamps.submitted, stamps.upgraded

"""OpenTimestamps: a digest goes to calendars, comes back pending, and hours later in Bitcoin.

Source: the reference library `opentimestamps` (python-opentimestamps) for proofs. Its
``RemoteCalendar`` is not used: it follows redirects, takes proxies from the environment, limits
single reads only, and cuts a too long answer off instead of refusing it.

Rule 1: Calendars are told the digest with 16 random bytes appended and hashed, as the stock client
    does, so they cannot tell even whether they saw a checkpoint twice.
Rule 2: A proof names calendars; only those on the list of the settings are asked.
Rule 3: A claim about a block counts if the header is at hand, fits, and has enough work on top.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opentimestamps.core.notary import VerificationError
from opentimestamps.core.timestamp import Timestamp
from opentimestamps.timestamp import nonce_timestamp

from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.ledger.anchors import ots_file
from reconciler.ledger.anchors.bitcoin_headers import CONFIRMATIONS, HeaderFile, header_time
from reconciler.ledger.anchors.http import NoReply, Question, Reply, ask
from reconciler.ledger.anchors.model import BITCOIN, AnchorState, Method, TimeProof

MAX_ANSWER = 10_000
"""Bytes of a calendar's answer, the limit that the reference library means to set."""

_ACCEPT = {"Accept": "application/vnd.opentimestamps.v1"}
_NOT_YET = 404


@dataclass(frozen=True, slots=True)
class OtsState:
    """What a proof claims; nothing of it is verified.

    Attributes:
        state: Complete as soon as one way reaches a block.
        heights: Blocks that it names, rising.
        calendars: Calendars that promised to carry it on.
    """

    state: AnchorState
    heights: tuple[int, ...]
    calendars: tuple[str, ...]


def submit(
    digest: bytes, calendars: Sequence[str], *, timeout_s: float, min_calendars: int = 1
) -> bytes:
    """Have a digest stamped by several calendars at once.

    Args:
        digest: SHA-256 of what is to be stamped.
        calendars: Addresses of calendars.
        timeout_s: Seconds for all of them.
        min_calendars: How many must answer well.

    Returns:
        A detached proof file, pending, that holds every good answer.

    Raises:
        InputError: Fewer calendars than must answer, or an address that must not be asked.
        MachineError: Too few answered; says what each of the others did.
    """
    if len(digest) != 32 or not 0 < min_calendars <= len(set(calendars)) == len(calendars):
        hint = "List at least as many different calendars as must answer."
        raise InputError(f"{min_calendars} of {len(calendars)} calendars must answer", hint=hint)
    root = Timestamp(digest)
    commitment = nonce_timestamp(root)
    questions = [Question(f"{_base(url)}/digest", commitment.msg, _ACCEPT) for url in calendars]
    replies = ask(questions, max_bytes=MAX_ANSWER, timeout_s=timeout_s)
    wrong = []
    for url, reply in zip(calendars, replies, strict=True):
        problem = _merge(commitment, reply)
        wrong += [f"{url}: {problem}"] if problem else []
    if len(calendars) - len(wrong) < min_calendars:
        raise _unanswered(f"fewer than {min_calendars} calendars answered", wrong)
    return ots_file.write_file(root)


def upgrade(proof: bytes, *, calendars: Collection[str], timeout_s: float) -> bytes | None:
    """Ask the calendars of a pending proof whether Bitcoin has it by now.

    Args:
        proof: A detached proof file.
        calendars: The only addresses that may be asked.
        timeout_s: Seconds for all of them.

    Returns:
        The proof with what was learnt; None if a calendar answered and there is nothing new.

    Raises:
        EvidenceError: The proof cannot be read.
        InputError: It waits only for calendars that are not on the list.
        MachineError: No calendar gave a usable answer; says what each of them did.
    """
    root = ots_file.read_file(proof)
    allowed = {_base(url) for url in calendars}
    waiting = [(node, _base(url)) for node, url in ots_file.waits(root)]
    asked = [(node, url) for node, url in waiting if url in allowed]
    if not asked:
        names = ", ".join(sorted({url for _, url in waiting})) or "no calendar"
        hint = "Add the calendar to the list in the settings if it is to be trusted with the work."
        raise InputError(f"proof waits for {names}, which is not on the list", hint=hint)
    questions = [
        Question(f"{url}/timestamp/{node.msg.hex()}", None, _ACCEPT) for node, url in asked
    ]
    replies = ask(questions, max_bytes=MAX_ANSWER, timeout_s=timeout_s)
    wrong = []
    for (node, url), reply in zip(asked, replies, strict=True):
        if isinstance(reply, Reply) and reply.status == _NOT_YET:
            continue
        problem = _merge(node, reply)
        wrong += [f"{url}: {problem}"] if problem else []
    if len(wrong) == len(asked):
        raise _unanswered("no calendar gave a usable answer", wrong)
    upgraded = ots_file.write_file(root)
    return None if upgraded == proof else upgraded


def state(proof: bytes) -> OtsState:
    """What a proof claims.

    Raises:
        EvidenceError: It cannot be read, or claims nothing that this version knows.
    """
    return _state(ots_file.read_file(proof))


def verify(
    proof: bytes, digest: bytes, headers: HeaderFile | None, *, confirmations: int = CONFIRMATIONS
) -> TimeProof:
    """Check a proof without network.

    Args:
        proof: A detached proof file.
        digest: SHA-256 of what was stamped.
        headers: The auditor's headers; None proves nothing.
        confirmations: Headers that must stand on top.

    Returns:
        The earliest time that is proven, or no time and the reason: pending, or no header.

    Raises:
        EvidenceError: The proof cannot be read, is of another digest, or no claim of it fits and
            one of them is false or has too few headers on top.
    """
    root = ots_file.read_file(proof)
    if root.msg != digest:
        raise ots_file.refusal(f"proof is of the digest {root.msg.hex()}, not {digest.hex()}")
    claimed = _state(root)
    if claimed.state is AnchorState.PENDING:
        return _unproven(f"pending at {', '.join(claimed.calendars)}")
    times, wrong = [], []
    for merkle_root, claim in ots_file.blocks(root):
        try:
            times += _time(merkle_root, claim, headers, confirmations)
        except EvidenceError as error:
            wrong.append(error)
    if times:
        at, height = min(times)
        return TimeProof(Method.OPENTIMESTAMPS, BITCOIN, at, _sentence(at, height, len(wrong)))
    if wrong:
        raise wrong[0]
    named = ", ".join(map(str, claimed.heights))
    return _unproven(f"complete, but no header of block {named} is at hand")


def _base(url: str) -> str:
    return url.rstrip("/")


def _merge(node: Any, reply: Reply | NoReply) -> str | None:
    if isinstance(reply, NoReply):
        return reply.reason
    if reply.status != 200:
        return f"answered with status {reply.status}"
    try:
        answer = ots_file.read_answer(reply.content, node.msg)
        _state(answer)
    except EvidenceError as error:
        return error.message
    node.merge(answer)
    return None


def _unanswered(message: str, wrong: Sequence[str]) -> MachineError:
    hint = "Look at the network and at the list of calendars; the work stays due."
    return MachineError(f"{message}; {'; '.join(wrong)}", hint=hint)


def _state(root: Any) -> OtsState:
    heights = tuple(sorted({claim.height for _, claim in ots_file.blocks(root)}))
    calendars = tuple(sorted({url for _, url in ots_file.waits(root)}))
    if not heights and not calendars:
        raise ots_file.refusal("proof holds no attestation that this version knows")
    return OtsState(AnchorState.COMPLETE if heights else AnchorState.PENDING, heights, calendars)


def _time(
    merkle_root: bytes, claim: Any, headers: HeaderFile | None, confirmations: int
) -> list[tuple[datetime, int]]:
    header = None if headers is None else headers.at(claim.height)
    if headers is None or header is None:
        return []
    try:
        claim.verify_against_blockheader(merkle_root, header)
    except VerificationError as error:
        message = f"proof does not fit the header of block {claim.height}: {error}"
        raise ots_file.refusal(message) from error
    on_top = headers.on_top(claim.height)
    if on_top < confirmations:
        message = f"block {claim.height} has {on_top} headers on top, {confirmations} are asked for"
        raise EvidenceError(message, hint="Add the headers that follow it to the header file.")
    return [(header_time(header), claim.height)]


def _sentence(at: datetime, height: int, wrong: int) -> str:
    sentence = (
        f"Bitcoin block {height} of {at:%Y-%m-%dT%H:%M:%SZ} (miners' clocks: ±2 h) commits to it"
    )
    return sentence if not wrong else f"{sentence}; {wrong} other claims of the proof do not hold"


def _unproven(reason: str) -> TimeProof:
    return TimeProof(Method.OPENTIMESTAMPS, BITCOIN, None, reason)

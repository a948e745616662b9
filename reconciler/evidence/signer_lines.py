"""Editing an allowed signers file line by line: what is not meant stays byte for byte.

People review these edits in pull requests, so an edit changes the lines it is about, and no other;
and what comes out is parsed again before anybody gets it.
"""

import re
from dataclasses import replace

from reconciler.errors import InputError, Where
from reconciler.evidence import signers
from reconciler.evidence.signers import Signer
from reconciler.evidence.sshsig import GIT_NAMESPACE, fingerprint

_NOTE = re.compile(r"[ -~]{0,200}")


def appliance_line(principal: str, public: bytes, first: int | None = None) -> Signer:
    """The line of an appliance's key.

    Args:
        principal: ``<client>/<host>``.
        public: The key, 32 bytes.
        first: The first entry it may sign; None for a first key, which begins with the ledger.
    """
    positions = None if first is None else (first, None)
    return Signer(principal, public, (GIT_NAMESPACE,), None, None, "", 1, positions)


def added(data: bytes, file: str, signer: Signer) -> bytes:
    """The file with one more line at its end; as it was if the key is listed already.

    Raises:
        InputError: The file is malformed, or the key is listed for somebody else.
    """
    for known in signers.parse(data, file).signers:
        if known.public == signer.public and known.principal == signer.principal:
            return data
    ended = data if data.endswith(b"\n") or not data else data + b"\n"
    return _proven(ended + signers.render(signer).encode() + b"\n", file)


def closed(data: bytes, file: str, public: bytes, last: int, note: str = "") -> bytes:
    """The file with every line of a key ending at an entry.

    A line that begins after that entry is turned into a comment: it would allow nothing.

    Args:
        data: Content of the file.
        file: Its name, for messages.
        public: The key, 32 bytes.
        last: Number of the last entry that it may have signed; -1 for none at all.
        note: Why, for people; becomes the comment of the line.

    Raises:
        InputError: The file is malformed, the key is not in it, or the note is not one plain line.
    """
    if not _NOTE.fullmatch(note):
        hint = "Write at most 200 printable ASCII characters."
        raise InputError("the note is not one plain line", hint=hint, where=Where(file))
    lines = data.split(b"\n")
    found = [line for line in signers.parse(data, file).signers if line.public == public]
    if not found:
        message = f"key {fingerprint(public)} is not listed"
        hint = "See what is: reconciler keys list --signers FILE."
        raise InputError(message, hint=hint, where=Where(file))
    for signer in found:
        lines[signer.line - 1] = _ended(signer, lines[signer.line - 1], last, note)
    return _proven(b"\n".join(lines), file)


def _ended(signer: Signer, line: bytes, last: int, note: str) -> bytes:
    first, end = signer.positions or (0, None)
    if first > last:
        why = f" ({note})" if note else ""
        return b"# revoked" + why.encode() + b": " + line.strip()
    if end is not None and end <= last:
        return line
    ended = replace(signer, positions=(first, last), comment=note or signer.comment)
    return signers.render(ended).encode()


def _proven(data: bytes, file: str) -> bytes:
    signers.parse(data, file)
    return data

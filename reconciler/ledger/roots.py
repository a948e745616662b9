"""What an auditor brings to check anchors with: a folder of roots, read strictly.

::

    roots/
      bitcoin-headers.txt          HEIGHT HEADER a line (opentimestamps)
      tsa/<authority>.pem          certificates that its tokens must lead to (rfc3161)
      sigstore/trusted_root.json   whom to believe about signers (sigstore)
      sigstore/identities.json     who may sign: [{"name", "issuer", "identity", "repository"}]

Nothing else may lie there, so that a file with a misspelt name is not silently left out.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.errors import InputError, Where
from reconciler.ledger.anchors.extra import needed
from reconciler.ledger.anchors.judge import Trust

if TYPE_CHECKING:
    from reconciler.keyless.identity import Identity
    from reconciler.ledger.anchors.bitcoin_headers import HeaderFile
    from reconciler.ledger.anchors.rfc3161 import Authority

MAX_BYTES = 16 * 1024 * 1024

_HEADERS, _TSA, _SIGSTORE = "bitcoin-headers.txt", "tsa", "sigstore"
_ROOT, _IDENTITIES = "trusted_root.json", "identities.json"
_HINT = "See docs/auditing.md: bitcoin-headers.txt, tsa/<authority>.pem, sigstore/."


def load_trust(directory: Path) -> Trust:
    """Read a folder of roots.

    Raises:
        InputError: It is not there, holds something that is not known, or a file of it is wrong.
        EvidenceError: A Bitcoin header is false.
        MachineError: The library that one of them needs is not installed.
    """
    names = _names(directory, {_HEADERS, _TSA, _SIGSTORE})
    return Trust(
        headers=_headers(directory / _HEADERS) if _HEADERS in names else None,
        authorities=_authorities(directory / _TSA) if _TSA in names else {},
        trusted_root=directory / _SIGSTORE / _ROOT if _SIGSTORE in names else None,
        identities=_identities(directory / _SIGSTORE) if _SIGSTORE in names else (),
    )


def _headers(file: Path) -> "HeaderFile":
    with needed():
        from reconciler.ledger.anchors.bitcoin_headers import (  # noqa: PLC0415 - lazy: an extra
            read_headers,
        )
    return read_headers(_read(file), str(file))


def _authorities(directory: Path) -> "dict[str, Authority]":
    with needed():
        from reconciler.ledger.anchors.rfc3161 import Authority  # noqa: PLC0415 - lazy: an extra
    files = sorted(directory.iterdir())
    strangers = [file for file in files if file.suffix != ".pem"]
    if strangers:
        raise _wrong(strangers[0], "is not the certificates of an authority")
    return {file.stem: Authority(file.stem, "", _read(file)) for file in files}


def _identities(directory: Path) -> "tuple[Identity, ...]":
    from reconciler.keyless.identity import Identity  # noqa: PLC0415 - lazy: an extra

    names = _names(directory, {_ROOT, _IDENTITIES})
    if names != {_ROOT, _IDENTITIES}:
        raise _wrong(directory, f"needs both {_ROOT} and {_IDENTITIES}")
    file = directory / _IDENTITIES
    try:
        listed: Any = json.loads(_read(file))
        return tuple(Identity(**one) for one in listed)
    except (ValueError, TypeError) as error:
        raise _wrong(file, f"is not a list of identities: {error}") from error


def _names(directory: Path, known: set[str]) -> set[str]:
    try:
        names = {file.name for file in directory.iterdir()}
    except OSError as error:
        raise _wrong(directory, f"cannot be read: {error.strerror}") from error
    for name in sorted(names - known):
        raise _wrong(directory / name, "is not known")
    return names


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise _wrong(file, f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise _wrong(file, f"has more than {MAX_BYTES} bytes")
    return data


def _wrong(file: Path, what: str) -> InputError:
    return InputError(what, hint=_HINT, where=Where(str(file)))

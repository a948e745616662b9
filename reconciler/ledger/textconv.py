"""An entry as a person reads it, for ``git diff`` and ``git show`` (textconv); proves nothing."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.evidence.dsse import MAX_ENVELOPE

_HINT = "It reads files of an evidence repository: entries/YYYY/MM/DD/<number>.dsse.json"


def textconv(file: Path) -> str:
    """The statement inside an envelope, indented and in ASCII, without checking any signature.

    Raises:
        InputError: The file cannot be read.
        EvidenceError: It is not a DSSE envelope around JSON.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_ENVELOPE + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise InputError(message, hint=_HINT, where=Where(str(file))) from error
    return readable(data)


def readable(envelope: bytes) -> str:
    """The statement inside an envelope, as `textconv` shows it.

    Raises:
        EvidenceError: It is too large, or not a DSSE envelope around JSON.
    """
    if len(envelope) > MAX_ENVELOPE:
        raise EvidenceError("envelope is too large", hint=_HINT)
    try:
        outer: Any = json.loads(envelope)
        statement = json.loads(b64decode(outer["payload"], validate=True))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        message = "file is not a DSSE envelope around JSON"
        raise EvidenceError(message, hint=_HINT) from error
    # ASCII: what a statement holds must not steer the terminal of whoever reads it.
    return json.dumps(statement, indent=2, ensure_ascii=True) + "\n"

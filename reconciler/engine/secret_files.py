"""Secrets that settings name and never hold: a file, or a credential that systemd passes.

Rule 1: What is in such a file is never part of a message, whatever is wrong with it.
Rule 2: A file that others can read is no secret and is refused.
"""

import os
import re
import stat
from pathlib import Path

from reconciler.engine.settings import Home
from reconciler.errors import InputError
from reconciler.ledger.sealed_keys import CREDENTIAL

MOST_BYTES = 16 * 1024
MOST_LINES = 16

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LINE = re.compile(r"[!-~]{3,4096}")
_HINT = "Put it alone into a file of mode 0600 and name that file, or pass it by LoadCredential=."


def secret_line(home: Home, reference: str, field: str) -> str:
    """The one line of a secret file.

    Args:
        home: Settings, which say where relative paths and credentials are.
        reference: A path, or ``credential:NAME``.
        field: The setting that names it, for messages.

    Raises:
        InputError: It cannot be read, others can read it, or it is not one plain line.
    """
    lines = secret_lines(home, reference, field)
    if len(lines) != 1:
        raise _unusable(home, field, f"holds {len(lines)} lines, not one")
    return lines[0]


def secret_lines(home: Home, reference: str, field: str) -> tuple[str, ...]:
    """The lines of a secret file, without empty ones and those that begin with ``#``.

    Raises:
        InputError: It cannot be read, others can read it, or it holds no plain lines.
    """
    data = _read(_place(home, reference, field), home, field)
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise _unusable(home, field, "holds something that is not plain ASCII") from error
    said = [line.strip() for line in text.splitlines()]
    lines = tuple(line for line in said if line and not line.startswith("#"))
    if not 1 <= len(lines) <= MOST_LINES or not all(_LINE.fullmatch(line) for line in lines):
        message = f"does not hold 1 to {MOST_LINES} lines of visible characters without spaces"
        raise _unusable(home, field, message)
    return lines


def _place(home: Home, reference: str, field: str) -> Path:
    if not reference.startswith(CREDENTIAL):
        return home.path(reference)
    name = reference.removeprefix(CREDENTIAL)
    if not _NAME.fullmatch(name):
        raise _unusable(home, field, "is called by a name that no credential has")
    if home.credentials is None:
        raise _unusable(home, field, "is a credential, and this process was passed none")
    return home.credentials / name


def _read(path: Path, home: Home, field: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(home, field, f"cannot be opened: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(home, field, "is not a plain file")
        # The group may read: a service manager hands credentials over with mode 0440.
        if status.st_mode & 0o037:
            mode = f"{status.st_mode & 0o777:04o}"
            raise _unusable(home, field, f"can be used by others (mode {mode})")
        data = os.read(descriptor, MOST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MOST_BYTES:
        raise _unusable(home, field, f"is larger than {MOST_BYTES} bytes")
    return data


def _unusable(home: Home, field: str, what: str) -> InputError:
    return InputError(f"the secret file {what}", hint=_HINT, where=home.where(field))

"""What an auditor asked for: control ids, from the command line or a file with one a line.

Source: the delivery rules of the OCR audit protocol ask for the specified documents only; a kit
exports what is named here and nothing more.
"""

import re
from collections.abc import Iterable

from reconciler.errors import InputError, Where

MAX_BYTES = 64 * 1024
MOST = 500

# As reconciler.model.document has it for rules, framework:control.
_CONTROL = re.compile(r"(?=.{3,80}\Z)[a-z0-9.-]+:[A-Za-z0-9.()-]+")
_HINT = "Write framework:control as the rules do, for example hipaa:164.312(b), one a line."


def parse_ask(data: bytes, file: str) -> tuple[str, ...]:
    """Read a request: one control id a line; empty lines and lines that begin with # are not read.

    Args:
        data: Content of the file.
        file: Its name, for messages.

    Raises:
        InputError: Too large, not UTF-8, a line that is no control id, or nothing asked for.
    """
    if len(data) > MAX_BYTES:
        raise InputError("the request is too large", hint=_HINT, where=Where(file))
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError("the request is not UTF-8", hint=_HINT, where=Where(file)) from error
    found = [
        _control(line.strip(), Where(file, number))
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not found:
        raise InputError("the request names no control", hint=_HINT, where=Where(file))
    return tuple(found)


def asked(named: Iterable[str], lines: Iterable[str] = ()) -> tuple[str, ...]:
    """All controls that are asked for, each once, sorted.

    Args:
        named: Control ids of the command line.
        lines: Control ids of a request that was read.

    Raises:
        InputError: One is no control id, or there are too many.
    """
    found = sorted({*(_control(name, None) for name in named), *lines})
    if len(found) > MOST:
        message = f"{len(found)} controls are asked for; a kit holds at most {MOST}"
        raise InputError(message, hint="Split the request: one kit for each part of it.")
    return tuple(found)


def file_names(controls: Iterable[str]) -> dict[str, str]:
    """Control ids with the name of their files: ``hipaa:164.312(b)`` is ``hipaa-164.312.b``.

    Raises:
        InputError: Two controls would have the same name.
    """
    found = {name: name.replace(":", "-").replace("(", ".").replace(")", "") for name in controls}
    taken: dict[str, str] = {}
    for control, name in found.items():
        other = taken.setdefault(name.lower(), control)
        if other != control:
            message = f"{other} and {control} would have files of the same name"
            raise InputError(message, hint="Ask for one of them in a kit of its own.")
    return found


def _control(text: str, where: Where | None) -> str:
    if not _CONTROL.fullmatch(text):
        raise InputError(f"{text!r:.80} is no control id", hint=_HINT, where=where)
    return text

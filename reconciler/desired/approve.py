"""Pinning runbooks: the allow-list takes the digests that the files have now."""

import hashlib
from pathlib import Path

from reconciler.desired.directory import read_directory
from reconciler.desired.fleet import read_fleet
from reconciler.errors import InputError, MachineError, Where

APPROVED = "runbooks/approved.yaml"
_HEAD = """\
# Which runbooks may run, each pinned to the exact bytes of its file. A runbook that is not here, or
# that was edited since, does not run. Renew after review: reconciler check . --write-approved
runbooks:
"""


def pin_runbooks(path: Path) -> tuple[str, ...]:
    """Pin every runbook of the allow-list to its present content; nothing is added to the list.

    Args:
        path: Root of a fleet repository's work tree.

    Returns:
        Ids whose pin changed.

    Raises:
        InputError: There is no allow-list, or it names a runbook that has no file.
        MachineError: The allow-list cannot be written.
    """
    files = read_directory(path)
    approved = read_fleet(files).approved
    where = Where(str(path / APPROVED))
    if approved is None:
        hint = "List the ids that may run under runbooks:, each with a digest."
        raise InputError("there is no readable allow-list", hint=hint, where=where)
    pins: dict[str, str] = {}
    for runbook in sorted(approved.runbooks):
        data = files.get(f"runbooks/{runbook}.yaml")
        if data is None:
            hint = f"Remove it from {APPROVED}, or add runbooks/{runbook}.yaml."
            raise InputError(f"{runbook} has no file", hint=hint, where=where)
        pins[runbook] = f"sha256:{hashlib.sha256(data).hexdigest()}"
    text = _HEAD + "".join(f"  {runbook}: {pin}\n" for runbook, pin in pins.items())
    try:
        (path / APPROVED).write_text(text, encoding="utf-8")
    except OSError as error:
        hint = "Make the work tree writable."
        raise MachineError(f"cannot write {APPROVED}: {error.strerror}", hint=hint) from error
    return tuple(runbook for runbook, pin in pins.items() if approved.runbooks[runbook] != pin)

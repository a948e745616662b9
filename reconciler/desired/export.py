"""The files of a verified commit in a directory, for Nix to evaluate: no checkout, no git.

Rule 1: Only plain files and folders with plain names; nothing that is written leads elsewhere.
Rule 2: Times of files are the same for all commits, so that equal trees give equal systems.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.desired.limits import ReadLimits
from reconciler.desired.objects import Objects
from reconciler.desired.tree import FleetTree
from reconciler.errors import MachineError
from reconciler.transport.limits import MIB

EXPORT_LIMITS = ReadLimits(file_bytes=16 * MIB, total_bytes=256 * MIB, depth=24)
"""A flake holds more than policies: lock files, pictures, packages of its own."""

_LONG_AGO = 315_532_800
"""1980-01-01: archives know no earlier time."""


@contextmanager
def exported(objects: Objects, commit: str) -> Iterator[Path]:
    """A directory with every file of a commit, for as long as it is needed.

    Args:
        objects: Where it is.
        commit: Hex id.

    Raises:
        IntentRefused: ``tree-refused`` or ``too-large``.
        MachineError: It cannot be written.
        MirrorDamaged: An object is missing.
    """
    with TemporaryDirectory(prefix="reconciler-fleet-", ignore_cleanup_errors=True) as folder:
        top = Path(folder).resolve()
        try:
            _write(FleetTree(objects, commit, EXPORT_LIMITS), top)
        except OSError as error:
            message = f"the files of {commit[:12]} cannot be written: {error.strerror}"
            raise MachineError(message, hint="Make room in the temporary directory.") from error
        yield top


def _write(tree: FleetTree, top: Path) -> None:
    for path, executable, content in tree.everything():
        file = top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        # Never through something that is there already: names differ in case and form.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(file, flags, 0o755 if executable else 0o644), "wb") as stream:
            stream.write(content)
    for folder, _, names in os.walk(top, topdown=False):
        for name in (*names, "."):
            os.utime(Path(folder) / name, (_LONG_AGO, _LONG_AGO))

"""Writing an incident to a directory: all of it or nothing, and nothing else in it."""

import os
import secrets
import shutil
from pathlib import Path

from reconciler.errors import InputError, Where
from reconciler.evidence.canonical import digest
from reconciler.ledger.durable import on_disk
from reconciler.ledger.stored import Shelf, Stored
from reconciler.report.incident import Incident, document
from reconciler.report.incident_page import page


def write_incident(directory: Path, incident: Incident, shelf: Shelf) -> list[str]:
    """Write an incident.

    Args:
        directory: Where; must not exist.
        incident: What to write.
        shelf: Where the stored entries come from.

    Returns:
        Names of the files, relative to the directory, sorted.

    Raises:
        InputError: There is something in that place.
        LedgerDamaged: An entry cannot be read.
        MachineError: It cannot be written.
    """
    if directory.exists() or directory.is_symlink():
        hint = "Choose a directory that does not exist; a bundle is never mixed with other files."
        raise InputError("is there already", hint=hint, where=Where(str(directory)))
    files = bundle(incident, shelf)
    partial = directory.with_name(f".{directory.name}.{secrets.token_hex(6)}")
    with on_disk(directory):
        try:
            for name, data in files.items():
                path = partial / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            os.rename(partial, directory)  # noqa: PTH104 - refuses to replace a directory with files
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return sorted(files)


def bundle(incident: Incident, shelf: Shelf) -> dict[str, bytes]:
    """The files of an incident, by name.

    Raises:
        LedgerDamaged: An entry cannot be read.
    """
    stored = {record.entry.seq: shelf.take(record) for record in incident.all}
    entries = {_name(one): one.raw for one in stored.values()}
    names = {seq: (_name(one), digest(one.raw)) for seq, one in stored.items()}
    return {
        "incident.json": document(incident, names),
        "incident.html": page(incident, names),
        **entries,
    }


def _name(stored: Stored) -> str:
    """As in the ledger; the commit of an entry without a file beside them."""
    return stored.record.path or f"commits/{stored.record.entry.seq:08d}.commit"

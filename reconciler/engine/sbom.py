"""The bill of materials of a system on this machine: from the Nix database to bytes.

Nothing is asked but the database and the system itself: no process is started, nothing is
evaluated, and memory does not grow with what a path has to say.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from reconciler.errors import InputError, MachineError
from reconciler.nix.closure import measure
from reconciler.nix.database import Database, PathInfo
from reconciler.nix.here import licences_of, running_system, system_behind
from reconciler.nix.store_path import name_part, package
from reconciler.report import cyclonedx, spdx
from reconciler.report.bill import Bill, Item
from reconciler.version import __version__

_LATEST = 253_402_300_799
"""The end of the year 9999: what a document can say."""

FORMATS: Mapping[str, Callable[[Bill], Iterator[str]]] = {
    "spdx": spdx.write,
    "cyclonedx": cyclonedx.write,
}


def system_to_list(asked: str | None, root: str) -> str:
    """The system that a bill is of: what was asked for, or is behind that link, else what runs.

    Raises:
        InputError: What was asked for is no store path and leads to none.
        MachineError: No NixOS runs here.
    """
    if asked is not None:
        return system_behind(asked, root)
    running = running_system(root)
    if running is None:
        raise MachineError(
            "no NixOS system runs here",
            hint="Name it: --system /nix/store/…, or a link, /nix/var/nix/profiles/system.",
        )
    return running


def bill_of(
    database: Database, system: str, *, root: str = "/", created: datetime | None = None
) -> Bill:
    """What a system is made of; the database must stay open while the bill is written.

    Args:
        database: Open.
        system: Store path.
        root: What the store lies under.
        created: The time that the document is to bear; when the system came into this store if
            nothing is said, so that the same system gives the same bytes.

    Raises:
        MachineError: The closure is not whole, the database or the list of licences is damaged.
        InputError: The time has no zone, or is of no year that can be written.
    """
    closure = measure(database.closure(system))
    licences = licences_of(system, root)

    def items() -> Iterator[Item]:
        return (_item(info, licences) for info in database.closure(system))

    return Bill(
        system=system,
        name=name_part(system),
        closure=closure,
        created=_created(database, system) if created is None else _to_the_second(created),
        version=__version__,
        items=items,
    )


def document(bill: Bill, form: str = "spdx") -> Iterator[bytes]:
    """The document, in pieces.

    Args:
        bill: What to write.
        form: One of `FORMATS`.

    Raises:
        MachineError: As `bill_of`, while it is written.
    """
    for piece in FORMATS[form](bill):
        yield piece.encode("ascii")


def digest_of(bill: Bill) -> str:
    """SHA-256 of the document in SPDX: 64 hex digits.

    Raises:
        MachineError: As `bill_of`.
    """
    whole = hashlib.sha256()
    for piece in document(bill):
        whole.update(piece)
    return whole.hexdigest()


def _item(info: PathInfo, licences: Mapping[str, tuple[str, ...]]) -> Item:
    parsed = package(info.path, info.deriver)
    return Item(
        path=info.path,
        name=parsed.name,
        version=parsed.version,
        output=parsed.output,
        nar_sha256=info.nar_sha256,
        deriver=info.deriver,
        references=info.references,
        licences=licences.get(info.path, ()),
    )


def _created(database: Database, system: str) -> str:
    info = database.info(system)
    if info is None:
        raise MachineError(f"{system} is gone from the store", hint="Ask again.")
    return _to_the_second(datetime.fromtimestamp(min(info.registered_at, _LATEST), UTC))


def _to_the_second(at: datetime) -> str:
    if at.tzinfo is None:
        raise InputError("the time has no zone", hint="Write it as 2026-03-01T12:00:00Z.")
    try:
        said = at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    except OverflowError as error:
        raise InputError(
            "the time is none of a year from 1 to 9999", hint="Write it as 2026-03-01T12:00:00Z."
        ) from error
    return f"{said.isoformat()}Z"

"""``reconciler sbom``."""

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click


@click.command()
@click.option(
    "--system",
    metavar="PATH",
    help="Store path of a system, or a link to one. Default: what runs here.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["spdx", "cyclonedx"]),
    default="spdx",
    show_default=True,
    help="SPDX 2.3 or CycloneDX 1.6, both as JSON.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="File to write, whole or not at all. Default, and -: stdout.",
)
@click.option(
    "--created",
    metavar="TIME",
    help="Time that the document bears: 2026-03-01T12:00:00Z. Default: when the system came here.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/"),
    show_default=True,
    help="What the store lies under.",
)
def command(
    system: str | None, form: str, output: Path | None, created: str | None, root: Path
) -> int:
    """Write what a system is made of, from the database of Nix.

    \b
    Every store path of the closure is listed, with the hash of its NAR, package,
    version, what it needs, and its licence where the system says it. Nothing is
    evaluated, built or fetched; the daemon need not run.

    \b
    The same system gives the same bytes. The SHA-256 of the SPDX form is in the
    ledger whenever the running system changed: entry kind `system`.

    \b
    Examples:
      reconciler sbom --output desk.spdx.json
      reconciler sbom --format cyclonedx | jq '.components | length'
      reconciler sbom --system /nix/var/nix/profiles/system-41-link --output desk.json
    """
    from reconciler.engine.sbom import bill_of, document, system_to_list
    from reconciler.nix.database import open_database

    path = system_to_list(system, str(root))
    with open_database(str(root)) as database:
        bill = bill_of(database, path, root=str(root), created=_time(created))
        _write(output, document(bill, form))
    if output is not None:
        click.echo(f"{output}: {bill.closure.paths} paths, closure {bill.closure.sha256}", err=True)
    return 0


def _write(output: Path | None, pieces: Iterable[bytes]) -> None:
    from reconciler.engine.whole_file import write_whole
    from reconciler.ledger.durable import on_disk

    if output is None or str(output) == "-":
        _to_stdout(pieces)
    elif output.exists() and not output.is_file():
        # A device or a pipe: what goes into it is not put in its place.
        with on_disk(output), output.open("wb") as stream:
            stream.writelines(pieces)
    else:
        write_whole(output, pieces)


def _to_stdout(pieces: Iterable[bytes]) -> None:
    from reconciler.errors import MachineError

    if sys.stdout is None:
        raise MachineError("standard output is closed", hint="Name a file: --output FILE.")
    sys.stdout.writelines(piece.decode("ascii") for piece in pieces)


def _time(text: str | None) -> datetime | None:
    from reconciler.errors import InputError

    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r:.60} is not a time", hint="Write it as 2026-03-01T12:00:00Z."
        ) from error

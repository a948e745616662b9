"""``reconciler evidence incident``."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.evidence_source import source_of, source_options

if TYPE_CHECKING:
    from reconciler.evidence.record import Record

LONGEST_NUMBER = 8
"""Digits of an entry's number; longer digits alone begin a fingerprint."""


@click.command()
@click.argument("which", metavar="SEQ|ID|FINGERPRINT")
@source_options
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="A directory that does not exist yet.",
)
@json_option
def command(
    which: str,
    config: Path | None,
    repository: Path | None,
    signers: Path | None,
    branch: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Write everything about one incident, from the run before it was acted on to the run after.

    SEQ is an intent, or the outcome that closed it. ID is an incident, FINGERPRINT the first eight
    digits or more of one: then the newest action for it is taken.

    The directory holds incident.json, incident.html for people, and the entries as they are
    stored. The history from the newest entry down to it is proven on the way; the same history
    gives the same bytes.
    """
    from reconciler.ledger.bundle import write_incident
    from reconciler.ledger.reader import newest_first
    from reconciler.ledger.stored import Shelf
    from reconciler.report.incident import gather

    source = source_of(config, repository, signers)
    chosen = source.branch(branch)

    def records() -> "Iterator[Record]":
        return newest_first(source.repository, chosen.client, chosen.host, chosen.signers)

    incident = gather(records(), _intent(records, which))
    names = write_incident(out, incident, Shelf(source.repository, chosen))
    if as_json:
        emit({"directory": str(out), "intent": incident.intent.entry.seq, "files": names})
    else:
        click.echo(f"incident {incident.intent.entry.seq}: {len(names)} files in {out}")


def _intent(records: "Callable[[], Iterator[Record]]", which: str) -> int:
    """The number of the intent that is meant.

    Raises:
        InputError: There is no such incident, or nobody ever acted on it.
        LedgerDamaged: An entry does not verify.
    """
    from reconciler.errors import InputError
    from reconciler.report.incident_story import tell

    if which.isascii() and which.isdecimal() and len(which) <= LONGEST_NUMBER:
        return int(which)
    story = tell(records(), which)
    if not story.intents:
        hint = f"Its story is all there is: reconciler incidents show {story.id}"
        raise InputError(f"nothing was done about incident {story.id}", hint=hint)
    return story.intents[-1]

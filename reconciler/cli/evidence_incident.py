"""``reconciler evidence incident``."""

from pathlib import Path

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.evidence_source import source_of, source_options


@click.command()
@click.argument("seq", type=click.IntRange(0, 99_999_999))
@source_options
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="A directory that does not exist yet.",
)
@json_option
def command(
    seq: int,
    config: Path | None,
    repository: Path | None,
    signers: Path | None,
    branch: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Write everything about one incident: SEQ is its intent, or the outcome that closed it.

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
    records = newest_first(source.repository, chosen.client, chosen.host, chosen.signers)
    incident = gather(records, seq)
    names = write_incident(out, incident, Shelf(source.repository, chosen))
    if as_json:
        emit({"directory": str(out), "intent": incident.intent.entry.seq, "files": names})
    else:
        click.echo(f"incident {incident.intent.entry.seq}: {len(names)} files in {out}")

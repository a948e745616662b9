"""``reconciler init``."""

from dataclasses import asdict
from pathlib import Path

import click

from reconciler.cli.common import emit, json_option


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--client", default="example-clinic", show_default=True, help="The clinic's id.")
@click.option("--host", default="workstation", show_default=True, help="This machine's id.")
@click.option("--fleet", metavar="URL", help="Join a fleet repository that exists already.")
@click.option(
    "--signers",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --fleet: its allowed_signers file, from somebody you trust; it is pinned.",
)
@json_option
def command(
    directory: Path,
    client: str,
    host: str,
    fleet: str | None,
    signers: Path | None,
    as_json: bool,
) -> None:
    """Make a private fleet repository, keys and an enrolled appliance under DIRECTORY.

    The fleet repository starts from this project's templates (an example client, HIPAA policies,
    runbooks), is signed with a fresh engineer key, and is the only thing the appliance trusts.
    Nothing that is there already is overwritten.

    With --fleet and --signers the appliance joins a fleet repository that exists: only its key, its
    ledger and its settings are made. Put the printed evidence signer into the auditor's file.
    """
    from reconciler.engine.scaffold import scaffold

    made = scaffold(directory, client, host, fleet=fleet, signers=signers)
    if as_json:
        emit({name: value and str(value) for name, value in asdict(made).items()})
        return
    if made.commit:
        click.echo(f"fleet repository    {made.fleet}  (signed commit {made.commit[:12]})")
        click.echo(f"engineer key        {made.engineer}")
    click.echo(f"evidence repository {made.evidence}")
    click.echo(f"appliance key       {made.appliance}")
    click.echo(f"settings            {made.settings}")
    click.echo(f"\nNext: reconciler run --once --config {made.settings}")

"""``reconciler init``."""

from pathlib import Path

import click

from reconciler.cli.common import emit, json_option


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--client", default="example-clinic", show_default=True, help="The clinic's id.")
@click.option("--host", default="workstation", show_default=True, help="This machine's id.")
@json_option
def command(directory: Path, client: str, host: str, as_json: bool) -> None:
    """Make a private fleet repository, keys and an enrolled appliance under DIRECTORY.

    The fleet repository starts from this project's templates (an example client, HIPAA policies,
    runbooks), is signed with a fresh engineer key, and is the only thing the appliance trusts.
    Nothing that is there already is overwritten.
    """
    from reconciler.engine.scaffold import scaffold

    made = scaffold(directory, client, host)
    if as_json:
        emit({name: str(getattr(made, name)) for name in type(made).__slots__})
        return
    click.echo(f"fleet repository    {made.fleet}  (signed commit {made.commit[:12]})")
    click.echo(f"evidence repository {made.evidence}")
    click.echo(f"engineer key        {made.engineer}")
    click.echo(f"appliance key       {made.appliance}")
    click.echo(f"settings            {made.settings}")
    click.echo(f"\nNext: reconciler run --once --config {made.settings}")

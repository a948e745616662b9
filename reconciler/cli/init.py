"""``reconciler init``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emit, json_option

if TYPE_CHECKING:
    from reconciler.engine.scaffold.make import Joins, Scaffold


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--client", default="example-clinic", show_default=True, help="The clinic's id.")
@click.option("--host", default="workstation", show_default=True, help="This machine's id.")
@click.option("--engineer", metavar="ID", help="You: an id, or an address. [default: engineer]")
@click.option(
    "--person",
    "people",
    metavar="ID=PUBKEYFILE",
    multiple=True,
    help="Somebody else who may change the fleet; with one, two people must agree.",
)
@click.option("--fleet", metavar="URL", help="Join a fleet repository that exists already.")
@click.option(
    "--signers",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --fleet: its allowed_signers file, from somebody you trust; it is pinned.",
)
@click.option(
    "--pin",
    metavar="COMMIT",
    help="With --fleet, recommended: a commit that you checked, where trust begins.",
)
@json_option
def command(
    directory: Path,
    client: str,
    host: str,
    engineer: str | None,
    people: tuple[str, ...],
    fleet: str | None,
    signers: Path | None,
    pin: str | None,
    as_json: bool,
) -> None:
    """Make a private fleet repository, keys and an enrolled appliance under DIRECTORY.

    The fleet repository starts from this project's templates (an example client, HIPAA policies,
    runbooks, a trust policy, workflows for CI), is signed with a fresh engineer key, and its first
    commit is where the appliance's trust begins. Nothing that is there already is overwritten.

    With --fleet and --signers the appliance joins a fleet repository that exists: only its key, its
    ledger and its settings are made.
    """
    from reconciler.engine.scaffold.make import scaffold
    from reconciler.engine.scaffold.trust import ENGINEER, person

    joins = _joins(fleet, signers, pin, new=engineer is not None or bool(people))
    others = [person(text) for text in people]
    made = scaffold(
        directory, client, host, engineer=engineer or ENGINEER, people=others, joins=joins
    )
    if as_json:
        emit({name: value and str(value) for name, value in asdict(made).items()})
        return
    _say(made, alone=not others)


def _joins(
    fleet: str | None, signers: Path | None, pin: str | None, *, new: bool
) -> "Joins | None":
    """The fleet that is joined, if one is; half a description of it is none."""
    from reconciler.engine.scaffold.make import Joins
    from reconciler.errors import InputError

    if fleet is not None and signers is not None and not new:
        return Joins(fleet, signers, pin)
    if (fleet, signers, pin) == (None, None, None):
        return None
    if new:
        raise InputError(
            "who may change a fleet that exists is decided in it",
            hint="Leave --engineer and --person out, or make a new fleet without --fleet.",
        )
    raise InputError(
        "an existing fleet repository needs its signers, and signers or a pin need a fleet",
        hint="Give --fleet URL, --signers FILE and --pin COMMIT, or none of them.",
    )


def _say(made: "Scaffold", *, alone: bool) -> None:
    if made.commit:
        click.echo(f"fleet repository    {made.fleet}  (signed commit {made.commit[:12]})")
        click.echo(f"engineer key        {made.engineer}")
    click.echo(f"evidence repository {made.evidence}")
    click.echo(f"appliance key       {made.appliance}")
    click.echo(f"settings            {made.settings}")
    if made.commit and alone:
        click.echo("\nOne person decides everything here: whoever gets that key has every machine.")
        click.echo(f"Add a second: {made.fleet}/policies/trust/policy.yaml says how.")
    if made.commit is None:
        signer = made.settings.parent / "trust" / "evidence_signers"
        click.echo(f"\nAdd its key to policies/trust/evidence_signers of the fleet: {signer}")
    if made.pin is None:
        click.echo("\nNo commit is pinned: the first that the pinned signers signed is accepted.")
        click.echo("Set fleet.pin in the settings to one that you checked (--pin does it).")
    click.echo(f"\nNext: reconciler run --once --config {made.settings}")

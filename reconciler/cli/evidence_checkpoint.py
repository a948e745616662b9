"""``reconciler evidence checkpoint``."""

from pathlib import Path

import click

from reconciler.cli.common import config_option, emit, home_of, json_option


@click.command()
@config_option
@json_option
def command(config: Path | None, as_json: bool) -> None:
    """Sign the root of the log now, and print the note.

    \b
    The daemon does it every hour; this is for somebody who wants a checkpoint of
    this moment: before a machine is handed over, or for a witness without a
    network. The daemon holds the ledger while it runs: stop it first. The note
    is a C2SP checkpoint, and proves nothing before somebody else has seen it.
    """
    from reconciler.engine.appliance import open_appliance
    from reconciler.engine.upkeep.checkpoints import checkpoint_now

    with open_appliance(home_of(config)) as appliance:
        receipt, note = checkpoint_now(appliance)
    if as_json:
        document = {"seq": receipt.seq, "commit": receipt.commit, "sha256": receipt.digest}
        emit(document | {"note": note})
    else:
        click.echo(note, nl=False)

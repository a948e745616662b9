"""``reconciler evidence annotate``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import config_option, emit, home_of, json_option

if TYPE_CHECKING:
    from reconciler.engine.appliance import Appliance
    from reconciler.ledger.receipt import Receipt


@click.command()
@click.argument("seq", type=click.IntRange(0, 99_999_999))
@click.option("--text", required=True, help="One or two sentences, without names of patients.")
@click.option("--by", required=True, help="Who says it: a name or a role of the workforce.")
@config_option
@json_option
def command(seq: int, text: str, by: str, config: Path | None, as_json: bool) -> None:
    """Correct or explain an entry: signed, beside it, for ever. Entries are never edited.

    Text that looks as if it could name a patient is refused before anything is signed. The daemon
    holds the ledger while it runs: stop it first.
    """
    from reconciler.engine.appliance import open_appliance
    from reconciler.report.annotation import check_text

    check_text(text)
    with open_appliance(home_of(config)) as appliance:
        receipt = _append(appliance, seq, text, by)
    if as_json:
        emit({"seq": receipt.seq, "commit": receipt.commit, "sha256": receipt.digest})
    else:
        click.echo(f"entry {receipt.seq} annotates entry {seq}; commit {receipt.commit}")


def _append(appliance: "Appliance", seq: int, text: str, by: str) -> "Receipt":
    """Under the same rules about the clock as a run, and after what a crash left unsealed."""
    from reconciler.engine.append import seal_waiting
    from reconciler.engine.upkeep.checkpoints import gather_facts
    from reconciler.ledger.annotate import annotate

    facts = gather_facts(appliance)
    seal_waiting(appliance, facts, lambda _where: None)
    at = appliance.clock.now()
    clock, boot_id = facts.reading(at), facts.boot_id
    return annotate(appliance.ledger, seq, text, by, at=at, clock=clock, boot_id=boot_id)

"""``reconciler evidence annotate``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import config_option, emit, home_of, json_option

if TYPE_CHECKING:
    from reconciler.engine.appliance import Appliance
    from reconciler.ledger.receipt import Receipt
    from reconciler.model.answer import Answer


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
    """Under the same rules about the clock as a run."""
    from reconciler.engine.facts import gather, refuse_jump
    from reconciler.ledger.annotate import annotate

    machine = appliance.make_target("/", _nothing_known)
    deadline_s = float(appliance.home.settings.probe_deadline_s)
    facts = gather(appliance.clock, machine, deadline_s)
    refuse_jump(facts, appliance.ledger.tip.time, appliance.past.last_clock)
    at = appliance.clock.now()
    clock, boot_id = facts.reading(at), facts.boot_id
    return annotate(appliance.ledger, seq, text, by, at=at, clock=clock, boot_id=boot_id)


def _nothing_known(topic: str) -> "Answer":
    from reconciler.model.answer import Answer

    return Answer("unsupported", reason=f"{topic}: not asked for an annotation")

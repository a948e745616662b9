"""``reconciler evidence receive`` and ``textconv``: what git itself calls."""

import os
import sys
from pathlib import Path

import click

from reconciler.errors import ExitCode

_MAX_INPUT = 1024 * 1024


@click.command("receive")
def receive() -> int:
    """Decide on a push; called by the pre-receive hook of an evidence repository.

    Reads what git gives a hook: lines on standard input, the repository as working directory, and
    the place of the new objects in the environment. Exit 6 refuses the push; the reasons go to
    standard error, which git shows to whoever pushes.
    """
    from reconciler.engine.clock import SystemClock
    from reconciler.ledger.receive import receive as decide
    from reconciler.ledger.remote.init import server_signers

    repository = Path(os.environ.get("GIT_DIR", ".")).resolve()
    quarantine = os.environ.get("GIT_QUARANTINE_PATH")
    refusals = decide(
        sys.stdin.read(_MAX_INPUT).splitlines(),
        repository,
        quarantine=Path(quarantine) if quarantine else None,
        signers=server_signers(repository),
        now=SystemClock().now(),
    )
    for refusal in refusals:
        # The first line is for the appliance, which knows these codes; the second for a person.
        click.echo(f"reconciler-refusal: {refusal.code}", err=True)
        click.echo(str(refusal), err=True)
    return int(ExitCode.EVIDENCE) if refusals else 0


@click.command("textconv")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def textconv(file: Path) -> None:
    """Show the statement inside the entry FILE, indented; checks no signature.

    \b
    In a clone:  git config diff.dsse.textconv 'reconciler evidence textconv'
                 echo '*.dsse.json diff=dsse' >> .git/info/attributes
    """
    from reconciler.ledger.textconv import textconv as convert

    click.echo(convert(file), nl=False)

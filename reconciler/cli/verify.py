"""``reconciler verify``."""

from pathlib import Path

import click

from reconciler.cli.common import emit, json_option
from reconciler.errors import ExitCode


@click.command()
@click.argument("repository", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--signers",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="allowed_signers file with the appliances' keys, from somebody you trust.",
)
@click.option("--branch", help="Audit one branch: CLIENT/HOST. Default: all of them.")
@json_option
def command(repository: Path, signers: Path, branch: str | None, as_json: bool) -> int:
    """Audit a whole evidence repository offline; exit 6 when anything is wrong.

    Every byte under its objects and refs is checked, every commit parsed from raw bytes, every
    signature, sequence number and link of the chain verified. Unverified is never accepted: each
    fault is printed with its place.
    """
    from reconciler.ledger.verify import load_signers, verify
    from reconciler.report.audit import as_document, render

    wanted = {_branch(branch)} if branch else None
    result = verify(repository, load_signers(signers), branches=wanted)
    if as_json:
        emit(as_document(result))
    else:
        click.echo(render(result))
    return 0 if result.ok else int(ExitCode.EVIDENCE)


def _branch(text: str) -> tuple[str, str]:
    client, slash, host = text.partition("/")
    if not slash or not client or not host:
        raise click.BadParameter("must be CLIENT/HOST", param_hint="--branch")
    return client, host

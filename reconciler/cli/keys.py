"""``reconciler keys``."""

from pathlib import Path

import click

from reconciler.cli.common import emit, json_option


@click.group()
def command() -> None:
    """Make and show signing keys (Ed25519, OpenSSH format)."""


@command.command("generate")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--comment", required=True, help="Whose key it is: <client>/<host> or a mail address."
)
@json_option
def generate(file: Path, comment: str, as_json: bool) -> None:
    """Make a new key at FILE (mode 0600) and FILE.pub; an existing file is never overwritten."""
    from reconciler.ledger import keys

    _show(keys.public(keys.generate(file, comment)), comment, as_json)


@command.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def show(file: Path, as_json: bool) -> None:
    """Show the public half of the private key at FILE: for allowed_signers files."""
    from reconciler.ledger import keys

    _show(keys.public(keys.load(file)), "", as_json)


def _show(public: bytes, comment: str, as_json: bool) -> None:
    from reconciler.evidence import sshsig

    line, fingerprint = sshsig.public_line(public, comment), sshsig.fingerprint(public)
    if as_json:
        emit({"public": line, "fingerprint": fingerprint})
        return
    click.echo(line)
    click.echo(fingerprint, err=True)

"""``reconciler keys``."""

from pathlib import Path

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.keys_authorize import authorize
from reconciler.cli.keys_change import replace, rotate
from reconciler.cli.keys_common import EXIT_CODES
from reconciler.cli.keys_enroll import enroll
from reconciler.cli.keys_trust import list_keys, revoke


@click.group(epilog=EXIT_CODES)
def command() -> None:
    """Make, change, revoke and show signing keys (Ed25519, OpenSSH format).

    \b
    The life of an appliance's key:
      enroll     make it on the appliance, list it in the fleet repository
      rotate     the old key announces a new one and signs no more
      replace    the hardware is gone: a new key, authorized by a recovery person
      revoke     the key was stolen: it ends at an entry that is still trusted
      list       which keys there are, and how they stand
    """


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


for subcommand in (enroll, rotate, replace, authorize, revoke, list_keys):
    command.add_command(subcommand)


def _show(public: bytes, comment: str, as_json: bool) -> None:
    from reconciler.evidence import sshsig

    line, fingerprint = sshsig.public_line(public, comment), sshsig.fingerprint(public)
    if as_json:
        emit({"public": line, "fingerprint": fingerprint})
        return
    click.echo(line)
    click.echo(fingerprint, err=True)

"""``reconciler keys authorize``, and what is shown of a request."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import emit, json_option
from reconciler.cli.keys_common import EXIT_CODES, file_type

if TYPE_CHECKING:
    from reconciler.evidence.key_change import Announcement


@click.command(epilog=EXIT_CODES)
@click.argument("request", type=file_type)
@click.option("--key", required=True, type=file_type, help="Your recovery key, without passphrase.")
@click.option("--output", type=file_type, help="Default: REQUEST.sig.")
@click.option("--yes", is_flag=True, help="Do not ask; what is authorized is still shown.")
@json_option
def authorize(request: Path, key: Path, output: Path | None, yes: bool, as_json: bool) -> None:
    """Sign a request to replace an appliance's key. You are the second pair of eyes: look first.

    Ask the person at the new machine, on a channel that you know, for the fingerprint of the new
    key; and compare the entry before with your own copy of the evidence repository. What you sign
    holds for this key at this place of this branch, and for nothing else.

    \b
    A key with a passphrase or in an agent: stock tools sign the same bytes.
      ssh-keygen -Y sign -n reconciler-key-recovery -f KEY REQUEST
    """
    from reconciler.evidence import key_change
    from reconciler.ledger import keys
    from reconciler.ledger.key_swap import rewrite

    announcement = key_change.Announcement.from_bytes(
        read_given(request, key_change.MAX_ANNOUNCEMENT)
    )
    click.echo(words(announcement), err=True)
    if not yes:
        click.confirm("Authorize this?", abort=True, err=True)
    armor = key_change.authorize(announcement, keys.load(key))
    file = output or request.with_name(f"{request.name}.sig")
    rewrite(file, f"{armor}\n".encode())
    if as_json:
        emit({"authorization": str(file), **document_of(announcement)})
    else:
        click.echo(f"authorization  {file}")


def words(announcement: "Announcement") -> str:
    """What is asked for, for a person who has to decide."""
    from reconciler.evidence import sshsig

    return "\n".join(
        (
            f"branch           {announcement.ref}",
            f"takes over at    entry {announcement.seq}",
            f"entry before     statement sha256 {announcement.previous}",
            f"new key          {sshsig.fingerprint(announcement.public)}",
            f"action           {announcement.action.value}",
        )
    )


def document_of(announcement: "Announcement") -> dict[str, Any]:
    """The same for machines."""
    from reconciler.evidence import sshsig

    return {
        "ref": announcement.ref,
        "seq": announcement.seq,
        "previous": announcement.previous,
        "fingerprint": sshsig.fingerprint(announcement.public),
        "action": announcement.action.value,
    }


def read_given(file: Path, limit: int) -> bytes:
    """A small file that somebody else wrote; one byte more than the limit at most.

    Raises:
        InputError: It cannot be read.
    """
    from reconciler.errors import InputError, Where

    try:
        with file.open("rb") as stream:
            return stream.read(limit + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        hint = "Give the file that the other side wrote."
        raise InputError(message, hint=hint, where=Where(str(file))) from error

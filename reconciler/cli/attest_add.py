"""``reconciler attest add`` and ``sync``."""

from pathlib import Path

import click

from reconciler.cli.attest_common import Desk, clone_options, file_type, finish, say


@click.command()
@click.option(
    "--payload", required=True, type=file_type, help="What --unsigned wrote and ssh-keygen signed."
)
@click.option("--signature", required=True, type=file_type, help="What ssh-keygen wrote: FILE.sig.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the file below this directory, and leave the branch alone.",
)
@clone_options
def add(
    payload: Path,
    signature: Path,
    output: Path | None,
    repository: Path,
    attestations: str,
    remote: str,
    as_json: bool,
) -> None:
    """Put a statement on the branch that an agent or a hardware key signed.

    \b
    ssh-keygen -Y sign -n reconciler-attestation -f KEY FILE
    reconciler attest add --payload FILE --signature FILE.sig
    """
    from reconciler.cli.keys_authorize import read_given
    from reconciler.desired.attest.branch import sealed
    from reconciler.trust import envelope

    desk = Desk.open(repository, attestations, remote, as_json)
    signed = envelope.payload_of(read_given(payload, envelope.MAX_ENVELOPE))
    armor = read_given(signature, 4096).decode("utf-8", "replace")
    finish(desk, output, signed, sealed(signed, armor))


@click.command()
@click.option("--anew", is_flag=True, help="Keep every file and drop the history, once a year.")
@clone_options
def sync(anew: bool, repository: Path, attestations: str, remote: str, as_json: bool) -> None:
    """Join the branch with the server's copy, when both have grown. Fetch first, push after.

    No file is dropped: they are named by their content, and of two heartbeats the higher number
    stays. The history means nothing, since every file proves itself; a heartbeat an hour makes it
    8 MB a year longer.
    """
    desk = Desk.open(repository, attestations, remote, as_json)
    if anew:
        added = desk.branch.begin_anew(desk.now)
        push = f"git push --force-with-lease {remote} {attestations}"
    else:
        added = desk.branch.add({}, desk.now, "Join attestations")
        push = desk.push
    lines = [f"commit   {added.commit}", f"now:     {push}"]
    say(desk, {"commit": added.commit, "push": push}, lines)

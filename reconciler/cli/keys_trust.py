"""``reconciler keys revoke`` and ``reconciler keys list``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import config_option, emit, home_of, json_option
from reconciler.cli.keys_common import (
    EXIT_CODES,
    FLEET_SIGNERS,
    directory_type,
    file_type,
    fleet_option,
    git_commands,
)

if TYPE_CHECKING:
    from reconciler.evidence.signers import AllowedSigners, Signer

_ALL = 99_999_999


@click.command(epilog=EXIT_CODES)
@click.argument("key", metavar="FINGERPRINT")
@click.option(
    "--last-seq",
    required=True,
    type=click.IntRange(-1, _ALL),
    help="The last entry by this key that is still trusted; -1: none.",
)
@click.option("--reason", required=True, help="One line for people; becomes the line's comment.")
@click.option("--signers", type=file_type, help="The file of evidence signers to edit.")
@fleet_option
@json_option
def revoke(
    key: str, last_seq: int, reason: str, signers: Path | None, fleet: Path | None, as_json: bool
) -> None:
    """End what a key may sign, by the number of an entry and not by the clock.

    FINGERPRINT is SHA256:… as keys list shows it. Entries after --last-seq stop verifying, whatever
    time they claim. They stay in the ledger: nobody can say who wrote them, and the audit says so.
    Take the last entry that a witness, an anchor or a copy vouches for from before the theft.

    \b
    Example:
      reconciler keys revoke SHA256:abc… --last-seq 1234 --reason "laptop stolen" --fleet ~/fleet
    """
    file = _file(signers, fleet)
    found = _end(file, key, last_seq, reason)
    commands: list[str] = []
    if fleet is not None:
        branch = f"revoke-{found.principal.replace('/', '-').replace('@', '-at-')}"
        commands = git_commands(fleet, branch, f"Revoke a key of {found.principal}")
    if as_json:
        place = {"principal": found.principal, "fingerprint": key, "file": str(file)}
        emit({**place, "lastSeq": last_seq, "commands": commands})
        return
    click.echo(f"{key} of {found.principal} signs nothing after entry {last_seq}: {file}")
    for command in commands:
        click.echo(f"  {command}")
    click.echo(_next_steps(found))


@click.command("list", epilog=EXIT_CODES)
@config_option
@click.option("--signers", type=file_type, help="A file of evidence signers, without settings.")
@click.option(
    "--repository", type=directory_type, help="An evidence repository to look through as well."
)
@json_option
def list_keys(
    config: Path | None, signers: Path | None, repository: Path | None, as_json: bool
) -> None:
    """List the keys of evidence: whose, for which entries, first and last use, and how they stand.

    Looks through every branch, also of a ledger that does not verify; it is no audit. With
    --signers alone only the file is read.
    """
    from reconciler.engine.clock import SystemClock
    from reconciler.ledger.key_use import keys_of
    from reconciler.ledger.verify import load_signers
    from reconciler.report.keys import as_document, render, rows_of

    if signers is None:
        home = home_of(config)
        signers = home.path(home.settings.evidence.signers)
        repository = repository or home.path(home.settings.evidence.repository)
    allowed = load_signers(signers)
    branches = {} if repository is None else keys_of(repository, allowed)
    used = {name: found.uses for name, found in branches.items()}
    rows = rows_of(allowed, used, SystemClock().now())
    faults = {name: found.faults for name, found in branches.items() if found.faults}
    if as_json:
        emit({"keys": as_document(rows), "faults": faults})
        return
    click.echo(render(rows))
    for name, count in faults.items():
        click.echo(f"{name}: {count} faults; see: reconciler verify {repository}", err=True)


def _file(signers: Path | None, fleet: Path | None) -> Path:
    if signers is not None and fleet is None:
        return signers
    if fleet is not None and signers is None:
        return fleet / FLEET_SIGNERS
    raise click.UsageError("give --signers FILE or --fleet DIR")


def _end(file: Path, key: str, last_seq: int, reason: str) -> "Signer":
    from reconciler.evidence.signer_lines import closed
    from reconciler.ledger.key_swap import rewrite
    from reconciler.ledger.verify import load_signers

    found = _find(load_signers(file), key)
    note = f"revoked: {reason}"
    rewrite(file, closed(file.read_bytes(), str(file), found.public, last_seq, note))
    return found


def _find(allowed: "AllowedSigners", key: str) -> "Signer":
    from reconciler.errors import InputError, Where
    from reconciler.evidence.sshsig import fingerprint

    for signer in allowed.signers:
        if fingerprint(signer.public) == key:
            return signer
    hint = f"See the fingerprints: reconciler keys list --signers {allowed.file}"
    raise InputError(f"no key {key[:80]} is listed", hint=hint, where=Where(allowed.file))


def _next_steps(found: "Signer") -> str:
    if "/" not in found.principal or found.principal.startswith("witness/"):
        return "Give the holder a new key, with a line of its own."
    return (
        "If the appliance still signs with it: reconciler keys replace, on that appliance.\n"
        "Say beside the ledger what happened: reconciler evidence annotate."
    )

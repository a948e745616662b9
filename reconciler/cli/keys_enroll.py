"""``reconciler keys enroll``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import config_option, emit, home_of, json_option
from reconciler.cli.keys_common import (
    EXIT_CODES,
    FLEET_SIGNERS,
    directory_type,
    edit_fleet,
    fleet_option,
    git_commands,
    place_of,
    protection,
    sealer,
    service_lines,
)

if TYPE_CHECKING:
    from reconciler.evidence.signers import Signer
    from reconciler.ledger.sealed_keys import KeyFile


@dataclass(frozen=True)
class _Appliance:
    principal: str
    place: "KeyFile"
    signers_file: Path


@click.command(epilog=EXIT_CODES)
@config_option
@click.option("--client", help="Without settings: the clinic's id.")
@click.option("--host", help="Without settings: the appliance's id.")
@click.option(
    "--directory",
    type=directory_type,
    help="Without settings: the appliance's directory; the key is keys/appliance in it.",
)
@click.option(
    "--protect",
    type=click.Choice(["auto", "tpm", "host", "file"]),
    default="auto",
    show_default=True,
    help="Seal the key to the TPM, or to the host key, or keep a plain file 0600. auto: the "
    "strongest that there is here.",
)
@fleet_option
@json_option
def enroll(
    config: Path | None,
    client: str | None,
    host: str | None,
    directory: Path | None,
    protect: str,
    fleet: Path | None,
    as_json: bool,
) -> None:
    """Make this appliance's evidence key, and the line by which others know it.

    The private half is made here and never leaves this machine. The public half goes into the fleet
    repository by a pull request that an engineer signs: only then is evidence by this key trusted.
    A key that is there already is left alone, and its line is printed again.

    \b
    Examples:
      reconciler keys enroll --config /etc/reconciler/reconciler.yaml --fleet ~/fleet
      reconciler keys enroll --client elm --host front --directory /var/lib/reconciler
    """
    from reconciler.evidence import signer_lines, signers, sshsig

    appliance = _appliance(config, client, host, directory)
    made, public = _key(appliance, protect)
    line = signer_lines.appliance_line(appliance.principal, public)
    _add_line(appliance.signers_file, line)
    commands = []
    if fleet is not None:
        edit_fleet(fleet, lambda data, name: signer_lines.added(data, name, line))
        branch = f"enroll-{appliance.principal.replace('/', '-')}"
        commands = git_commands(fleet, branch, f"Enroll {appliance.principal}")
    document = {
        "principal": appliance.principal,
        "made": made,
        "fingerprint": sshsig.fingerprint(public),
        "line": signers.render(line),
        "file": FLEET_SIGNERS,
        "signers": str(appliance.signers_file),
        "service": service_lines(appliance.place),
        "commands": commands,
    }
    if as_json:
        emit(document)
        return
    _tell(document, fleet)


def _appliance(
    config: Path | None, client: str | None, host: str | None, directory: Path | None
) -> _Appliance:
    from reconciler.evidence import layout
    from reconciler.ledger.sealed_keys import KeyFile

    if directory is None and client is None and host is None:
        home = home_of(config)
        principal = layout.principal(home.settings.client, home.settings.host)
        signers_file = home.path(home.settings.evidence.signers)
        return _Appliance(principal, place_of(home, None), signers_file)
    if directory is None or client is None or host is None or config is not None:
        message = "give --config, or all of --client, --host and --directory"
        raise click.UsageError(message)
    for name in ("keys", "trust"):
        (directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    principal = layout.principal(_name("--client", client), _name("--host", host))
    place = KeyFile.at(directory / "keys" / "appliance")
    return _Appliance(principal, place, directory / "trust" / "evidence_signers")


def _name(option: str, text: str) -> str:
    from pydantic import TypeAdapter, ValidationError

    from reconciler.model.document import Name

    try:
        return TypeAdapter[str](Name).validate_python(text)
    except ValidationError as error:
        raise click.BadParameter("must be a DNS label", param_hint=option) from error


def _key(appliance: _Appliance, protect: str) -> tuple[bool, bytes]:
    """Whether a key was made, and its public half."""
    from reconciler.ledger import keys, sealed_keys

    place = appliance.place
    if place.exists():
        return False, sealed_keys.read_public(place)
    kind = protection(protect, place)
    key = sealed_keys.make(place, appliance.principal, kind, sealer())
    return True, keys.public(key)


def _add_line(file: Path, line: "Signer") -> None:
    from reconciler.evidence import signer_lines
    from reconciler.ledger.key_swap import rewrite

    before = file.read_bytes() if file.exists() else b""
    after = signer_lines.added(before, str(file), line)
    if after != before:
        rewrite(file, after)


def _tell(document: dict[str, object], fleet: Path | None) -> None:
    state = "new key" if document["made"] else "key is there already"
    click.echo(f"{state}  {document['fingerprint']}  for {document['principal']}")
    for line in document["service"] if isinstance(document["service"], list) else []:
        click.echo(line)
    click.echo(f"\nThis line goes into {FLEET_SIGNERS} of the fleet repository:\n")
    click.echo(f"  {document['line']}")
    if fleet is None:
        click.echo("\nWith --fleet DIR it is written there, and the git commands are shown.")
        return
    click.echo("\nIt is in your checkout now. Compare the fingerprint on both machines, then:\n")
    for command in document["commands"] if isinstance(document["commands"], list) else []:
        click.echo(f"  {command}")

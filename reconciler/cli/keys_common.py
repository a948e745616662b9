"""What the commands about keys share: where a key is, and what to do with the fleet repository."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.errors import EvidenceError, InputError, Where

if TYPE_CHECKING:
    from reconciler.engine.settings import Home
    from reconciler.ledger.key_site import Site
    from reconciler.ledger.sealed_keys import KeyFile, Protection, Sealer

FLEET_SIGNERS = "policies/trust/evidence_signers"
EXIT_CODES = """\b
Exit codes:
  0  done
  2  wrong usage of the command line
  5  bad input: a file, a setting or an argument is wrong
  6  a key is missing or not the ledger's, or an authorization or the ledger does not verify
  7  this machine would not do it: disk, permission, lock, nothing to seal with
"""

file_type = click.Path(path_type=Path, dir_okay=False)
directory_type = click.Path(path_type=Path, file_okay=False)
key_option = click.option(
    "--key-file",
    type=file_type,
    help="Where the key is (FILE or FILE.cred). Default: as evidence.key of the settings says.",
)
fleet_option = click.option(
    "--fleet",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help=f"Checkout of the fleet repository: edit {FLEET_SIGNERS} in it, for a pull request.",
)
reason_option_values = ("scheduled", "suspected", "hardware", "lost")


def sealer() -> "Sealer":
    """``systemd-creds`` of this machine; RECONCILER_TPM_DEVICE names another TPM than its own."""
    from reconciler.targets.linux.credentials import SystemdCreds

    return SystemdCreds(os.environ.get("RECONCILER_TPM_DEVICE"))


def protection(name: str, place: "KeyFile") -> "Protection":
    """The protection that was asked for; ``same`` is as strong as the present key has it."""
    from reconciler.ledger.sealed_keys import Protection, best

    if name == "auto" or (name == "same" and place.sealed.exists()):
        return best(sealer())
    return Protection.FILE if name == "same" else Protection(name)


def place_of(home: "Home", key_file: Path | None) -> "KeyFile":
    """Where the key of an appliance is."""
    from reconciler.ledger.sealed_keys import CREDENTIAL, KeyFile

    reference = home.settings.evidence.key
    if key_file is None and reference.startswith(CREDENTIAL):
        return KeyFile.at(home.base / "keys" / reference.removeprefix(CREDENTIAL))
    return KeyFile.at(key_file or home.path(reference))


def site_of(home: "Home", key_file: Path | None) -> "Site":
    """The appliance of some settings."""
    from reconciler.ledger.key_site import Site

    settings = home.settings
    return Site(
        home.path(settings.evidence.repository),
        settings.client,
        settings.host,
        place_of(home, key_file),
        home.path(settings.evidence.signers),
        sealer(),
    )


@contextmanager
def held(home: "Home") -> Iterator[None]:
    """Hold the host's lock: neither a run nor a second change of keys goes on meanwhile."""
    from reconciler.ledger.lock import HostLock

    with HostLock(home.path(home.settings.state) / "lock"):
        yield


def check_sealed(home: "Home") -> None:
    """Make sure that no runs wait to be sealed: only the present key can do it.

    Raises:
        EvidenceError: Some do, because the service was killed.
    """
    from reconciler.engine.sealing import load_queue

    waiting = load_queue(home.path(home.settings.state)).waiting
    if waiting is not None:
        message = f"{len(waiting.runs)} runs wait to be sealed with the present key"
        hint = "Seal them first: start and stop the service, or reconciler run --once."
        raise EvidenceError(message, hint=hint)


def edit_fleet(fleet: Path, change: Callable[[bytes, str], bytes]) -> Path:
    """Edit the evidence signers of a checkout.

    Raises:
        InputError: It is no fleet repository, or the file in it is malformed.
        MachineError: It cannot be written.
    """
    from reconciler.ledger.key_swap import rewrite

    file = fleet / FLEET_SIGNERS
    if not file.parent.is_dir():
        hint = "Give the top directory of a checkout, which has policies/trust/."
        raise InputError("this is no fleet repository", hint=hint, where=Where(str(fleet)))
    before = file.read_bytes() if file.exists() else b""
    after = change(before, str(file))
    if after != before:
        rewrite(file, after)
    return file


def git_commands(fleet: Path, branch: str, message: str) -> list[str]:
    """How the edit becomes a pull request."""
    return [
        f"git -C {fleet} switch -c {branch}",
        f"git -C {fleet} add {FLEET_SIGNERS}",
        f'git -C {fleet} commit -S -m "{message}"',
        f"git -C {fleet} push -u origin {branch}",
    ]


def service_lines(place: "KeyFile") -> list[str]:
    """What the unit and the settings need for a key that is sealed; nothing for a plain one."""
    if not place.sealed.exists():
        return []
    return [
        f"in the unit:     LoadCredentialEncrypted={place.name}:{place.sealed}",
        f"in the settings: evidence.key: credential:{place.name}",
    ]

"""What a new MSP does on its first day: keys, a signed fleet repository, an enrolled appliance."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from reconciler.desired.directory import read_directory
from reconciler.desired.scaffold import commit_signed, init_fleet
from reconciler.engine.clock import SystemClock
from reconciler.engine.enrol import enrol
from reconciler.errors import InputError, MachineError, Where
from reconciler.evidence import sshsig
from reconciler.ledger import keys
from reconciler.ledger.durable import flush
from reconciler.model.document import Name
from reconciler.ports import Clock

PARTS = ("hosts", "policies", "runbooks")
SETTINGS = "reconciler.yaml"
ENGINEER = "engineer@msp.example"
TEMPLATE_CLIENT, TEMPLATE_HOST = "example-clinic", "workstation"

_SETTINGS = """\
# One appliance. Relative paths start from the directory of this file.
client: {client}
host: {host}
fleet:
  url: fleet
  branch: main
  signers: trust/allowed_signers
evidence:
  repository: evidence/{client}.git
  key: keys/appliance
  signers: trust/evidence_signers
state: state
interval_s: 300
"""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was made.

    Attributes:
        settings: The appliance's settings file.
        fleet: Work tree of the private fleet repository.
        commit: Its first signed commit.
        evidence: The evidence repository.
        engineer: Fingerprint of the engineer's key, which may change the fleet.
        appliance: Fingerprint of the appliance's key, which signs evidence.
    """

    settings: Path
    fleet: Path
    commit: str
    evidence: Path
    engineer: str
    appliance: str


def templates() -> Path:
    """Where the templates are: inside an installed package, or at the root of a checkout.

    Raises:
        MachineError: They are in neither place.
    """
    package = Path(__file__).resolve().parent.parent
    for root in (package / "templates", package.parent):
        if all((root / part).is_dir() for part in PARTS):
            return root
    raise MachineError(
        "the templates of a fleet repository are not installed",
        hint="Reinstall the package, or run from a checkout.",
    )


def scaffold(
    directory: Path,
    client: str = TEMPLATE_CLIENT,
    host: str = TEMPLATE_HOST,
    *,
    clock: Clock | None = None,
) -> Scaffold:
    """Make everything one appliance needs, under one private directory.

    Args:
        directory: Made if it is not there; only its owner may look inside.
        client: Id of the clinic; the template's client takes this name.
        host: Id of this machine; the template's ``workstation`` takes this name.
        clock: Another clock, for tests.

    Raises:
        InputError: There is an appliance already (nothing is overwritten), or a name is not one.
        MachineError: The directory cannot be written.
    """
    for name in (client, host):
        _check_name(name)
    if (directory / SETTINGS).exists():
        raise InputError(
            "there is an appliance here already; nothing was changed",
            hint=f"Use it with: reconciler run --once --config {directory / SETTINGS}",
            where=Where(str(directory)),
        )
    try:
        return _scaffold(directory, client, host, clock or SystemClock())
    except OSError as error:
        raise MachineError(
            f"cannot write {error.filename or directory}: {error.strerror}",
            hint="Choose a directory on a disk with room that you may write to.",
        ) from error


def _scaffold(directory: Path, client: str, host: str, clock: Clock) -> Scaffold:
    for part in ("", "keys", "trust", "state", "evidence"):
        (directory / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    engineer = keys.generate(directory / "keys" / "engineer", ENGINEER)
    appliance = keys.generate(directory / "keys" / "appliance", f"{client}/{host}")
    trusted = _signer_line(ENGINEER, keys.public(engineer))
    _write(directory / "trust" / "allowed_signers", trusted)
    signer = _signer_line(f"{client}/{host}", keys.public(appliance))
    _write(directory / "trust" / "evidence_signers", signer)

    fleet = directory / "fleet"
    for path, data in _fleet_files(client, host).items():
        _write(fleet / path, data)
    _write(fleet / "policies" / "trust" / "allowed_signers", trusted)
    who = {"name": "Engineer", "email": ENGINEER}
    init_fleet(fleet, key_file=directory / "keys" / "engineer", **who)
    commit = commit_signed(fleet, "Start from the templates", key=engineer, at=clock.now(), **who)
    evidence = enrol(directory, client, host, appliance, trusted, clock.now())
    # Last: its presence says that everything before it is complete.
    _write(directory / SETTINGS, _SETTINGS.format(client=client, host=host))
    return Scaffold(
        settings=directory / SETTINGS,
        fleet=fleet,
        commit=commit,
        evidence=evidence,
        engineer=sshsig.fingerprint(keys.public(engineer)),
        appliance=sshsig.fingerprint(keys.public(appliance)),
    )


def _check_name(name: str) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise InputError(
            f"{name!r} cannot be the id of a client or host",
            hint="Use lower-case letters, digits and inner hyphens, at most 63: elm-street-1.",
        ) from error


def _signer_line(principal: str, public: bytes) -> str:
    return f'{principal} namespaces="git" {sshsig.public_text(public)}\n'


def _fleet_files(client: str, host: str) -> dict[str, str]:
    """The templates, with the example clinic and its workstation under their new names."""
    files: dict[str, str] = {}
    for path, data in read_directory(templates()).items():
        text = data.decode()
        if path == f"hosts/{TEMPLATE_CLIENT}/client.yaml":
            text = text.replace(f"\nid: {TEMPLATE_CLIENT}\n", f"\nid: {client}\n", 1)
        if path == f"hosts/{TEMPLATE_CLIENT}/{TEMPLATE_HOST}.yaml":
            path = f"hosts/{TEMPLATE_CLIENT}/{host}.yaml"
            text = text.replace(f"\nid: {TEMPLATE_HOST}\n", f"\nid: {host}\n", 1)
        files[path.replace(f"/{TEMPLATE_CLIENT}/", f"/{client}/")] = text
    return files


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("xb") as stream:
        stream.write(text.encode())
        stream.flush()
        flush(stream)

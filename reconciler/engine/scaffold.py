"""What a new MSP does on its first day: keys, a signed fleet repository, an enrolled appliance."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import TypeAdapter, ValidationError

from reconciler.desired.directory import read_directory
from reconciler.desired.scaffold import commit_signed, init_fleet
from reconciler.engine.clock import SystemClock
from reconciler.engine.enrol import enrol
from reconciler.errors import InputError, MachineError, Where
from reconciler.evidence import sshsig
from reconciler.ledger import keys
from reconciler.ledger.durable import flush
from reconciler.ledger.verify import load_signers
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
  url: {url}
  branch: main
  signers: trust/allowed_signers
evidence:
  repository: evidence/{client}.git
  key: keys/appliance
  signers: trust/evidence_signers
  # Off until set; reconciler doctor says what is absent. Files are paths, never the secrets.
  # seal_s: 3600                # unchanged runs of an hour under one signature
  # remote:                     # where everything is pushed to
  #   url: ssh://git@evidence.example/{client}.git
  #   ssh_key: keys/push
  #   known_hosts: trust/known_hosts
  # witnesses:                  # who cosigns checkpoints
  #   - {{name: hub, url: "https://hub.example/witness", key: ssh-ed25519 AAAA}}
  # anchors:                    # who proves, daily, that a checkpoint was there
  #   calendars: ["https://alice.btc.calendar.opentimestamps.org"]
  #   authorities:
  #     - {{name: tsa-one, url: "https://tsa.example/tsr", roots: trust/tsa-one.pem}}
  # copies:                     # S3 with Object Lock: nobody deletes them for six years
  #   endpoint: https://s3.example
  #   bucket: clinic-evidence
  #   region: eu-central-1
  #   access_key_file: keys/s3.id
  #   secret_key_file: keys/s3.secret
state: state
interval_s: 300
"""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was made.

    Attributes:
        settings: The appliance's settings file.
        fleet: Work tree of the private fleet repository; ``None`` when there was one already.
        commit: Its first signed commit; ``None`` when there was one already.
        evidence: The evidence repository.
        engineer: Fingerprint of the engineer's key, which may change the fleet, if it was made.
        appliance: Fingerprint of the appliance's key, which signs evidence.
    """

    settings: Path
    fleet: Path | None
    commit: str | None
    evidence: Path
    engineer: str | None
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
    fleet: str | None = None,
    signers: Path | None = None,
    clock: Clock | None = None,
) -> Scaffold:
    """Make everything one appliance needs, under one private directory.

    Args:
        directory: Made if it is not there; only its owner may look inside.
        client: Id of the clinic; the template's client takes this name.
        host: Id of this machine; the template's ``workstation`` takes this name.
        fleet: URL of a fleet repository that exists; without it, one is made from the templates.
        signers: With ``fleet``: allowed signers file to pin, from somebody you trust.
        clock: Another clock, for tests.

    Raises:
        InputError: There is an appliance already (nothing is overwritten), a name is not one, or
            an existing fleet comes without its signers.
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
    if (fleet is None) != (signers is None):
        raise InputError(
            "an existing fleet repository needs its signers, and signers need a fleet",
            hint="Give both --fleet URL and --signers FILE, or neither.",
        )
    pinned = None if signers is None else _pin(signers)
    try:
        return _Work(directory, client, host, clock or SystemClock()).make(fleet, pinned)
    except OSError as error:
        raise MachineError(
            f"cannot write {error.filename or directory}: {error.strerror}",
            hint="Choose a directory on a disk with room that you may write to.",
        ) from error


def _pin(signers: Path) -> str:
    """The text of a signers file that parses: what cannot be read must not be trusted."""
    load_signers(signers)
    return signers.read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Work:
    directory: Path
    client: str
    host: str
    clock: Clock

    def make(self, url: str | None, pinned: str | None) -> Scaffold:
        for part in ("", "keys", "trust", "state", "evidence"):
            (self.directory / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        appliance = keys.generate(
            self.directory / "keys" / "appliance", f"{self.client}/{self.host}"
        )
        signer = _signer_line(f"{self.client}/{self.host}", keys.public(appliance))
        _write(self.directory / "trust" / "evidence_signers", signer)
        engineer = fleet = commit = None
        if pinned is None:
            key = keys.generate(self.directory / "keys" / "engineer", ENGINEER)
            engineer = sshsig.fingerprint(keys.public(key))
            pinned = _signer_line(ENGINEER, keys.public(key))
            fleet, commit = self._fleet(key, pinned)
        _write(self.directory / "trust" / "allowed_signers", pinned)
        evidence = enrol(
            self.directory, self.client, self.host, appliance, pinned, self.clock.now()
        )
        settings = self.directory / SETTINGS
        # Last: its presence says that everything before it is complete.
        _write(settings, _SETTINGS.format(client=self.client, host=self.host, url=url or "fleet"))
        mark = sshsig.fingerprint(keys.public(appliance))
        return Scaffold(settings, fleet, commit, evidence, engineer, mark)

    def _fleet(self, key: Ed25519PrivateKey, pinned: str) -> tuple[Path, str]:
        fleet = self.directory / "fleet"
        for path, data in _fleet_files(self.client, self.host).items():
            _write(fleet / path, data)
        _write(fleet / "policies" / "trust" / "allowed_signers", pinned)
        who = {"name": "Engineer", "email": ENGINEER}
        init_fleet(fleet, key_file=self.directory / "keys" / "engineer", **who)
        message = "Start from the templates"
        return fleet, commit_signed(fleet, message, key=key, at=self.clock.now(), **who)


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

"""What a new MSP does on its first day: keys, a signed fleet repository, an enrolled appliance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import TypeAdapter, ValidationError

from reconciler.desired.scaffold import commit_signed, init_fleet
from reconciler.engine.clock import SystemClock
from reconciler.engine.enrol import enrol
from reconciler.engine.scaffold.files import TEMPLATE_CLIENT, TEMPLATE_HOST, fleet_files, templates
from reconciler.engine.scaffold.trust import (
    ENGINEER,
    Person,
    check_people,
    named,
    policy_text,
    signers_text,
)
from reconciler.engine.settings import CommitId
from reconciler.errors import InputError, MachineError, Where
from reconciler.evidence import sshsig
from reconciler.ledger import keys
from reconciler.ledger.durable import flush
from reconciler.ledger.verify import load_signers
from reconciler.model.document import Name
from reconciler.ports import Clock

SETTINGS = "reconciler.yaml"
_SETTINGS = """\
# One appliance. Relative paths start from the directory of this file.
client: {client}
host: {host}
fleet:
  url: {url}
  branch: main
  signers: trust/allowed_signers
{pin}
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


_UNPINNED = """\
  # pin: 0123...                # a commit that you checked: trust begins there"""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was made.

    Attributes:
        settings: The appliance's settings file.
        fleet: Work tree of the private fleet repository; ``None`` when there was one already.
        commit: Its first signed commit; ``None`` when there was one already.
        pin: The commit from which the appliance begins to trust; ``None`` when none was named.
        evidence: The evidence repository.
        engineer: Fingerprint of the engineer's key, which may change the fleet, if it was made.
        appliance: Fingerprint of the appliance's key, which signs evidence.
    """

    settings: Path
    fleet: Path | None
    commit: str | None
    pin: str | None
    evidence: Path
    engineer: str | None
    appliance: str


@dataclass(frozen=True, slots=True)
class Joins:
    """A fleet repository that exists, as somebody whom you trust describes it.

    Attributes:
        url: Where it is.
        signers: Its allowed signers file, to pin.
        pin: A commit of it that was checked by hand: nothing that does not follow from it will be
            accepted. Without it the pinned signers alone decide what is accepted first.
    """

    url: str
    signers: Path
    pin: str | None = None


def scaffold(
    directory: Path,
    client: str = TEMPLATE_CLIENT,
    host: str = TEMPLATE_HOST,
    *,
    engineer: str = ENGINEER,
    people: Sequence[Person] = (),
    joins: Joins | None = None,
    clock: Clock | None = None,
) -> Scaffold:
    """Make everything one appliance needs, under one private directory.

    Args:
        directory: Made if it is not there; only its owner may look inside.
        client: Id of the clinic; the template's client takes this name.
        host: Id of this machine; the template's ``workstation`` takes this name.
        engineer: Id or address of the first person of a new fleet, whose key is made.
        people: Who else may change a new fleet.
        joins: A fleet that exists; without it, one is made from the templates.
        clock: Another clock, for tests.

    Raises:
        InputError: There is an appliance already (nothing is overwritten), a name is not one, or
            the signers of an existing fleet cannot be read.
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
    first = named(engineer)
    check_people([first[0]], people)
    work = _Work(directory, client, host, clock or SystemClock())
    try:
        return work.begin(first, people) if joins is None else work.join(joins, _pinned(joins))
    except OSError as error:
        raise MachineError(
            f"cannot write {error.filename or directory}: {error.strerror}",
            hint="Choose a directory on a disk with room that you may write to.",
        ) from error


def _pinned(joins: Joins) -> str:
    """The text of a signers file that parses: what cannot be read must not be trusted."""
    if joins.pin is not None:
        _check_commit(joins.pin)
    load_signers(joins.signers)
    return joins.signers.read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Work:
    directory: Path
    client: str
    host: str
    clock: Clock

    def join(self, joins: Joins, pinned: str) -> Scaffold:
        """Everything but a fleet."""
        return self._enrol(joins, pinned, self._appliance())

    def begin(self, first: tuple[str, str], others: Sequence[Person]) -> Scaffold:
        """A fleet, and an appliance that trusts it from its first commit on."""
        appliance = self._appliance()
        id_, principal = first
        key = keys.generate(self.directory / "keys" / "engineer", principal)
        people = [Person(id_, principal, keys.public(key)), *others]
        pinned = signers_text(people)
        fleet = self.directory / "fleet"
        files = {
            **fleet_files(templates(), self.client, self.host),
            "policies/trust/allowed_signers": pinned,
            "policies/trust/policy.yaml": policy_text(people),
        }
        for path, data in files.items():
            _write(fleet / path, data)
        commit = self._commit(fleet, key, principal)
        made = self._enrol(Joins("fleet", fleet, commit), pinned, appliance)
        mark = sshsig.fingerprint(keys.public(key))
        return replace(made, fleet=fleet, commit=commit, engineer=mark)

    def _commit(self, fleet: Path, key: Ed25519PrivateKey, principal: str) -> str:
        who = {"name": principal.partition("@")[0], "email": principal}
        init_fleet(fleet, key_file=self.directory / "keys" / "engineer", **who)
        message = "Start from the templates"
        return commit_signed(fleet, message, key=key, at=self.clock.now(), **who)

    @property
    def _name(self) -> str:
        return f"{self.client}/{self.host}"

    def _appliance(self) -> Ed25519PrivateKey:
        """The directories, and in one of them the appliance's key."""
        for part in ("", "keys", "trust", "state", "evidence"):
            (self.directory / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        return keys.generate(self.directory / "keys" / "appliance", self._name)

    def _enrol(self, joins: Joins, pinned: str, key: Ed25519PrivateKey) -> Scaffold:
        signer = f'{self._name} namespaces="git" {sshsig.public_text(keys.public(key))}\n'
        _write(self.directory / "trust" / "evidence_signers", signer)
        _write(self.directory / "trust" / "allowed_signers", pinned)
        evidence = enrol(self.directory, self.client, self.host, key, pinned, self.clock.now())
        settings = self.directory / SETTINGS
        # Last: its presence says that everything before it is complete.
        _write(settings, self._settings(joins))
        mark = sshsig.fingerprint(keys.public(key))
        return Scaffold(settings, None, None, joins.pin, evidence, None, mark)

    def _settings(self, joins: Joins) -> str:
        pin = _UNPINNED if joins.pin is None else f"  pin: {joins.pin}"
        return _SETTINGS.format(client=self.client, host=self.host, url=joins.url, pin=pin)


def _check_commit(pin: str) -> None:
    try:
        TypeAdapter(CommitId).validate_python(pin)
    except ValidationError as error:
        raise InputError(
            f"{pin!r:.80} is not the whole id of a commit",
            hint="In a clone that you checked: git rev-parse HEAD",
        ) from error


def _check_name(name: str) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise InputError(
            f"{name!r} cannot be the id of a client or host",
            hint="Use lower-case letters, digits and inner hyphens, at most 63: elm-street-1.",
        ) from error


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("xb") as stream:
        stream.write(text.encode())
        stream.flush()
        flush(stream)

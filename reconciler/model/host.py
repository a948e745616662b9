"""``hosts/<client>/<host>.yaml``: one target and what it declares about itself."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from reconciler.model.client import KillSwitch, Mode
from reconciler.model.document import AbsolutePath, Document, Name, Text, UnitName
from reconciler.model.rule import ExpectationField, ParameterValue

Account = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
Socket = Annotated[str, StringConstraints(pattern=r"^(tcp|udp)/[0-9]{1,5}$")]


class Certificate(Document):
    """A certificate that this host serves, and who renews it."""

    name: Name
    path: AbsolutePath
    key: AbsolutePath
    renew_unit: UnitName
    reload_unit: UnitName | None = None


class Backup(Document):
    """A restic job."""

    job: Name
    repository: str = Field(min_length=1, max_length=1024)
    password_file: AbsolutePath
    unit: UnitName


class SecretFile(Document):
    """A file that must stay private."""

    name: Name
    path: AbsolutePath
    mode: Annotated[str, StringConstraints(pattern=r"^0[0-7]{3}$")]
    uid: int = Field(ge=0, le=65535)
    gid: int = Field(ge=0, le=65535)


class Mount(Document):
    """A file system that must keep free space."""

    name: Name
    path: AbsolutePath
    free_percent: int = Field(ge=1, le=90)


class Unit(Document):
    """A unit that must run."""

    name: Name
    unit: UnitName


class Declares(Document):
    """What this host is meant to have. What is not listed here is undeclared, which is drift."""

    accounts: tuple[Account, ...] = ()
    admins: tuple[Account, ...] = ()
    ssh_keys: tuple[Fingerprint, ...] = ()
    sockets: tuple[Socket, ...] = ()
    open_ports: tuple[Socket, ...] = ()
    units: tuple[Unit, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    backups: tuple[Backup, ...] = ()
    secret_files: tuple[SecretFile, ...] = ()
    mounts: tuple[Mount, ...] = ()
    audit_rules: tuple[str, ...] = ()
    passwordless_sudo: tuple[Account, ...] = ()


class Override(Document):
    """How one rule differs on this host. Mode can only be lowered to observe by an override."""

    mode: Literal["observe"] | None = None
    params: Mapping[str, ParameterValue] = {}
    expect: Mapping[str, ExpectationField] = {}
    reason: Text


class Host(Document):
    """One target.

    Attributes:
        roles: What it is for; healing rules and guards may ask.
        tags: Anything else that healing rules may ask.
        site: Where it stands; hosts without one stand in the client's only site.
    """

    id: Name
    kind: Literal["linux", "nixos"]
    mode: Mode
    policies: tuple[Name, ...] = Field(min_length=1)
    roles: tuple[Name, ...] = ()
    tags: tuple[Name, ...] = ()
    site: Name | None = None
    root: AbsolutePath = "/"
    access_path: tuple[str, ...] = Field(default=(), max_length=16)
    declares: Declares = Declares()
    overrides: Mapping[Name, Override] = {}
    kill_switch: KillSwitch | None = None

    def fact(self, path: str) -> Any:
        """The declared value that a rule's ``{ref: host.<path>}`` names.

        Raises:
            KeyError: There is no such field.
        """
        if path == "id":
            return self.id
        if path not in Declares.model_fields:
            raise KeyError(path)
        return getattr(self.declares, path)

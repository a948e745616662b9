"""The parts of an expectations document: what a NixOS configuration declares of its machine.

A closed set, as strict as what people write: docs/expectations.md says what each part is compared
with. `reconciler.model.expected` reads the document.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Strict, StringConstraints
from pydantic import Field as Bounds

from reconciler.model.system import StorePathText

_MOST = 16_384
_T = TypeVar("_T")

# JSON has lists; what they hold stays strict.
Listed = Annotated[tuple[_T, ...], Strict(False), Bounds(max_length=_MOST)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
NameText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,127}$")]
_Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$")]
UnitText = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9:_.\\@-]{1,240}"
        r"\.(service|socket|timer|target|mount|automount|path|swap|slice|scope|device)$"
    ),
]
PathText = Annotated[str, StringConstraints(pattern=r"^/[^\x00\n]*$", max_length=1024)]
_Relative = Annotated[
    str, StringConstraints(pattern=r"^[^/\x00\n][^\x00\n]*$", min_length=1, max_length=512)
]
_Id = Annotated[int, Bounds(ge=0, le=2**32 - 1)]
_Port = Annotated[int, Bounds(ge=1, le=65_535)]
_Sysctl = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_*-]+([./][A-Za-z0-9_*:@-]+)+$")]


class Part(BaseModel):
    """Frozen, strict and closed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Boot(Part):
    """What the boot loader is told to start; none of it where a container boots nothing."""

    kernel: PathText | None
    initrd: PathText | None
    modules: PathText | None
    params: Listed[_Text]


class Units(Part):
    """Units by how they behave: ``run`` stay active, ``oneshot`` end by themselves."""

    run: Listed[UnitText]
    timers: Listed[UnitText]
    sockets: Listed[UnitText]
    oneshot: Listed[UnitText]


class User(Part):
    """One account, as passwd(5) has it; ``uid`` is null where the machine chooses."""

    name: _Account
    uid: _Id | None
    group: _Account
    groups: Listed[_Account]
    home: PathText
    shell: Annotated[str, StringConstraints(max_length=1024)]
    system: bool
    login: Literal["none", "key", "password"]


class Group(Part):
    """One group, and who is in it beside those whose own group it is."""

    name: _Account
    gid: _Id | None
    members: Listed[_Account]


class Key(Part):
    """A public key that opens a log-in: its type and its base64."""

    user: _Account
    type: NameText
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{16,16384}={0,2}$")]


class Listener(Part):
    """A socket that traffic reaches; an address of null is any."""

    protocol: Literal["tcp", "udp"]
    port: _Port
    address: NameText | Literal["::", "::1"] | None
    unit: UnitText | None


class Firewall(Part):
    """The packet filter: ``tcp/22``, ``udp/60000-61000``."""

    enabled: bool
    backend: Literal["nftables", "iptables"]
    open: Listed[Annotated[str, StringConstraints(pattern=r"^(tcp|udp)/[0-9]{1,5}(-[0-9]{1,5})?$")]]


class Mounted(Part):
    """One file system of ``fileSystems``."""

    path: PathText
    type: NameText
    options: Listed[_Text]
    encrypted: bool


class Swap(Part):
    """One swap device or file."""

    device: PathText
    encrypted: bool


class Time(Part):
    """Who keeps the clock, and after whom."""

    service: UnitText | None
    sources: Listed[_Text]
    nts: bool


class Certificate(Part):
    """A certificate that some unit keeps fresh."""

    name: NameText
    path: PathText
    unit: UnitText | None


class Backup(Part):
    """A backup job."""

    job: NameText
    unit: UnitText
    timer: UnitText


class Sshd(Part):
    """The SSH server: settings as ``sshd -T`` prints them, in lower case."""

    enabled: bool
    ports: Listed[_Port]
    settings: Mapping[
        Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,64}$")],
        Annotated[str, StringConstraints(max_length=4096)],
    ]


class Pam(Part):
    """Facts about the ``auth`` stack of one service."""

    faillock: bool
    unix: bool


class Wrapper(Part):
    """One of ``security.wrappers``; the mode is octal text with its setuid bits."""

    name: NameText
    owner: _Account
    group: _Account
    mode: Annotated[str, StringConstraints(pattern=r"^[0-7]{4}$")]
    capabilities: Annotated[str, StringConstraints(max_length=1024)]


class Cron(Part):
    """Jobs of cron(8), one line each."""

    enabled: bool
    jobs: Listed[_Text]


class Modules(Part):
    """Kernel modules that must and must not be loaded."""

    load: Listed[NameText]
    deny: Listed[NameText]


_Entry = Annotated[str, StringConstraints(pattern=r"^(?:link|file|-> /[ -~]{1,4095})$")]
Etc = Mapping[_Relative, _Entry]
"""Every file below /etc that the system makes: a link by way of /etc/static, a link of its own with
its target (``-> /etc/zoneinfo/UTC``), or a copy."""

Sysctls = Mapping[_Sysctl, Annotated[str, StringConstraints(max_length=4096)]]
Pams = Mapping[NameText, Pam]


class Expectations(Part):
    """The whole document."""

    format: Literal["reconciler-expectations/1"]
    system: StorePathText
    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,63}$")]
    release: NameText
    revision: NameText | None
    boot: Boot
    units: Units
    sysctl: Sysctls
    users: Listed[User]
    groups: Listed[Group]
    mutable_users: bool
    keys: Listed[Key]
    sockets: Listed[Listener]
    firewall: Firewall
    mounts: Listed[Mounted]
    luks: Listed[NameText]
    swap: Listed[Swap]
    time: Time
    certificates: Listed[Certificate]
    backups: Listed[Backup]
    sshd: Sshd
    pam: Pams
    wrappers: Listed[Wrapper]
    cron: Cron
    modules: Modules
    etc: Etc
    reapply: Listed[UnitText]

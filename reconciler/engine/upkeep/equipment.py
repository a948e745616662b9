"""What the settings of evidence ask for, made ready, or the reason why it cannot be."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.engine.evidence_settings import AuthoritySettings, CopiesSettings, WitnessSettings
from reconciler.engine.kept import WITNESS
from reconciler.engine.settings import Home
from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.evidence import sshsig
from reconciler.ledger.remote.push import PUSH_LIMITS, SLICE, Outbox
from reconciler.ledger.witness_client import WitnessAddress
from reconciler.ledger.worm.settings import StoreSettings
from reconciler.ledger.worm.store import WormStore
from reconciler.transport.limits import MIB, WireLimits
from reconciler.transport.location import Access, vet
from reconciler.transport.server import Server

if TYPE_CHECKING:
    from reconciler.ledger.anchors.keeper import AnchorSettings
    from reconciler.ledger.anchors.rfc3161 import Authority

_MAX_PEM = 256 * 1024


@dataclass(slots=True)
class Equipment:
    """What keeps the evidence of one appliance; None or empty is what nobody asked for.

    Attributes:
        outbox: Where everything is pushed to.
        witnesses: Who is asked to vouch.
        anchors: Who proves the time.
        store: Where copies go.
        repack: Whether loose objects are packed.
        tried: When this process last tried what, by name.
        anchors_tried: The same, as the keeper of anchors remembers it.
    """

    outbox: Outbox | None = None
    witnesses: tuple[WitnessAddress, ...] = ()
    anchors: "AnchorSettings | None" = None
    store: WormStore | None = None
    repack: bool = True
    tried: dict[str, datetime] = field(default_factory=dict)
    anchors_tried: dict[str, datetime] = field(default_factory=dict)

    def close(self) -> None:
        """Let go of connections."""
        if self.store is not None:
            self.store.close()


def equip(home: Home) -> Equipment:
    """Make ready what the settings ask for; nothing is asked or sent.

    Raises:
        InputError: A setting cannot be meant, or a file that it names cannot be read.
        MachineError: A library that is needed is not installed.
    """
    evidence = home.settings.evidence
    return Equipment(
        outbox=outbox_of(home),
        witnesses=_witnesses(home),
        anchors=_anchors(home),
        store=None if evidence.copies is None else _store(home, evidence.copies),
        repack=evidence.repack,
    )


def outbox_of(home: Home) -> Outbox | None:
    """Where evidence is pushed to; None if the settings do not say.

    Raises:
        InputError: A setting cannot be meant.
    """
    settings, remote = home.settings, home.settings.evidence.remote
    if remote is None:
        return None
    access = Access(
        ssh_key=_path(home, remote.ssh_key),
        known_hosts=_path(home, remote.known_hosts),
        ca_file=_path(home, remote.ca_file),
        token_file=_path(home, remote.token_file),
    )
    with _at(home, "remote.url"):
        location = vet(home.address(remote.url), access, what="evidence repository")
    return Outbox(
        repository=home.path(settings.evidence.repository),
        client=settings.client,
        host=settings.host,
        server=Server(location, access),
        home=home.path(settings.state) / "evidence-home",
        limits=WireLimits(
            timeout_s=float(remote.timeout_s),
            max_bytes=remote.max_mebibytes * MIB,
            memory_bytes=PUSH_LIMITS.memory_bytes,
        ),
        most=SLICE,
    )


def _witnesses(home: Home) -> tuple[WitnessAddress, ...]:
    asked = home.settings.evidence.witnesses
    if asked:
        _need("witnesses", "anchors", "httpx")
    addresses = tuple(_witness(home, number, one) for number, one in enumerate(asked))
    for what in ({one.name for one in addresses}, {one.public for one in addresses}):
        if len(what) != len(addresses):
            message = "two witnesses have the same name or key"
            hint = "A witness is one name and one key."
            raise InputError(message, hint=hint, where=home.where("evidence.witnesses"))
    return addresses


def _witness(home: Home, number: int, settings: WitnessSettings) -> WitnessAddress:
    from reconciler.ledger.anchors.http import check_url  # noqa: PLC0415 - lazy: httpx

    with _at(home, f"witnesses[{number}].url"):
        url = check_url(settings.url.rstrip("/"))
    with _at(home, f"witnesses[{number}].key"):
        public = sshsig.parse_public(*settings.key.split(" "))
    return WitnessAddress(url, f"{WITNESS}{settings.name}", public)


def _anchors(home: Home) -> "AnchorSettings | None":
    anchors = home.settings.evidence.anchors
    if anchors is None or not (anchors.calendars or anchors.authorities):
        return None
    _need("anchors", "anchors", "httpx", "opentimestamps", "rfc3161_client")
    from reconciler.ledger.anchors import http, keeper  # noqa: PLC0415 - lazy: httpx

    for name in ("calendars", "upgrade_from"):
        for number, url in enumerate(getattr(anchors, name)):
            with _at(home, f"anchors.{name}[{number}]"):
                http.check_url(url)
    if anchors.min_calendars > max(len(anchors.calendars), 1):
        message = f"{anchors.min_calendars} of {len(anchors.calendars)} calendars cannot answer"
        where = home.where("evidence.anchors.min_calendars")
        raise InputError(message, hint="Name more calendars, or ask for fewer.", where=where)
    authorities = [_authority(home, n, one) for n, one in enumerate(anchors.authorities)]
    with _at(home, "anchors.authorities"):
        return keeper.AnchorSettings(
            calendars=anchors.calendars,
            min_calendars=anchors.min_calendars,
            upgrade_from=anchors.upgrade_from,
            authorities=tuple(authorities),
        )


def _authority(home: Home, number: int, settings: AuthoritySettings) -> "Authority":
    from reconciler.ledger.anchors import http, rfc3161  # noqa: PLC0415 - lazy: httpx

    def certificates(name: str) -> bytes | None:
        text = getattr(settings, name)
        field = f"anchors.authorities[{number}].{name}"
        return None if text is None else _certificates(home, field, home.path(text))

    with _at(home, f"anchors.authorities[{number}].url"):
        url = http.check_url(settings.url)
    return rfc3161.Authority(
        name=settings.name,
        url=url,
        roots=certificates("roots") or b"",
        intermediates=certificates("intermediates") or b"",
        certificate=certificates("certificate"),
        subject=settings.subject,
        policy=settings.policy,
    )


def _certificates(home: Home, field_name: str, file: Path) -> bytes:
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 - lazy: few need it

    hint = "Name a PEM file with the certificates of the authority, from somebody you trust."
    where = home.where(f"evidence.{field_name}")
    try:
        with file.open("rb") as opened:
            data = opened.read(_MAX_PEM)
        load_pem_x509_certificates(data)
    except OSError as error:
        message = f"cannot read {file}: {error.strerror}"
        raise InputError(message, hint=hint, where=where) from error
    except ValueError as error:
        raise InputError(f"{file} holds no certificates", hint=hint, where=where) from error
    return data


def _store(home: Home, copies: CopiesSettings) -> WormStore:
    _need("copies", "worm", "boto3")
    with _at(home, "copies"):
        settings = StoreSettings(
            endpoint=copies.endpoint,
            bucket=copies.bucket,
            region=copies.region,
            prefix=copies.prefix,
            access_key_file=home.path(copies.access_key_file),
            secret_key_file=home.path(copies.secret_key_file),
            ca_file=_path(home, copies.ca_file),
            years=copies.years,
        )
    return WormStore(settings)


def _path(home: Home, text: str | None) -> Path | None:
    return None if text is None else home.path(text)


def _need(part: str, extra: str, *libraries: str) -> None:
    """Raise unless libraries are there: what is asked for is never skipped."""
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        message = f"evidence.{part} is set, and {', '.join(missing)} is not installed here"
        raise MachineError(message, hint=f"pip install 'reconciler[{extra}]'")


@contextmanager
def _at(home: Home, field_name: str) -> Iterator[None]:
    """Name the field of whatever is wrong with a setting."""
    try:
        yield
    except (InputError, EvidenceError) as error:
        where = home.where(f"evidence.{field_name}")
        raise InputError(error.message, hint=error.hint, where=where) from error

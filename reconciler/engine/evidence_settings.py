"""``evidence:`` of ``reconciler.yaml``: where evidence goes, and who else vouches for it.

Everything but the first three is off until it is there. What is there must work: a library that it
needs and that is missing, or a file that cannot be read, is an error at start.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from reconciler.model.document import Document, Name

PathText = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")]
UrlText = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=r"^[!-~]+$")]
ShortText = Annotated[str, StringConstraints(max_length=512, pattern=r"^[ -~]*$")]

YEARS = 6
"""45 CFR 164.316(b)(2)(i); copies are never kept for less."""


class RemoteSettings(Document):
    """The evidence repository that everything is pushed to."""

    url: UrlText
    ssh_key: PathText | None = None
    known_hosts: PathText | None = None
    ca_file: PathText | None = None
    token_file: PathText | None = None
    timeout_s: int = Field(default=120, ge=1, le=3600)
    max_mebibytes: int = Field(default=128, ge=1, le=4096)


class AuthoritySettings(Document):
    """A time stamping authority (RFC 3161), and what its word must look like.

    Attributes:
        roots: PEM file of the certificates that it must lead to.
        intermediates: PEM file of certificates on the way that its answers do not bring along.
        certificate: PEM file of the one certificate that may sign; any under the roots if left out.
        subject: Subject that the signing certificate must have (RFC 4514).
        policy: Policy that its answers must name (dotted).
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
    url: UrlText
    roots: PathText
    intermediates: PathText | None = None
    certificate: PathText | None = None
    subject: ShortText | None = None
    policy: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+){1,30}$")] | None = None


class AnchorsSettings(Document):
    """Who proves, daily, that the newest checkpoint was there.

    Attributes:
        calendars: OpenTimestamps calendars that each get a salted hash.
        min_calendars: How many of them must answer.
        upgrade_from: Calendars that may be asked about pending proofs, beside those above.
        authorities: Time stamping authorities; two that share no root are better than one.
    """

    calendars: tuple[UrlText, ...] = ()
    min_calendars: int = Field(default=1, ge=1, le=16)
    upgrade_from: tuple[UrlText, ...] = ()
    authorities: tuple[AuthoritySettings, ...] = ()


class CopiesSettings(Document):
    """Copies that nobody can delete: S3 with Object Lock."""

    endpoint: UrlText
    bucket: Annotated[str, StringConstraints(min_length=3, max_length=63)]
    region: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    prefix: Annotated[str, StringConstraints(max_length=512)] = ""
    access_key_file: PathText
    secret_key_file: PathText
    ca_file: PathText | None = None
    years: int = Field(default=YEARS, ge=YEARS, le=100)


class WitnessSettings(Document):
    """A witness that cosigns checkpoints.

    Attributes:
        name: As it was begun with: ``hub``; it signs as ``witness/hub``.
        url: Where it answers (c2sp.org/tlog-witness).
        key: Its public key: ``ssh-ed25519 AAAA…``.
    """

    name: Name
    url: UrlText
    key: Annotated[str, StringConstraints(pattern=r"^ssh-ed25519 [A-Za-z0-9+/=]{1,200}$")]


class EvidenceSettings(Document):
    """Where evidence goes, and with which key it is signed.

    Attributes:
        key: A file, or ``credential:NAME`` for what systemd passes.
        remote: Where everything is pushed to.
        checkpoint_every_s: Seconds between two signed roots of the log.
        seal_s: For how many seconds unchanged runs may wait to be sealed together; 0 signs each
            run for itself.
        repack: Whether loose objects are packed when there are many.
    """

    repository: PathText
    key: PathText
    signers: PathText
    remote: RemoteSettings | None = None
    checkpoint_every_s: int = Field(default=3600, ge=60, le=86400)
    seal_s: int = Field(default=0, ge=0, le=3600)
    repack: bool = True
    anchors: AnchorsSettings | None = None
    copies: CopiesSettings | None = None
    witnesses: tuple[WitnessSettings, ...] = Field(default=(), max_length=16)

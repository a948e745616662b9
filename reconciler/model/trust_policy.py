"""``policies/trust/policy.yaml``: who may change which path, who must agree, what CI vouches for.

Without this file every listed signer may change everything (ADR 3). With it, a path that no rule
owns is nobody's to change.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from reconciler.model.document import Document, Name

CLIENT = "{client}"
"""The segment of a pattern that stands for a client, whom the signer must look after."""

ATTESTATION_ROLES = frozenset({"heartbeat", "release"})
"""What machines and sigstore identities vouch for; such a role never lets anybody change a path."""

_SEGMENT = re.compile(r"[^/?\[\]{}\\\x00-\x1f\x7f]+")


def _pattern(text: str) -> str:
    segments = text.split("/")
    plain = [segment for segment in segments if segment not in ("**", CLIENT)]
    if not all(_SEGMENT.fullmatch(segment) for segment in plain):
        raise ValueError("is not segments of plain text and * between slashes, ** or {client}")
    if any("**" in segment or segment in (".", "..") for segment in plain):
        raise ValueError("holds ** beside other text, or a segment that is . or ..")
    if CLIENT in segments and (segments.count(CLIENT) > 1 or "**" in _before(segments)):
        raise ValueError("may hold {client} once, and before any **")
    return text


def _before(segments: list[str]) -> list[str]:
    return segments[: segments.index(CLIENT)]


def _moment(raw: Any) -> Any:
    if not isinstance(raw, str):
        return raw
    try:
        return datetime.strptime(raw, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{raw[:40]!r} is not a time such as 2026-01-31T08:00:00Z") from error


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A second in UTC, written ``2026-01-31T08:00:00Z``."""

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=512), AfterValidator(_pattern)]
Principal = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9@._+/-]{1,128}$")]
Branch = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[!-~]+$", max_length=512)]
Requirement = Literal["ssh", "release"]
Roles = Annotated[tuple[Name, ...], Field(min_length=1, max_length=16)]


class Member(Document):
    """A person, or a machine that signs.

    Attributes:
        principals: Names in ``allowed_signers``; however many keys, it is one member.
        clients: Whose ``{client}`` paths they may change or approve.
        all_clients: Whether it is everybody's.
    """

    id: Name
    principals: tuple[Principal, ...] = Field(min_length=1, max_length=32)
    roles: Roles
    clients: tuple[Name, ...] = Field(default=(), max_length=1024)
    all_clients: bool = False


class PathRule(Document):
    """Who may change some paths. The first rule with a pattern that matches owns a path.

    Attributes:
        authors: Roles that may sign a commit that changes such a path.
        approvals: So many people who did not write the change must approve it.
        approvers: Roles that may approve; the authors' roles if it is not said.
    """

    id: Name
    paths: tuple[Pattern, ...] = Field(min_length=1, max_length=64)
    authors: Roles
    approvals: int = Field(ge=0, le=16)
    approvers: Roles | None = None

    @property
    def approving(self) -> tuple[str, ...]:
        """Roles that may approve."""
        return self.authors if self.approvers is None else self.approvers


class Identity(Document):
    """Who signs without a key of their own: a workflow that a certificate of sigstore names.

    Attributes:
        issuer: Who vouched for it, as the certificate says.
        identity: The workflow, as the certificate says.
        repository: Source repository that the certificate must name, if it must.
        branches: Branches of the fleet that it may vouch for.
    """

    name: Name
    issuer: HttpsUrl
    identity: Annotated[str, StringConstraints(pattern=r"^[!-~]+$", max_length=1024)]
    repository: HttpsUrl | None = None
    branches: tuple[Branch, ...] = Field(min_length=1, max_length=64)
    roles: tuple[Literal["heartbeat", "release"], ...] = Field(min_length=1, max_length=2)


class BranchRule(Document):
    """What a branch needs: ``ssh`` is signed commits by roles, ``release`` an attestation by CI."""

    name: Branch
    require: tuple[Requirement, ...] = Field(default=("ssh",), min_length=1, max_length=2)


class RecoveryRule(Document):
    """Who may bless a history that does not follow from the accepted one; never a single person."""

    roles: Roles
    people: int = Field(ge=2, le=16)


class RevokedKey(Document):
    """A key that nothing is believed of from an instant on, whatever time it claims later."""

    key: Fingerprint
    effective: Moment
    reason: Name


class TrustPolicy(Document):
    """The whole policy."""

    format: int = Field(ge=1, le=1)
    people: tuple[Member, ...] = Field(min_length=1, max_length=1024)
    machines: tuple[Member, ...] = Field(default=(), max_length=1024)
    rules: tuple[PathRule, ...] = Field(min_length=1, max_length=256)
    identities: tuple[Identity, ...] = Field(default=(), max_length=64)
    branches: tuple[BranchRule, ...] = Field(default=(), max_length=256)
    recovery: RecoveryRule | None = None
    revoked: tuple[RevokedKey, ...] = Field(default=(), max_length=4096)

    @model_validator(mode="after")
    def _each_once(self) -> "TrustPolicy":
        members = (*self.people, *self.machines)
        _once("member", (member.id for member in members))
        _once("principal", (name for member in members for name in member.principals))
        _once("rule", (rule.id for rule in self.rules))
        _once("identity", (identity.name for identity in self.identities))
        _once("branch", (branch.name for branch in self.branches))
        _once("revoked key", (revoked.key for revoked in self.revoked))
        return self

    @model_validator(mode="after")
    def _attestation_roles_change_nothing(self) -> "TrustPolicy":
        for rule in self.rules:
            _reserved(f"rule {rule.id}", (*rule.authors, *rule.approving))
        if self.recovery is not None:
            _reserved("recovery", self.recovery.roles)
        return self


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name} is listed twice")
        seen.add(name)


def _reserved(what: str, roles: Iterable[str]) -> None:
    for role in roles:
        if role in ATTESTATION_ROLES:
            raise ValueError(f"{what}: the role {role} is for attestations, not for paths")

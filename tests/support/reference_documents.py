"""Signatures, allowed signers, trust policies and attestations, read the short and obvious way.

Only what `tests.support.reference_trust` needs, from the formats and without `reconciler`. Anything
that does not read is `Broken`.
"""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.support.trust_signing import canonical, pae


class Broken(Exception):
    """A document or a signature that does not hold."""


# --- signatures -------------------------------------------------------------------------------


def verify_sshsig(blob: bytes, message: bytes, namespace: str) -> bytes:
    """The key blob that signed a message (OpenSSH PROTOCOL.sshsig, PROTOCOL.u2f)."""
    if blob[:10] != b"SSHSIG\x00\x00\x00\x01":
        raise Broken("no SSHSIG")
    key, space, reserved, algorithm, signature = _strings(blob[10:], 5)
    if (space, reserved, algorithm) != (namespace.encode(), b"", b"sha512"):
        raise Broken("other namespace")
    digest = hashlib.sha512(message).digest()
    signed = b"SSHSIG" + b"".join(map(_string, (space, b"", b"sha512", digest)))
    kind = _strings(key, 1, exact=False)[0]
    if kind == b"ssh-ed25519":
        _, public = _strings(key, 2)
        _, raw = _strings(signature, 2)
    elif kind == b"sk-ssh-ed25519@openssh.com":
        _, public, application = _strings(key, 3)
        _, raw = _strings(signature[:-5], 2)
        if not signature[-5] & 0x01:
            raise Broken("nobody touched the key")
        own = hashlib.sha256(application).digest()
        signed = own + signature[-5:] + hashlib.sha256(signed).digest()
    else:
        raise Broken("other key type")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw, signed)
    except (InvalidSignature, ValueError) as error:
        raise Broken("does not fit") from error
    return key


def dearmor(armor: str) -> bytes:
    """The blob of an armored signature."""
    return b64decode("".join(armor.split("\n")[1:-1]))


def fingerprint(key: bytes) -> str:
    """``SHA256:...`` of a key blob."""
    return "SHA256:" + b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


# --- allowed signers --------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line: a key, whose it is, where and when it counts."""

    principal: str
    key: bytes
    namespaces: tuple[str, ...] | None
    after: datetime | None
    before: datetime | None

    def refuses(self, namespace: str, at: datetime) -> str | None:
        """Why it does not count there and then."""
        if self.namespaces is not None and namespace not in self.namespaces:
            return "unknown-signer"
        if self.after is not None and at < self.after:
            return "signer-not-yet-valid"
        if self.before is not None and at > self.before:
            return "signer-expired"
        return None


def read_signers(data: bytes) -> list[Line]:
    """The lines of an allowed signers file; one key belongs to one principal."""
    lines = [_line(text) for text in data.decode().splitlines() if text and text[0] != "#"]
    owners = {(line.key, line.principal) for line in lines}
    if not lines or len({key for key, _ in owners}) != len(owners):
        raise Broken("signers")
    return lines


def principal_of(
    lines: list[Line], key: bytes, namespace: str, at: datetime
) -> tuple[str | None, str]:
    """The principal of a key there and then, or None and why not."""
    why = "unknown-signer"
    for line in lines:
        if line.key == key:
            refused = line.refuses(namespace, at)
            if refused is None:
                return line.principal, ""
            why = refused
    return None, why


def _line(text: str) -> Line:
    words = text.split()
    options = dict(re.findall(r'([a-z-]+)="([^"]*)"', words[1])) if "=" in words[1] else {}
    kind, encoded = words[2:4] if options else words[1:3]
    key = b64decode(encoded)
    if kind.encode() != _strings(key, 1, exact=False)[0]:
        raise Broken("key type")
    names = options.get("namespaces")
    return Line(
        words[0],
        key,
        None if names is None else tuple(names.split(",")),
        _window(options.get("valid-after")),
        _window(options.get("valid-before")),
    )


def _window(text: str | None) -> datetime | None:
    if text is None:
        return None
    layout = {9: "%Y%m%dZ", 13: "%Y%m%d%H%MZ", 15: "%Y%m%d%H%M%SZ"}[len(text)]
    return datetime.strptime(text, layout).replace(tzinfo=UTC)


# --- the trust policy -------------------------------------------------------------------------


@dataclass(frozen=True)
class Member:
    """A person or a machine."""

    id: str
    principals: tuple[str, ...]
    roles: frozenset[str]
    clients: frozenset[str]
    all_clients: bool
    person: bool

    def may(self, roles: frozenset[str], client: str | None) -> bool:
        """Whether it has one of the roles, and the client where there is one."""
        known = client is None or self.all_clients or client in self.clients
        return known and bool(self.roles & roles)


@dataclass(frozen=True)
class Rule:
    """Who may change what, and how many others must agree."""

    id: str
    paths: tuple[str, ...]
    authors: frozenset[str]
    approvals: int
    approvers: frozenset[str]


@dataclass(frozen=True)
class Policy:
    """policies/trust/policy.yaml."""

    members: tuple[Member, ...]
    rules: tuple[Rule, ...]
    branches: dict[str, frozenset[str]]
    recovery: tuple[frozenset[str], int] | None
    revoked: dict[str, datetime]

    def member(self, principal: str | None) -> Member | None:
        """Whose name it is."""
        return next((m for m in self.members if principal in m.principals), None)

    def owner(self, path: str) -> tuple[Rule, str | None] | None:
        """The first rule with a pattern that matches, and the client in it."""
        for rule in self.rules:
            for pattern in rule.paths:
                found = match(pattern.split("/"), path.split("/"))
                if found is not None:
                    return rule, found or None
        return None

    def is_revoked(self, key: bytes, *times: datetime) -> bool:
        """Whether a key was revoked by one of these times."""
        effective = self.revoked.get(fingerprint(key))
        return effective is not None and any(effective <= time for time in times)


def match(pattern: list[str], path: list[str]) -> str | None:
    """None: no match; else the client that ``{client}`` stands for, or an empty text."""
    if not pattern:
        return None if path else ""
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        here = match(rest, path)
        return here if here is not None or not path else match(pattern, path[1:])
    if not path:
        return None
    if first == "{client}":
        found = match(rest, path[1:])
        return None if found is None else path[0]
    literal = "[^/]*".join(re.escape(piece) for piece in first.split("*"))
    return match(rest, path[1:]) if re.fullmatch(literal, path[0], re.DOTALL) else None


@lru_cache(maxsize=64)
def read_policy(data: bytes) -> Policy:
    """A policy that reads; whether it locks itself out is another question."""
    try:
        return _policy(yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, TypeError, KeyError, ValueError, AttributeError) as error:
        raise Broken("policy") from error


def _policy(raw: dict[str, Any]) -> Policy:
    known = {
        *("format", "people", "machines", "rules", "identities", "branches", "recovery", "revoked")
    }
    if raw["format"] != 1 or set(raw) - known:
        raise Broken("policy")
    members = [_member(one, person=True) for one in raw["people"]]
    members += [_member(one, person=False) for one in raw.get("machines") or ()]
    principals = [name for member in members for name in member.principals]
    ids = [member.id for member in members]
    rules = [_rule(one) for one in raw["rules"]]
    names = [rule.id for rule in rules]
    if any(len(set(some)) != len(some) for some in (principals, ids, names)):
        raise Broken("policy")
    recovery = raw.get("recovery")
    if recovery is not None and recovery["people"] < 2:
        raise Broken("policy")
    return Policy(
        tuple(members),
        tuple(rules),
        {b["name"]: frozenset(b.get("require") or ["ssh"]) for b in raw.get("branches") or ()},
        recovery and (frozenset(recovery["roles"]), recovery["people"]),
        {one["key"]: instant(one["effective"]) for one in raw.get("revoked") or ()},
    )


def _member(raw: dict[str, Any], *, person: bool) -> Member:
    if set(raw) - {"id", "principals", "roles", "clients", "all_clients"}:
        raise Broken("policy")
    return Member(
        raw["id"],
        tuple(raw["principals"]),
        frozenset(raw["roles"]),
        frozenset(raw.get("clients") or ()),
        bool(raw.get("all_clients")),
        person,
    )


def _rule(raw: dict[str, Any]) -> Rule:
    if set(raw) - {"id", "paths", "authors", "approvals", "approvers"} or raw["approvals"] < 0:
        raise Broken("policy")
    authors = frozenset(raw["authors"])
    approvers = frozenset(raw.get("approvers") or authors)
    return Rule(raw["id"], tuple(raw["paths"]), authors, raw["approvals"], approvers)


# --- attestations -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Attested:
    """A statement and the key that signed it."""

    kind: str
    subject: dict[str, Any]
    predicate: dict[str, Any]
    payload: bytes
    key: bytes

    def time(self, field: str) -> datetime:
        """A time of the statement."""
        return instant(self.predicate[field])


def read_attested(data: bytes) -> Attested:
    """An envelope whose signature holds, with its statement."""
    try:
        outer = json.loads(data)
        payload = b64decode(outer["payload"], validate=True)
        (signature,) = outer["signatures"]
        blob = b64decode(signature["sig"], validate=True)
        key = verify_sshsig(blob, pae(payload, outer["payloadType"]), "reconciler-attestation")
        inner = json.loads(payload)
        (subject,) = inner["subject"]
        kind = re.fullmatch(r"urn:reconciler:attestation:(.+):v1", inner["predicateType"])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Broken("attestation") from error
    if data != canonical(outer) or payload != canonical(inner) or kind is None:
        raise Broken("attestation")
    if signature["keyid"] != fingerprint(key):
        raise Broken("attestation")
    return Attested(kind[1], subject, inner["predicate"], payload, key)


def instant(text: Any) -> datetime:
    """A time as documents write it."""
    if isinstance(text, datetime):
        raise Broken("a time that YAML read")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _strings(data: bytes, count: int, *, exact: bool = True) -> list[bytes]:
    found, at = [], 0
    for _ in range(count):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    if len(data) < at or (exact and len(data) != at):
        raise Broken("lengths")
    return found

"""What people and CI sign beside a branch: approval, heartbeat, release, recovery.

Each is an in-toto Statement v1 with one closed predicate, as canonical JSON. Nothing in it is a
free text: it is shown, compared and kept in evidence as it stands.

Rule 1: There is one payload for one statement. What is read must be what we would write.
Rule 2: Every field is there, none is extra. What a verifier skips, nobody has signed knowingly.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical
from reconciler.model.system import (
    MAX_CHANGES,
    MAX_VERSIONS,
    Closure,
    ClosureDiff,
    VersionChange,
)
from reconciler.trust import forms

MAX_PAYLOAD = 190 * 1024
RECOVERY_REASONS = ("rewritten-history", "key-compromise", "re-root")
FILES_ROOTS = ("acknowledgements", "approvals", "hosts", "policies", "runbooks")
"""Folders whose files a release names by one digest."""

_TYPE = "https://in-toto.io/Statement/v1"
_COMMIT = forms.text(re.compile(r"[0-9a-f]{40}"))
_SHA256 = forms.text(re.compile(r"[0-9a-f]{64}"))
_REASON = forms.text(re.compile("|".join(RECOVERY_REASONS)))


@dataclass(frozen=True, slots=True)
class Approval:
    """A person has read what a tree holds and wants it on a branch.

    Attributes:
        branch: Where it may land.
        base: Commit that the change was compared with, None if there was none.
        tree: Git tree that is approved, 40 hex digits; a merge that has this tree is approved too.
        plan: SHA-256 of the plan that the person has seen, None if none was made.
        approver: Principal of the signing key.
        issued: When it was signed.
        expires: After when it counts no more, None if never.
    """

    branch: str
    base: str | None
    tree: str
    plan: str | None
    approver: str
    issued: datetime
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """CI saw a commit at the tip of a branch.

    Attributes:
        branch: Which branch.
        commit: Its tip, 40 hex digits.
        commit_sha256: SHA-256 of the raw commit object.
        counter: One more than in the heartbeat before.
        time: When.
    """

    branch: str
    commit: str
    commit_sha256: str
    counter: int
    time: datetime


@dataclass(frozen=True, slots=True)
class System:
    """A system that was built from a release.

    Attributes:
        drv: Store path of its derivation.
        path: Store path of the system.
        nar_sha256: SHA-256 of its NAR, 64 hex digits.
        closure: Everything that it needs; None in releases of older versions.
        diff: How that differs from the release before; there where the closure is.
    """

    drv: str
    path: str
    nar_sha256: str
    closure: Closure | None = None
    diff: ClosureDiff | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """CI built and checked a commit of a branch.

    Attributes:
        branch: Which branch.
        commit: The commit, 40 hex digits.
        commit_sha256: SHA-256 of the raw commit object.
        tree: Its tree.
        files_sha256: `files_digest` of its files.
        time: When.
        systems: What was built, by ``<client>/<host>``; may be empty.
    """

    branch: str
    commit: str
    commit_sha256: str
    tree: str
    files_sha256: str
    time: datetime
    systems: Mapping[str, System] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Recovery:
    """A threshold of people wants one commit to follow others that it does not descend from.

    Attributes:
        branch: Which branch.
        replaces: Commits after which it may follow, newest first.
        to: The commit that is trusted from then on, 40 hex digits.
        commit_sha256: SHA-256 of the raw commit object of ``to``.
        tree: Tree of ``to``.
        issued: When it was written; everybody signs the same bytes.
        reason: One of `RECOVERY_REASONS`.
    """

    branch: str
    replaces: tuple[str, ...]
    to: str
    commit_sha256: str
    tree: str
    issued: datetime
    reason: str


Statement = Approval | Heartbeat | Release | Recovery

_VERSIONS = forms.ordered(forms.VERSION, MAX_VERSIONS, str)
_CHANGE = forms.record(
    VersionChange, {"name": forms.PACKAGE, "before": _VERSIONS, "after": _VERSIONS}
)
_SYSTEM = forms.record(
    System,
    {"drv": forms.DERIVATION, "path": forms.STORE_PATH, "nar_sha256": _SHA256},
    together={
        "closure": forms.record(
            Closure, {"paths": forms.COUNTER, "nar_bytes": forms.COUNTER, "sha256": _SHA256}
        ),
        "diff": forms.record(
            ClosureDiff,
            {
                "from": forms.optional(forms.STORE_PATH),
                "changes": forms.ordered(_CHANGE, MAX_CHANGES, lambda change: change.name),
                "left_out": forms.AMOUNT,
            },
            names={"from": "since"},
        ),
    },
)

_KINDS: Mapping[type[Statement], str] = {
    Approval: "fleet-approval",
    Heartbeat: "fleet-heartbeat",
    Release: "fleet-release",
    Recovery: "fleet-recovery",
}
_FIELDS: Mapping[type[Statement], Mapping[str, forms.Form]] = {
    Approval: {
        "branch": forms.BRANCH,
        "base": forms.optional(_COMMIT),
        "tree": _COMMIT,
        "plan": forms.optional(_SHA256),
        "approver": forms.PRINCIPAL,
        "issued": forms.TIME,
        "expires": forms.optional(forms.TIME),
    },
    Heartbeat: {
        "branch": forms.BRANCH,
        "commit": _COMMIT,
        "counter": forms.COUNTER,
        "time": forms.TIME,
    },
    Release: {
        "branch": forms.BRANCH,
        "commit": _COMMIT,
        "tree": _COMMIT,
        "files_sha256": _SHA256,
        "time": forms.TIME,
        "systems": forms.by_host(_SYSTEM),
    },
    Recovery: {
        "branch": forms.BRANCH,
        "replaces": forms.several(_COMMIT, 1024),
        "to": _COMMIT,
        "tree": _COMMIT,
        "issued": forms.TIME,
        "reason": _REASON,
    },
}


def predicate_type(kind: type[Statement]) -> str:
    """The predicate type of a kind: ``urn:reconciler:attestation:fleet-approval:v1``."""
    return f"urn:reconciler:attestation:{_KINDS[kind]}:v1"


_BY_TYPE = {predicate_type(kind): kind for kind in _KINDS}


def write(statement: Statement) -> bytes:
    """The payload of a statement: canonical JSON, what is signed.

    Raises:
        EvidenceError: A field is not in its form, or all together are too large.
    """
    kind = type(statement)
    payload = canonical.encode(
        {
            "_type": _TYPE,
            "subject": [_subject(statement)],
            "predicateType": predicate_type(kind),
            "predicate": forms.write_fields(_FIELDS[kind], statement),
        }
    )
    if len(payload) > MAX_PAYLOAD:
        raise _refusal(f"statement of {len(payload)} bytes is larger than {MAX_PAYLOAD}")
    return payload


def read(payload: bytes) -> Statement:
    """Read a payload. Who signed it is another question.

    Raises:
        EvidenceError: Not canonical, another type, or a field that is unknown, missing, mistyped
            or out of its form.
    """
    value = canonical.decode(payload, MAX_PAYLOAD)
    try:
        kind = _BY_TYPE[value["predicateType"]]
        fields = forms.read_fields(_FIELDS[kind], value["predicate"])
        if kind is not Approval:
            fields["commit_sha256"] = value["subject"][0]["digest"]["sha256"]
    except (KeyError, TypeError, IndexError) as error:
        raise _refusal("statement is of another type, or a field is missing or mistyped") from error
    statement: Statement = kind(**fields)
    if write(statement) != payload:
        raise _refusal("statement has another subject or fields that its type does not have")
    return statement


def commit_digest(raw: bytes) -> str:
    """How a statement names a commit beyond SHA-1: hex SHA-256 of ``git cat-file commit``."""
    return hashlib.sha256(raw).hexdigest()


def files_digest(files: Mapping[str, bytes]) -> str:
    """One digest of many files, from stock tools: ``sha256sum`` of them, sorted by path.

    Args:
        files: Content by path, of all files below `FILES_ROOTS`.
    """
    whole = hashlib.sha256()
    for path, content in sorted((path.encode(), data) for path, data in files.items()):
        whole.update(hashlib.sha256(content).hexdigest().encode() + b"  " + path + b"\n")
    return whole.hexdigest()


def revision_of(systems: Mapping[str, System]) -> str:
    """One digest of which systems a release names: what rings go by.

    Two commits whose systems are the same have the same one.
    """
    paths = {host: system.path for host, system in systems.items()}
    return hashlib.sha256(canonical.encode(paths)).hexdigest()


def _subject(statement: Statement) -> dict[str, Any]:
    if isinstance(statement, Approval):
        return {"name": "tree", "digest": {"gitTree": statement.tree}}
    return {"name": "commit", "digest": {"sha256": _SHA256.write(statement.commit_sha256)}}


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint=forms.HINT)

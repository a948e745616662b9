"""The outcome of a verification as an in-toto Simple Verification Result.

Source: in-toto attestation predicates, SVR v0.2: a verifier names the properties that it verified
of a subject. A property that was not verified is absent; there is none that says "failed".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.errors import EvidenceError
from reconciler.evidence.audit import AuditReport
from reconciler.evidence.canonical import encode
from reconciler.evidence.statement import STATEMENT_TYPE

PREDICATE_TYPE = "https://in-toto.io/attestation/svr/v0.2"
VERIFIER = "urn:reconciler:verifier:v1"
"""Changes with the meaning of a property, not with each version of the program."""

LEDGER_VERIFIED = "RECONCILER_LEDGER_VERIFIED"
NO_OPEN_INTENT = "RECONCILER_NO_OPEN_INTENT"


class Verified(Protocol):
    """What was proven about a repository."""

    @property
    def ok(self) -> bool:
        """Whether everything verifies."""
        ...

    @property
    def branches(self) -> tuple[AuditReport, ...]:
        """One report per branch."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """What the verification was judged by.

    Attributes:
        name: The file of who may sign.
        sha256: Hex SHA-256 of it.
    """

    name: str
    sha256: str


def statement(result: Verified, policy: Policy, version: str, at: str) -> bytes:
    """The statement, as canonical JSON; unsigned.

    Args:
        result: The outcome of a verification.
        policy: Who was allowed to sign.
        version: Of this program.
        at: When it was verified, RFC 3339 in UTC.

    Raises:
        EvidenceError: Nothing was proven about any branch, so there is no subject.
    """
    subjects = [_subject(report) for report in result.branches if report.newest is not None]
    if not subjects:
        message = "nothing in this repository verifies, so there is nothing to make a statement of"
        raise EvidenceError(message, hint="Run reconciler verify, and see its faults.")
    policies = [{"name": policy.name, "digest": {"sha256": policy.sha256}}]
    return encode(
        {
            "_type": STATEMENT_TYPE,
            "subject": subjects,
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "verifier": {"id": VERIFIER, "version": version, "policies": policies},
                "timeCreated": at,
                "properties": properties(result),
            },
        }
    )


def properties(result: Verified) -> list[str]:
    """The properties that hold for every subject."""
    reports = result.branches
    checks: Mapping[str, bool] = {
        LEDGER_VERIFIED: result.ok,
        NO_OPEN_INTENT: result.ok and not any(report.open_intents for report in reports),
    }
    return [name for name, holds in checks.items() if holds]


def _subject(report: AuditReport) -> dict[str, Any]:
    # Without gitCommit: verifiers of sigstore refuse a subject that has one (sigstore-python 4).
    digest = report.newest.digest if report.newest else ""
    return {"name": report.ref, "digest": {"sha256": digest}}

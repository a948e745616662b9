"""Who signs attestations without a key of their own: sigstore, as the trust policy names it."""

from datetime import datetime
from functools import partial

from reconciler.desired.attestations import Attestations, Keyless, Signed
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.files import Policy
from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.keyless import bundles
from reconciler.keyless.identity import Identity
from reconciler.trust import statements
from reconciler.trust.judgement import TOLERANCE, Attested, Trust, attested
from reconciler.trust.statements import Heartbeat, Release


def with_identities(case: Case, policy: Policy, commit: str, role: str) -> Attestations:
    """The attestations, with bundles of those checked who have a role on the branch.

    Args:
        case: What is judged.
        policy: Whose identities count.
        commit: The commit whose tree holds the policy and the pinned root.
        role: ``release`` or ``heartbeat``.
    """
    check = keyless_check(case, policy, commit, role)
    attestations = case.offer.attestations
    return attestations if check is None else attestations.trusting(check)


def keyless_check(case: Case, policy: Policy, commit: str, role: str) -> Keyless | None:
    """What verifies a bundle of those who have a role on the branch; None if nobody has.

    Args:
        case: What is judged.
        policy: Whose identities count.
        commit: The commit whose tree holds the policy and the pinned root.
        role: ``release`` or ``heartbeat``.
    """
    identities = [
        Identity(one.name, one.issuer, one.identity, one.repository)
        for one in policy.document.identities
        if role in one.roles and case.offer.branch in one.branches
    ]
    root = case.files.trusted_root(commit) if identities else None
    return partial(_verify, identities, root) if identities else None


def _verify(identities: list[Identity], root: bytes | None, data: bytes) -> tuple[bytes, Identity]:
    if root is None:
        hint = "Pin policies/trust/trusted_root.json, as sigstore publishes it."
        raise EvidenceError("no trusted root is pinned", hint=hint)
    try:
        bundle = data.decode("utf-8")
        found = bundles.verify_statement(bundle, trusted_root=root, identities=identities)
    except UnicodeDecodeError as error:
        raise EvidenceError("is not UTF-8", hint="Get the bundle again.") from error
    except (InputError, MachineError) as error:
        # A root that cannot be used, or no sigstore here: this bundle proves nothing, and another
        # attestation may.
        raise EvidenceError(error.message, hint=error.hint) from error
    _check_time(found.payload, found.at)
    return found.payload, found.identity


def _check_time(payload: bytes, signed_at: datetime) -> None:
    """Hold that a statement is not dated later than somebody else saw it signed.

    A job that signs heartbeats ahead of time would outlive the repository that somebody froze.
    """
    statement = statements.read(payload)
    if isinstance(statement, Heartbeat | Release) and statement.time > signed_at + TOLERANCE:
        message = f"is dated later than it was signed, at {signed_at:%Y-%m-%dT%H:%M:%SZ}"
        raise EvidenceError(message, hint="Compare the clock of the job; then attest again.")


def attested_by(
    signed: Signed, trust: Trust, role: str, signed_at: datetime, now: datetime
) -> Attested | str:
    """Who attests, by a key or as an identity; or why nobody does.

    Args:
        signed: From `with_identities`, so that an identity has the role on the branch.
        trust: Whose word counts.
        role: ``release`` or ``heartbeat``.
        signed_at: When, as the statement says.
        now: Wall time.
    """
    if signed.public is not None:
        return attested(trust, signed.public, role, signed_at, now)
    if not isinstance(signed.identity, Identity):
        return "nobody signed it"
    if signed_at > now + TOLERANCE:
        return "it is dated later than this machine's clock"
    return Attested(signed.identity.name)

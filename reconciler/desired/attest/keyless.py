"""What a job signs as itself, held against what appliances ask, before it is kept.

A job whose workflow was renamed signs well, and no appliance believes it. That is said here, where
somebody can see it, and not at every clinic.
"""

from reconciler.desired.trust.case import Case
from reconciler.desired.trust.keyless import keyless_check
from reconciler.errors import InputError
from reconciler.trust.statements import Heartbeat, Release

_HINT = (
    "Look at identities in policies/trust/policy.yaml: which workflow of which repository has the "
    "role on this branch, and at trusted_root.json beside it."
)


class Believers:
    """Who may attest a commit without a key, by the trust policy of that very commit."""

    def __init__(self, case: Case, statement: Release | Heartbeat) -> None:
        """Ask before signing: what is signed with the public Sigstore is public.

        Args:
            case: Names the commit and the branch.
            statement: What is going to be signed.

        Raises:
            InputError: The policy knows nobody without a key who has the role.
            IntentRefused: The policy cannot be read.
        """
        role = "heartbeat" if isinstance(statement, Heartbeat) else "release"
        policy = case.files.policy(case.head, case.head)
        check = None if policy is None else keyless_check(case, policy, case.head, role)
        if check is None:
            who = f"a {role} of {case.offer.branch} without a key"
            raise InputError(f"the trust policy names nobody who attests {who}", hint=_HINT)
        self._check = check

    def hold(self, bundle: str) -> None:
        """See that one of them signed a fresh bundle.

        Raises:
            EvidenceError: It does not verify, or somebody else signed it.
        """
        self._check(bundle.encode())

"""Why a new desired state is refused: stable codes, each with what to do about it.

No message carries text that an author chose (subjects, names, server banners): a refusal becomes
evidence, and evidence holds no free text.
"""

from enum import StrEnum

from reconciler.errors import IntentRefused


class Reason(StrEnum):
    """Stable codes; they appear in evidence and are never renamed."""

    NOT_FAST_FORWARD = "not-fast-forward"
    REWOUND = "rewound"
    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_SIGNER = "unknown-signer"
    SIGNER_EXPIRED = "signer-expired"
    SIGNER_NOT_YET_VALID = "signer-not-yet-valid"
    SIGNER_REVOKED = "signer-revoked"
    SIGNERS_MISSING = "signers-missing"
    TIME_WENT_BACK = "time-went-back"
    FROM_THE_FUTURE = "from-the-future"
    MALFORMED_COMMIT = "malformed-commit"
    MISSING_BRANCH = "missing-branch"
    TOO_LARGE = "too-large"
    TOO_MANY_COMMITS = "too-many-commits"
    TREE_REFUSED = "tree-refused"
    PATH_UNOWNED = "path-unowned"
    WRONG_ROLE = "wrong-role"
    NOT_FIRST_PARENT = "not-first-parent"
    APPROVALS_MISSING = "approvals-missing"
    TRUST_POLICY_BROKEN = "trust-policy-broken"
    TRUST_POLICY_DROPPED = "trust-policy-dropped"
    BRANCH_UNTRUSTED = "branch-untrusted"
    RELEASE_MISSING = "release-missing"
    RELEASE_REFUSED = "release-refused"
    RELEASE_CONFLICT = "release-conflict"
    RELEASE_REVOKED = "release-revoked"
    RECOVERY_SHORT = "recovery-short"
    REVOKED_CONTENT = "revoked-content"
    STALE = "stale"
    HEARTBEAT_MISSING = "heartbeat-missing"
    HEARTBEAT_REPLAYED = "heartbeat-replayed"
    HEARTBEAT_CONFLICT = "heartbeat-conflict"
    HEARTBEAT_REFUSED = "heartbeat-refused"
    HEAD_WENT_BACK = "head-went-back"


HINTS = {
    Reason.NOT_FAST_FORWARD: "Bring the accepted commit back into the branch; if the branch was "
    "rewritten on purpose, revert with new commits instead.",
    Reason.REWOUND: "Push the accepted commit again; to undo a change, commit its revert.",
    Reason.UNSIGNED: "Sign every commit: git config gpg.format ssh, git config commit.gpgsign "
    "true; replay unsigned ones with git rebase --force-rebase -S.",
    Reason.BAD_SIGNATURE: "Sign it again with an Ed25519 SSH key (git commit --amend -S); if "
    "nobody changed it, treat the server as compromised.",
    Reason.UNKNOWN_SIGNER: "Add the key to policies/trust/allowed_signers in an earlier commit by "
    "a known signer; for a merge, both sides must know the signer.",
    Reason.SIGNER_EXPIRED: "Sign with a key whose window is open, or extend valid-before in a "
    "commit by another signer.",
    Reason.SIGNER_NOT_YET_VALID: "Wait until valid-after, or sign with another key.",
    Reason.SIGNER_REVOKED: "Commit anew with a key that the newest allowed_signers still lists; a "
    "signer is removed by a commit of another one.",
    Reason.SIGNERS_MISSING: "Keep policies/trust/allowed_signers in the tree, with at least one "
    "Ed25519 key; without it nothing could follow.",
    Reason.TIME_WENT_BACK: "Commit again with a right clock; committer time may not be before a "
    "parent's.",
    Reason.FROM_THE_FUTURE: "Compare this machine's clock and the committer's; then wait or "
    "commit again.",
    Reason.MALFORMED_COMMIT: "Look at it with git cat-file -p; allowed are tree, parent, author, "
    "committer and one SSH gpgsig, in this order: no encoding, mergetag or second signature.",
    Reason.MISSING_BRANCH: "Push the branch again, or correct its name in the settings.",
    Reason.TOO_LARGE: "Remove the file from hosts/, policies/, runbooks/ and approvals/; they hold "
    "small text files.",
    Reason.TOO_MANY_COMMITS: "Let the appliance see the branch more often, or raise the limit.",
    Reason.TREE_REFUSED: "Use plain files with plain, distinct names; no symlinks, submodules or "
    "names that another system reads differently.",
    Reason.PATH_UNOWNED: "Add a rule for the path to policies/trust/policy.yaml in an earlier "
    "commit, or leave the path as it was; a path without a rule is nobody's to change.",
    Reason.WRONG_ROLE: "Let somebody commit it who has a role of the rule (and the client); or "
    "give the signer the role, in an earlier commit of its own.",
    Reason.NOT_FIRST_PARENT: "Merge the other way round: check the branch out, then git merge the "
    "other one into it, so that the accepted commit stays on its first-parent line.",
    Reason.APPROVALS_MISSING: "Let people who did not write the change approve its tree "
    "(reconciler attest approve) and push the attestations branch.",
    Reason.TRUST_POLICY_BROKEN: "Correct policies/trust/policy.yaml: reconciler verify-intent says "
    "which line; it must leave somebody who can change it, and list only known principals.",
    Reason.TRUST_POLICY_DROPPED: "Put policies/trust/policy.yaml back; a fleet that had a trust "
    "policy keeps one.",
    Reason.BRANCH_UNTRUSTED: "Follow a branch that policies/trust/policy.yaml lists, or list it.",
    Reason.RELEASE_MISSING: "Let CI attest this commit (reconciler attest release), and push the "
    "attestations branch.",
    Reason.RELEASE_REFUSED: "Compare who signed the release, when, and for which commit with the "
    "roles and identities of policies/trust/policy.yaml; then attest again.",
    Reason.RELEASE_CONFLICT: "Two releases of one commit name different systems: find out why; if "
    "CI did not sign both, revoke its key. A newer commit with one release ends it.",
    Reason.RELEASE_REVOKED: "The key that signed the system in force is revoked: let CI sign a "
    "release of this or a newer commit with another one.",
    Reason.RECOVERY_SHORT: "Let more people with a recovery role sign the same statement "
    "(reconciler attest recover).",
    Reason.REVOKED_CONTENT: "Change the paths again with a good key, or let enough other people "
    "approve the tree as it is; until then nothing acts.",
    Reason.STALE: "Let CI sign a heartbeat again (reconciler attest heartbeat); if it does, ask "
    "why the server does not show it.",
    Reason.HEARTBEAT_MISSING: "Let CI sign heartbeats (reconciler attest heartbeat), or take "
    "freshness_h out of client.yaml.",
    Reason.HEARTBEAT_REPLAYED: "The server shows an older heartbeat than before: ask why; a new "
    "one with a higher counter ends it.",
    Reason.HEARTBEAT_CONFLICT: "Two heartbeats have one number: find out who else signs with the "
    "key; revoke it if nobody should.",
    Reason.HEARTBEAT_REFUSED: "Compare its signer, branch, commit and time with the heartbeat role "
    "of policies/trust/policy.yaml; then sign a new one.",
    Reason.HEAD_WENT_BACK: "Push the newer commit again: a heartbeat was signed for it.",
}


def refuse(reason: Reason, commit: str | None, what: str) -> IntentRefused:
    """The error to raise.

    Args:
        reason: Its code.
        commit: Hex id of the commit, None if none was seen.
        what: The rest of the sentence that starts with the commit; no text from its author.
    """
    subject = f"fleet commit {commit[:12]}" if commit else "fleet repository"
    return IntentRefused(
        f"{subject} {what}", hint=HINTS[reason], reason=reason.value, commit=commit
    )

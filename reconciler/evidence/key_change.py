"""A change of an appliance's key: what is announced, who vouches for it, how the entry says it.

``rotate`` is signed by the old key and carries a *proof* by the new one: nobody can hand an
appliance's branch over to a key that its owner does not hold. ``replace``, when the old key is
gone, is signed by the new key and carries an *authorization* by a recovery signer: a person whose
line in the allowed signers names the namespace ``reconciler-key-recovery``.

Proof and authorization are SSHSIG over one announcement, the canonical bytes of ``ref``, ``seq``,
``previous``, ``key`` and ``action``. Branch, number and predecessor are in it, so that neither can
be moved to another branch or position, and ``ssh-keygen -Y sign`` and ``-Y verify`` make and check
them as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical, sshsig
from reconciler.evidence.entry import Entry
from reconciler.evidence.signers import AllowedSigners, Refusal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CHANGE_NAMESPACE = "reconciler-key-change"
RECOVERY_NAMESPACE = "reconciler-key-recovery"
MAX_ANNOUNCEMENT = 4096

_FIELDS = ("action", "authorization", "key", "proof", "reason")
_REF = re.compile(r"refs/heads/[a-z0-9-]{1,63}/[a-z0-9-]{1,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PERSON = re.compile(r"[^@/]+@[^@/]+")
_HINT = "A key change is made by: reconciler keys rotate, or reconciler keys replace."


class Action(StrEnum):
    """How the key of a branch changes."""

    ROTATE = "rotate"
    REPLACE = "replace"


class Reason(StrEnum):
    """Why a key changes. Closed: free text has no place in evidence."""

    SCHEDULED = "scheduled"
    SUSPECTED = "suspected"
    HARDWARE = "hardware"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What proof and authorization sign: this key follows at this place of this branch.

    Attributes:
        ref: Full name of the branch.
        seq: Sequence number of the key-change entry.
        previous: Hex SHA-256 of the statement before it.
        public: The new key, 32 bytes.
        action: How it takes over.
    """

    ref: str
    seq: int
    previous: str
    public: bytes
    action: Action

    def to_bytes(self) -> bytes:
        """The canonical bytes that are signed."""
        return canonical.encode(
            {
                "action": self.action.value,
                "key": sshsig.public_text(self.public),
                "previous": self.previous,
                "ref": self.ref,
                "seq": self.seq,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "Announcement":
        """Read what somebody is asked to sign.

        Raises:
            EvidenceError: Not exactly the canonical bytes of an announcement.
        """
        value = canonical.decode(data, MAX_ANNOUNCEMENT)
        try:
            found = cls(
                _matching(_REF, value["ref"]),
                _number(value["seq"]),
                _matching(_SHA256, value["previous"]),
                public_of(value["key"]),
                Action(value["action"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise _refusal(f"announcement is malformed ({error})") from error
        if found.to_bytes() != data:
            raise _refusal("announcement has fields that are not known")
        return found


@dataclass(frozen=True, slots=True)
class KeyChange:
    """The body of a ``key-change`` entry.

    Attributes:
        action: How the new key takes over.
        public: The new key, 32 bytes.
        proof: The announcement signed by the new key.
        authorization: The announcement signed by a recovery signer; None for a rotation.
        reason: Why.
    """

    action: Action
    public: bytes
    proof: str
    authorization: str | None
    reason: Reason

    def to_body(self) -> dict[str, Any]:
        """As the entry says it."""
        return {
            "action": self.action.value,
            "key": sshsig.public_text(self.public),
            "proof": self.proof,
            "authorization": self.authorization,
            "reason": self.reason.value,
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "KeyChange":
        """Read a body.

        Raises:
            EvidenceError: An unknown, missing or mistyped field, or an authorization where none
                belongs, or none where one does.
        """
        if sorted(body) != list(_FIELDS):
            raise _refusal("key change has other fields than it should")
        try:
            action, reason = Action(body["action"]), Reason(body["reason"])
        except ValueError as error:
            raise _refusal(f"key change is malformed ({error})") from error
        proof, authorization = body["proof"], body["authorization"]
        if type(proof) is not str or type(authorization) not in (str, type(None)):
            raise _refusal("key change carries a signature that is not text")
        if (authorization is not None) != (action is Action.REPLACE):
            raise _refusal("a replacement carries an authorization, and a rotation none")
        return cls(action, public_of(body["key"]), proof, authorization, reason)


def announcement_of(entry: Entry, change: KeyChange) -> Announcement:
    """What the signatures of a change must have been made over, by where its entry is."""
    return Announcement(entry.ref, entry.seq, entry.previous or "", change.public, change.action)


def prove(announcement: Announcement, key: "Ed25519PrivateKey") -> str:
    """The proof: the announcement, signed by the key that it announces."""
    return sshsig.sign(key, announcement.to_bytes(), CHANGE_NAMESPACE)


def authorize(announcement: Announcement, key: "Ed25519PrivateKey") -> str:
    """The authorization of a replacement, signed by a recovery signer's key."""
    return sshsig.sign(key, announcement.to_bytes(), RECOVERY_NAMESPACE)


def check_proof(change: KeyChange, announcement: Announcement) -> None:
    """Check that the holder of the new key agreed, for this very place.

    Raises:
        EvidenceError: The proof does not verify, or another key made it.
    """
    try:
        by = sshsig.verify(change.proof, announcement.to_bytes(), CHANGE_NAMESPACE)
    except EvidenceError as error:
        raise _refusal(f"proof by the new key does not verify: {error.message}") from error
    if by != change.public:
        raise _refusal(f"proof is by {sshsig.fingerprint(by)}, not by the key that is announced")


def check_authorization(
    armor: str, announcement: Announcement, signers: AllowedSigners, at: datetime
) -> str:
    """Check that a recovery signer agreed, for this very place.

    Args:
        armor: The authorization.
        announcement: What it must have been made over.
        signers: Who may authorize, among others.
        at: When the entry was recorded.

    Returns:
        The person's principal.

    Raises:
        EvidenceError: It does not verify, or who signed it is not a recovery signer at that time.
    """
    try:
        by = sshsig.verify(armor, announcement.to_bytes(), RECOVERY_NAMESPACE)
    except EvidenceError as error:
        raise _refusal(f"authorization does not verify: {error.message}") from error
    found = signers.find(by, RECOVERY_NAMESPACE, at)
    name = sshsig.fingerprint(by)
    if isinstance(found, Refusal):
        raise _refusal(f"authorization by {name} is refused at {at}: {found.value}")
    # A line without namespaces may sign anything, and was never meant to hand over branches.
    if RECOVERY_NAMESPACE not in (found.namespaces or ()) or not _PERSON.fullmatch(found.principal):
        raise _refusal(f"authorization is by {found.principal!r}, who is no recovery signer")
    return found.principal


def public_of(text: object) -> bytes:
    """The raw key of ``ssh-ed25519 AAAA...``, and nothing else in the text.

    Raises:
        EvidenceError: Not exactly that.
    """
    words = text.split(" ") if type(text) is str else []
    # A ledger is signed by a machine: no key waits for the touch of a person.
    if len(words) != 2 or words[0] != sshsig.KEY_TYPE:
        raise _refusal("key is not 'ssh-ed25519 AAAA...'")
    return sshsig.parse_public(*words)


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if type(value) is not str or not pattern.fullmatch(value):
        raise ValueError(f"{value!r:.80}")
    return value


def _number(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"sequence number {value!r:.40}")
    return value


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)

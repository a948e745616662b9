"""Checkpoints signed in CI with sigstore: who signed is an identity, and a log saw it at a time.

No key is kept: a job proves to a certificate authority who it is, gets a certificate of ten
minutes, signs the checkpoint's note with it, and a transparency log keeps the signature for all to
see. What comes back is a *bundle*. It vouches for the note (an identity that the appliance cannot
use has seen it) and for a time.

Verifying needs no network and believes one pinned file and a list of identities; the rules are
those of `reconciler.keyless`, which does the work. What is added here is what a checkpoint is.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reconciler.errors import EvidenceError, InputError
from reconciler.evidence.canonical import digest
from reconciler.keyless.bundles import read_trust, sign_blob, verify_blob
from reconciler.keyless.identity import Identity
from reconciler.ledger.anchors import bodies
from reconciler.ledger.anchors.model import (
    MAX_PROOF,
    Anchor,
    AnchorState,
    CheckpointRef,
    Method,
    TimeProof,
)

MAX_NOTE = 64 * 1024
"""Bytes of the largest note; a checkpoint with forty cosignatures is 8 kB."""

_HINT = "Get the bundle again from the job that signed the checkpoint; it is never edited."


def sign_note(note: bytes, *, trust_config: Path | None, identity_token: str) -> str:
    """Sign a checkpoint's note as the identity in a token.

    Args:
        note: The whole signed note of a checkpoint entry.
        trust_config: Where to sign, and whom to believe: a client trust configuration. None for
            the public Sigstore, whose configuration is then fetched from it.
        identity_token: A token for the audience ``sigstore``; it is a secret.

    Returns:
        The bundle, as JSON. It was not verified: see `verify_note`.

    Raises:
        InputError: The note, the configuration or the token cannot be used.
        EvidenceError: What a service answered is no bundle.
        MachineError: A service was not reached or refused, or the library is missing.
    """
    _check_note(note, InputError)
    bundle = sign_blob(note, trust_config=trust_config, identity_token=identity_token)
    _check_bundle(bundle)
    return bundle


def verify_note(
    note: bytes, bundle: str, *, trusted_root: Path, identities: Sequence[Identity]
) -> TimeProof:
    """Verify that one of some identities signed a checkpoint's note, and when.

    Args:
        note: The whole signed note of a checkpoint entry.
        bundle: The bundle, as JSON.
        trusted_root: Pinned file with the keys of the authorities and logs that are believed.
        identities: Who may have signed.

    Returns:
        The proof; its time is always known, for a bundle without one does not verify.

    Raises:
        EvidenceError: The bundle does not verify, or somebody else signed.
        InputError: The trusted root cannot be used, or nobody is trusted.
        MachineError: The library is missing.
    """
    if not identities:
        raise InputError(
            "no identity may sign checkpoints",
            hint="Name the workflow that does, and its issuer; anybody can sign with sigstore.",
        )
    _check_note(note, EvidenceError)
    root = read_trust(trusted_root)
    _check_bundle(bundle)
    verified = verify_blob(note, bundle, trusted_root=root, identities=identities)
    return TimeProof(Method.SIGSTORE, verified.identity.name, verified.at, verified.detail)


def anchor_body(
    note: bytes, bundle: str, checkpoint_seq: int, checkpoint_digest: str, *, authority: str
) -> dict[str, Any]:
    """The body of the ``anchor`` entry that keeps a bundle.

    Args:
        note: What was signed.
        bundle: The bundle, as JSON; verify it first.
        checkpoint_seq: Sequence number of the checkpoint entry.
        checkpoint_digest: Hex digest of the checkpoint entry's statement.
        authority: Name of the identity that signed.

    Raises:
        EvidenceError: It could not be read back.
    """
    return bodies.body(
        Anchor(
            method=Method.SIGSTORE,
            checkpoint=CheckpointRef(checkpoint_seq, checkpoint_digest),
            note_sha256=digest(note),
            authority=authority,
            state=AnchorState.COMPLETE,
            proof=bundle.encode(),
        )
    )


def verify_anchor(
    anchor: Anchor, note: bytes, *, trusted_root: Path, identities: Sequence[Identity]
) -> TimeProof:
    """Verify an anchor that was read with `reconciler.ledger.anchors.bodies.read_body`.

    Args:
        anchor: The anchor.
        note: The note of the checkpoint entry that it names.
        trusted_root: Pinned file with the keys of the authorities and logs that are believed.
        identities: Who may have signed; only the one whom the anchor names is looked at.

    Returns:
        The proof; without a time if the anchor names nobody who is listed.

    Raises:
        EvidenceError: Another method, another note, or a bundle that does not verify.
        InputError: The trusted root cannot be used.
        MachineError: The library is missing.
    """
    if anchor.method is not Method.SIGSTORE or anchor.state is not AnchorState.COMPLETE:
        raise _refusal(f"this is a {anchor.state} anchor of {anchor.method}, not a bundle")
    if anchor.note_sha256 != digest(note):
        raise _refusal("the anchor is of another note than its checkpoint's")
    named = [identity for identity in identities if identity.name == anchor.authority]
    if not named:
        reason = f"nobody of the name {anchor.authority} is listed as one who may sign"
        return TimeProof(Method.SIGSTORE, anchor.authority, None, reason)
    try:
        bundle = anchor.proof.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refusal("the bundle is not text") from error
    return verify_note(note, bundle, trusted_root=trusted_root, identities=named)


def _check_note(note: bytes, kind: type[InputError] | type[EvidenceError]) -> None:
    if not 0 < len(note) <= MAX_NOTE:
        hint = "What is signed is the whole text of a checkpoint's signed note."
        raise kind(f"a note has 1 to {MAX_NOTE} bytes, this has {len(note)}", hint=hint)


def _check_bundle(bundle: str) -> None:
    """An entry keeps it, so it must fit into one."""
    size = len(bundle.encode("utf-8", "replace"))
    if size > MAX_PROOF:
        message = f"this is no bundle of a checkpoint: {size} bytes are more than {MAX_PROOF}"
        raise EvidenceError(message, hint=_HINT)


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint="An anchor entry is written by the ledger and never edited.")

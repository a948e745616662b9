"""Checkpoints signed in CI with sigstore: who signed is an identity, and a log saw it at a time.

No key is kept: a job proves to a certificate authority who it is, gets a certificate of ten
minutes, signs the checkpoint's note with it, and a transparency log keeps the signature for all to
see. What comes back is a *bundle*. It vouches for the note (an identity that the appliance cannot
use has seen it) and for a time.

Rule 1: Verifying needs no network. What is trusted is one file, pinned beside the evidence, and a
    list of identities; there is no identity that is trusted by default.
Rule 2: A bundle is what was verified and nothing more: every part of it must be right, also a part
    that could be missing.
Rule 3: The time is the latest that a log or a time-stamping authority signed, so it holds as long
    as one of them is honest. The certificate's own times, and a log's time without its signature,
    prove nothing.

The library is heavy and optional, so it is imported when it is needed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.evidence.canonical import digest
from reconciler.ledger.anchors import bodies
from reconciler.ledger.anchors.model import (
    Anchor,
    AnchorState,
    CheckpointRef,
    Method,
    TimeProof,
)

MAX_NOTE = 64 * 1024
"""Bytes of the largest note; a checkpoint with forty cosignatures is 8 kB."""

MAX_TRUST = 1024 * 1024
"""Bytes of the largest trusted root or trust configuration; the public one is 12 kB."""

_EXTRA = "pip install 'reconciler[sigstore]'"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who may sign checkpoints.

    Attributes:
        name: What evidence calls it: a plain word, ``ci``.
        issuer: Who vouched for the identity: ``https://token.actions.githubusercontent.com``.
        identity: The identity itself, compared whole; on GitHub the workflow and its branch:
            ``https://github.com/clinic/evidence/.github/workflows/checkpoint.yml@refs/heads/main``.
        repository: Where the workflow must have run, ``https://github.com/clinic/evidence``: a
            workflow that is shared may be called from anywhere. None where the issuer has none.
    """

    name: str
    issuer: str
    identity: str
    repository: str | None = None

    def __post_init__(self) -> None:
        """Refuse an identity that would match nobody, or whom nobody can name."""
        if bodies.AUTHORITY.fullmatch(self.name) is None:
            raise InputError(
                f"{self.name!r:.80} is no name of an identity",
                hint=f"Use lower-case letters, digits, dots and dashes: {bodies.AUTHORITY.pattern}",
            )
        if not self.issuer or not self.identity or self.repository == "":
            raise InputError(
                f"identity {self.name} lacks its issuer, its subject or its repository",
                hint="Name all of them; nobody is trusted by a part of a name.",
            )


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
    config = None if trust_config is None else read_trust(trust_config).decode("utf-8", "replace")
    with _extra():
        from reconciler.ledger.anchors import sigstore_sign  # noqa: PLC0415 - lazy: optional, heavy
    return sigstore_sign.sign(note, config, identity_token)


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
    with _extra():
        from reconciler.ledger.anchors import sigstore_check  # noqa: PLC0415 - lazy: optional, heavy
    return sigstore_check.verify(note, bundle, root, identities)


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


def read_trust(path: Path) -> bytes:
    """Read a file that says whom to believe.

    Raises:
        InputError: It is not there, or is no such file.
    """
    hint = "Pin a trusted_root.json beside the evidence; docs/operating.md says where it is from."
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TRUST + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    if len(data) > MAX_TRUST:
        raise InputError(f"{path} has more than {MAX_TRUST} bytes", hint=hint)
    return data


def words(error: Exception) -> str:
    """What a library says is wrong, as one short line of printable text."""
    # The first line: what follows in a long message is the input, which somebody chose.
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def _check_note(note: bytes, kind: type[InputError] | type[EvidenceError]) -> None:
    if not 0 < len(note) <= MAX_NOTE:
        hint = "What is signed is the whole text of a checkpoint's signed note."
        raise kind(f"a note has 1 to {MAX_NOTE} bytes, this has {len(note)}", hint=hint)


@contextmanager
def _extra() -> Iterator[None]:
    """Where a module that needs sigstore is imported."""
    try:
        yield
    except ModuleNotFoundError as error:
        name = str(error.name).partition(".")[0]
        raise MachineError(f"{name} is not installed here", hint=_EXTRA) from error


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint="An anchor entry is written by the ledger and never edited.")

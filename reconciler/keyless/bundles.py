"""Sign and verify: statements for the fleet, files for the ledger's anchors.

The only module of this package that others need; the library is imported when it is called.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.keyless.identity import Identity

MAX_BUNDLE = 256 * 1024
"""Bytes of the largest bundle."""

MAX_PAYLOAD = 160 * 1024
"""Bytes of the largest statement, which a bundle keeps in base64: a release of 250 systems."""

MAX_TRUST = 1024 * 1024
"""Bytes of the largest trusted root or trust configuration; the public one is 12 kB."""

_EXTRA = "pip install 'reconciler[sigstore]'"


@dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle proves.

    Attributes:
        payload: What was signed, byte for byte.
        identity: Which of those who may sign did.
        at: The signature was there no later than this; somebody else's word, always known.
        detail: One sentence: who signed, and on whose word the time rests.
    """

    payload: bytes
    identity: Identity
    at: datetime
    detail: str


def sign_statement(payload: bytes, *, trust_config: Path | None, identity_token: str) -> str:
    """Sign an in-toto statement as the identity in a token.

    Args:
        payload: The statement; the bundle keeps it byte for byte. Its subjects have digests of the
            SHA-2 family alone, which the library insists on.
        trust_config: Where to sign, and whom to believe: a client trust configuration. None for
            the public Sigstore, whose configuration is then fetched from it.
        identity_token: A token for the audience ``sigstore``; it is a secret.

    Returns:
        The bundle, as JSON. It was not verified: see `verify_statement`.

    Raises:
        InputError: The statement, the configuration or the token cannot be used.
        EvidenceError: What a service answered is no bundle.
        MachineError: A service was not reached or refused, or the library is missing.
    """
    _check_size(payload, InputError)
    config = None if trust_config is None else _config(trust_config)
    with needed():
        from reconciler.keyless import signing  # noqa: PLC0415 - lazy: optional, heavy
    return signing.sign_statement(payload, config, identity_token)


def sign_blob(data: bytes, *, trust_config: Path | None, identity_token: str) -> str:
    """Sign a file as the identity in a token.

    Args:
        data: The file.
        trust_config: As in `sign_statement`.
        identity_token: As in `sign_statement`.

    Returns:
        The bundle, as JSON; the file is not in it. It was not verified: see `verify_blob`.

    Raises:
        InputError: The file, the configuration or the token cannot be used.
        EvidenceError: What a service answered is no bundle.
        MachineError: A service was not reached or refused, or the library is missing.
    """
    _check_size(data, InputError)
    config = None if trust_config is None else _config(trust_config)
    with needed():
        from reconciler.keyless import signing  # noqa: PLC0415 - lazy: optional, heavy
    return signing.sign_blob(data, config, identity_token)


def verify_statement(
    bundle: str, *, trusted_root: bytes, identities: Sequence[Identity]
) -> Verified:
    """Verify that one of some identities signed the in-toto statement in a bundle, and when.

    What the statement says is not looked at: read it strictly, and hold its subject against what
    it should be about.

    Args:
        bundle: The bundle, as JSON.
        trusted_root: The pinned file with the keys of the authorities and logs that are believed.
        identities: Who may have signed; the first that fits is named.

    Raises:
        EvidenceError: The bundle does not verify, is no statement's, or somebody else signed.
        InputError: The trusted root cannot be used, or nobody is trusted.
        MachineError: The library is missing.
    """
    _check_trust(trusted_root, identities)
    with needed():
        from reconciler.keyless import checking  # noqa: PLC0415 - lazy: optional, heavy
    verified = checking.verify_statement(bundle, trusted_root, identities)
    _check_size(verified.payload, EvidenceError)
    return verified


def verify_blob(
    data: bytes, bundle: str, *, trusted_root: bytes, identities: Sequence[Identity]
) -> Verified:
    """Verify that one of some identities signed a file, and when.

    Args:
        data: The file.
        bundle: The bundle, as JSON.
        trusted_root: The pinned file with the keys of the authorities and logs that are believed.
        identities: Who may have signed; the first that fits is named.

    Raises:
        EvidenceError: The bundle does not verify, is a statement's, or somebody else signed.
        InputError: The trusted root cannot be used, or nobody is trusted.
        MachineError: The library is missing.
    """
    _check_trust(trusted_root, identities)
    _check_size(data, EvidenceError)
    with needed():
        from reconciler.keyless import checking  # noqa: PLC0415 - lazy: optional, heavy
    return checking.verify_blob(data, bundle, trusted_root, identities)


def read_trust(path: Path) -> bytes:
    """Read a file that says whom to believe.

    Raises:
        InputError: It is not there, or is no such file.
    """
    hint = "Pin a trusted_root.json beside what it is for; docs/operating.md says where it is from."
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TRUST + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    if len(data) > MAX_TRUST:
        raise InputError(f"{path} has more than {MAX_TRUST} bytes", hint=hint)
    return data


@contextmanager
def needed() -> Iterator[None]:
    """Where a module that needs sigstore is imported.

    Raises:
        MachineError: It is not installed; nothing was asked and nothing was checked.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = str(error.name).partition(".")[0]
        raise MachineError(f"{name} is not installed here", hint=_EXTRA) from error


def _config(path: Path) -> str:
    return read_trust(path).decode("utf-8", "replace")


def _check_trust(root: bytes, identities: Sequence[Identity]) -> None:
    if not identities:
        raise InputError(
            "no identity may sign this",
            hint="Name the workflow that does, and its issuer; anybody can sign with sigstore.",
        )
    if len(root) > MAX_TRUST:
        message = f"a trusted root of {len(root)} bytes is larger than {MAX_TRUST}"
        raise InputError(message, hint="Pin a trusted_root.json as sigstore publishes it.")


def _check_size(data: bytes, kind: type[InputError] | type[EvidenceError]) -> None:
    if not 0 < len(data) <= MAX_PAYLOAD:
        message = f"what is signed has 1 to {MAX_PAYLOAD} bytes, this has {len(data)}"
        raise kind(message, hint="Sign a statement about it, with its digest.")

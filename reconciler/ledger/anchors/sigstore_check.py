"""Verifies bundles, offline. The only module that verifies with sigstore; imported when needed."""

import json
import struct
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.utils import CryptographyDeprecationWarning
from sigstore.errors import Error as SigstoreError
from sigstore.errors import MetadataError
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy
from sigstore_models.trustroot.v1 import TrustedRoot as TrustedRootModel

from reconciler.errors import EvidenceError, InputError
from reconciler.ledger.anchors.model import MAX_PROOF, Method, TimeProof
from reconciler.ledger.anchors.sigstore import Identity, words
from reconciler.ledger.anchors.sigstore_times import SignedTime, promised, timestamps

_FORM = "application/vnd.dev.sigstore.bundle.v0.3+json"
_HINT = "Get the bundle again from the job that signed the checkpoint; it is never edited."
_WHO = "Only the identities that are listed may sign checkpoints: look at who ran this job."
# What the library and its parsers raise about bytes that somebody chose.
_UNSOUND = (
    SigstoreError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
    struct.error,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def verify(note: bytes, bundle: str, root: bytes, identities: Sequence[Identity]) -> TimeProof:
    """See `reconciler.ledger.anchors.sigstore.verify_note`."""
    with warnings.catch_warnings():
        # About odd certificates; what is wrong with a bundle is said by an error, or not at all.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return _verify(note, bundle, root, identities)


def _verify(note: bytes, bundle: str, root: bytes, identities: Sequence[Identity]) -> TimeProof:
    model, trusted, verifier = _trusted(root)
    shape, parsed = _parse(bundle)
    (entry,) = shape["verificationMaterial"]["tlogEntries"]
    who = _signer(parsed.signing_certificate, identities)
    try:
        verifier.verify_artifact(note, parsed, _policy(who))
        times = [*promised(entry, model), *timestamps(parsed, trusted)]
    except MetadataError as error:
        raise _unusable(error) from error
    except _UNSOUND as error:
        raise EvidenceError(f"the bundle does not verify: {words(error)}", hint=_HINT) from error
    return _proof(who, times)


def _trusted(root: bytes) -> tuple[TrustedRootModel, TrustedRoot, Verifier]:
    try:
        model = TrustedRootModel.from_json(root)
        trusted = TrustedRoot(model)
        return model, trusted, Verifier(trusted_root=trusted)
    except _UNSOUND as error:
        raise _unusable(error) from error


def _parse(text: str) -> tuple[dict[str, Any], Bundle]:
    """A bundle, and what of its text was understood, which must be all of it."""
    try:
        size = len(text.encode())
        if size > MAX_PROOF:
            raise ValueError(f"it has {size} bytes, more than {MAX_PROOF}")
        given = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        bundle = Bundle.from_json(text)
        shape: dict[str, Any] = json.loads(bundle.to_json())
    except _UNSOUND as error:
        raise EvidenceError(f"this is no bundle: {words(error)}", hint=_HINT) from error
    if given != shape:
        raise EvidenceError("the bundle holds more than a bundle does", hint=_HINT)
    if shape["mediaType"] != _FORM or "messageSignature" not in shape:
        raise EvidenceError("the bundle is not a signature of form 0.3 over a file", hint=_HINT)
    return shape, bundle


def _signer(certificate: x509.Certificate, identities: Sequence[Identity]) -> Identity:
    """Whom the certificate names; whether it may is verified after."""
    for identity in identities:
        try:
            _policy(identity).verify(certificate)
        except _UNSOUND:
            continue
        return identity
    names = ", ".join(identity.name for identity in identities)
    raise EvidenceError(f"somebody other than {names} signed the note", hint=_WHO)


def _policy(identity: Identity) -> policy.AllOf:
    must: list[policy.VerificationPolicy] = [
        policy.Identity(identity=identity.identity, issuer=identity.issuer),
        policy.OIDCIssuerV2(identity.issuer),
    ]
    if identity.repository is not None:
        must.append(policy.OIDCSourceRepositoryURI(identity.repository))
    return policy.AllOf(must)


def _proof(who: Identity, times: list[SignedTime]) -> TimeProof:
    if not times:
        raise EvidenceError("nobody signed a time for this bundle", hint=_HINT)
    said = " and ".join(f"{time.source} at {time.at:%Y-%m-%dT%H:%M:%SZ}" for time in times)
    detail = f"signed by {who.identity} (vouched for by {who.issuer}), seen by {said}"
    return TimeProof(Method.SIGSTORE, who.name, max(time.at for time in times), detail)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no value")


def _unusable(error: Exception) -> InputError:
    hint = "Pin a whole trusted_root.json, as sigstore publishes it."
    return InputError(f"the trusted root cannot be used: {words(error)}", hint=hint)

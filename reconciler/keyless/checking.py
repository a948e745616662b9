"""Verifies bundles, offline. The only module that verifies with sigstore; imported when needed."""

import json
import struct
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from reconciler.keyless.bundles import MAX_BUNDLE, Verified
from reconciler.keyless.identity import Identity
from reconciler.keyless.said import words
from reconciler.keyless.times import SignedTime, promised, timestamps

PAYLOAD_TYPE = "application/vnd.in-toto+json"

_FORM = "application/vnd.dev.sigstore.bundle.v0.3+json"
_STATEMENT, _FILE = "dsseEnvelope", "messageSignature"
_WHAT = {_STATEMENT: "a signed statement", _FILE: "a signature of form 0.3 over a file"}
_HINT = "Get the bundle again from the job that signed; it is never edited."
_WHO = "Only the identities that are listed may sign: look at who ran this job."
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
_Check = Callable[[Verifier, Bundle, policy.VerificationPolicy], bytes]


def verify_statement(bundle: str, root: bytes, identities: Sequence[Identity]) -> Verified:
    """See `reconciler.keyless.bundles.verify_statement`."""
    return _quietly(_Given(bundle, root, identities, _STATEMENT), _statement)


def verify_blob(data: bytes, bundle: str, root: bytes, identities: Sequence[Identity]) -> Verified:
    """See `reconciler.keyless.bundles.verify_blob`."""

    def check(verifier: Verifier, parsed: Bundle, must: policy.VerificationPolicy) -> bytes:
        verifier.verify_artifact(data, parsed, must)
        return data

    return _quietly(_Given(bundle, root, identities, _FILE), check)


@dataclass(frozen=True, slots=True)
class _Given:
    bundle: str
    root: bytes
    identities: Sequence[Identity]
    content: str


def _statement(verifier: Verifier, parsed: Bundle, must: policy.VerificationPolicy) -> bytes:
    kind, payload = verifier.verify_dsse(parsed, must)
    if kind != PAYLOAD_TYPE:
        raise ValueError(f"it is over {kind!r:.60}, not an in-toto statement")
    return payload


def _quietly(given: _Given, check: _Check) -> Verified:
    with warnings.catch_warnings():
        # About odd certificates; what is wrong with a bundle is said by an error, or not at all.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return _verify(given, check)


def _verify(given: _Given, check: _Check) -> Verified:
    model, trusted, verifier = _trusted(given.root)
    shape, parsed = _parse(given.bundle, given.content)
    (entry,) = shape["verificationMaterial"]["tlogEntries"]
    who = _signer(parsed.signing_certificate, given.identities)
    try:
        payload = check(verifier, parsed, _policy(who))
        times = [*promised(entry, model), *timestamps(parsed, trusted)]
    except MetadataError as error:
        raise _unusable(error) from error
    except _UNSOUND as error:
        raise EvidenceError(f"the bundle does not verify: {words(error)}", hint=_HINT) from error
    return _verified(payload, who, times)


def _trusted(root: bytes) -> tuple[TrustedRootModel, TrustedRoot, Verifier]:
    try:
        model = TrustedRootModel.from_json(root)
        trusted = TrustedRoot(model)
        return model, trusted, Verifier(trusted_root=trusted)
    except _UNSOUND as error:
        raise _unusable(error) from error


def _parse(text: str, content: str) -> tuple[dict[str, Any], Bundle]:
    """A bundle, and what of its text was understood, which must be all of it."""
    try:
        size = len(text.encode())
        if size > MAX_BUNDLE:
            raise ValueError(f"it has {size} bytes, more than {MAX_BUNDLE}")
        given = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        bundle = Bundle.from_json(text)
        shape: dict[str, Any] = json.loads(bundle.to_json())
    except _UNSOUND as error:
        raise EvidenceError(f"this is no bundle: {words(error)}", hint=_HINT) from error
    if given != shape:
        raise EvidenceError("the bundle holds more than a bundle does", hint=_HINT)
    if shape["mediaType"] != _FORM or _WHAT.keys() & shape.keys() != {content}:
        raise EvidenceError(f"the bundle is not {_WHAT[content]}", hint=_HINT)
    # Nobody signs the name of a key, and a certificate says whose it is.
    if content == _STATEMENT and any("keyid" in one for one in shape[content]["signatures"]):
        raise EvidenceError("the signature names a key beside its certificate", hint=_HINT)
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
    raise EvidenceError(f"somebody other than {names} signed", hint=_WHO)


def _policy(identity: Identity) -> policy.AllOf:
    must: list[policy.VerificationPolicy] = [
        policy.Identity(identity=identity.identity, issuer=identity.issuer),
        policy.OIDCIssuerV2(identity.issuer),
    ]
    if identity.repository is not None:
        must.append(policy.OIDCSourceRepositoryURI(identity.repository))
    return policy.AllOf(must)


def _verified(payload: bytes, who: Identity, times: list[SignedTime]) -> Verified:
    if not times:
        raise EvidenceError("nobody signed a time for this bundle", hint=_HINT)
    said = " and ".join(f"{time.source} at {time.at:%Y-%m-%dT%H:%M:%SZ}" for time in times)
    detail = f"signed by {who.identity} (vouched for by {who.issuer}), seen by {said}"
    return Verified(payload, who, max(time.at for time in times), detail)


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

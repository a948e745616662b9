"""Signs with sigstore. Imported when needed; with `ambient`, the only part that asks services."""

from collections.abc import Callable

import requests
from sigstore._internal.fulcio.client import FulcioClientError
from sigstore._internal.rekor import RekorClientError
from sigstore.dsse import Statement
from sigstore.errors import Error as SigstoreError
from sigstore.errors import NetworkError, TUFError
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import ExpiredIdentity, IdentityError, IdentityToken
from sigstore.sign import Signer, SigningContext

from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.keyless.bundles import MAX_BUNDLE
from reconciler.keyless.said import words

_FRESH = "Ask for a new token for the audience 'sigstore' (a job on GitHub: id-token: write)."
_AGAIN = "Run it again later; nothing is lost by signing later."
# Two of these have no public name.
_UNREACHED = (
    requests.RequestException,
    NetworkError,
    TUFError,
    FulcioClientError,
    RekorClientError,
)
_UNSOUND = (SigstoreError, ValueError, TypeError, LookupError)


def sign_statement(payload: bytes, trust_config: str | None, identity_token: str) -> str:
    """See `reconciler.keyless.bundles.sign_statement`."""
    try:
        statement = Statement(payload)
    except _UNSOUND as error:
        hint = "Sign an in-toto Statement v1 whose subjects have SHA-2 digests."
        raise InputError(f"this is no statement: {words(error)}", hint=hint) from error
    return _sign(lambda signer: signer.sign_dsse(statement), trust_config, identity_token)


def sign_blob(data: bytes, trust_config: str | None, identity_token: str) -> str:
    """See `reconciler.keyless.bundles.sign_blob`."""
    return _sign(lambda signer: signer.sign_artifact(data), trust_config, identity_token)


def _sign(act: Callable[[Signer], Bundle], trust_config: str | None, identity_token: str) -> str:
    context = _context(trust_config)
    try:
        token = IdentityToken(identity_token)
        with context.signer(token) as signer:
            bundle: str = act(signer).to_json()
    except (IdentityError, ExpiredIdentity) as error:
        raise InputError(f"the identity token is of no use: {words(error)}", hint=_FRESH) from error
    except _UNREACHED as error:
        message = f"a sigstore service would not sign: {words(error)}"
        raise MachineError(message, hint=_AGAIN) from error
    except _UNSOUND as error:
        message = f"a sigstore service answered nonsense: {words(error)}"
        raise EvidenceError(message, hint=_AGAIN) from error
    if len(bundle.encode()) > MAX_BUNDLE:
        raise EvidenceError(f"a bundle of more than {MAX_BUNDLE} bytes is too large", hint=_AGAIN)
    return bundle


def _context(trust_config: str | None) -> SigningContext:
    try:
        if trust_config is None:
            config = ClientTrustConfig.production()
        else:
            config = ClientTrustConfig.from_json(trust_config)
        return SigningContext.from_trust_config(config)
    except _UNREACHED as error:
        message = f"the public Sigstore's configuration was not reached: {words(error)}"
        raise MachineError(message, hint=_AGAIN) from error
    except _UNSOUND as error:
        hint = "It is a client trust configuration as sigstore-python reads it, with its services."
        message = f"the trust configuration cannot be used: {words(error)}"
        raise InputError(message, hint=hint) from error

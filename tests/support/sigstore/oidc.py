"""Identity provider: signed statements about who somebody is (OpenID Connect, ES256)."""

import time
from base64 import urlsafe_b64encode
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "sigstore"


class IdentityProvider:
    """Says of anybody whatever it is told to."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def token(self, issuer: str, subject: str, claims: dict[str, Any]) -> str:
        """A token of ten minutes."""
        now = int(time.time())
        standard = {
            "iss": issuer,
            "sub": subject,
            "aud": AUDIENCE,
            "iat": now,
            "nbf": now - 5,
            "exp": now + 600,
        }
        email = {"email": subject, "email_verified": True} if "@" in subject else {}
        payload = standard | email | claims
        return jwt.encode(payload, self._key, algorithm="ES256", headers={"kid": "test"})

    def claims(self, token: str, issuer: str) -> dict[str, Any]:
        """What a token says, if it is ours; `jwt.InvalidTokenError` if not."""
        public = self._key.public_key()
        return jwt.decode(token, public, algorithms=["ES256"], audience=AUDIENCE, issuer=issuer)

    def discovery(self, issuer: str) -> dict[str, Any]:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/auth",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }

    def keys(self) -> dict[str, Any]:
        numbers = self._key.public_key().public_numbers()
        x, y = (
            urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode()
            for n in (numbers.x, numbers.y)
        )
        key = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "test"}
        return {"keys": [key | {"x": x, "y": y}]}

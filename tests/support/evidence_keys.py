"""Published Ed25519 test keys: one for each name, the same in every run."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def test_key(name: str) -> Ed25519PrivateKey:
    """The private key that belongs to a name; never use one of these outside a test."""
    seed = hashlib.sha256(b"published test key " + name.encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


test_key.__test__ = False  # type: ignore[attr-defined]

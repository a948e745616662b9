"""A hardware key in software: makes the bytes that a FIDO authenticator and ``ssh-keygen`` make.

Every part can be made wrong, so that a test can show that it is looked at.
"""

import hashlib
from dataclasses import dataclass, field, replace

from reconciler.evidence import sshsig, sshsig_sk
from reconciler.evidence.ssh_wire import string, strings
from tests.support.evidence_keys import test_key

TOUCHED, VERIFIED = 0x01, 0x05


@dataclass
class Authenticator:
    """One key.

    Attributes:
        name: Which key.
        application: What it was made for.
        flags: What it says of the person in front of it.
        counter: How often it has signed.
    """

    name: str
    application: bytes = b"ssh:"
    flags: int = TOUCHED
    counter: int = field(default=0)

    @property
    def public(self) -> bytes:
        """The key blob, which stands for the key everywhere."""
        raw = sshsig.raw_public(test_key(self.name))
        return sshsig_sk.key_blob(raw, self.application)

    def blob(self, message: bytes, namespace: str) -> bytes:
        """A signature as SSHSIG."""
        self.counter += 1
        head = (namespace.encode(), b"", b"sha512")
        inner = b"SSHSIG" + strings(*head, hashlib.sha512(message).digest())
        told = bytes((self.flags,)) + self.counter.to_bytes(4, "big")
        signed = hashlib.sha256(self.application).digest() + told + hashlib.sha256(inner).digest()
        signature = strings(b"sk-ssh-ed25519@openssh.com", test_key(self.name).sign(signed)) + told
        return b"SSHSIG\x00\x00\x00\x01" + strings(self.public, *head) + string(signature)

    def sign(self, message: bytes, namespace: str) -> str:
        """The same in its armor."""
        return sshsig.armor_of(self.blob(message, namespace))

    def line(self, principal: str, namespaces: str = "git,reconciler-attestation") -> str:
        """Its line in an allowed signers file."""
        return f'{principal} namespaces="{namespaces}" {sshsig.public_text(self.public)}\n'

    def but(self, **changes: object) -> "Authenticator":
        """The same key, with something else wrong or right about it."""
        return replace(self, **changes)  # type: ignore[arg-type]

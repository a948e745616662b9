"""Keys of people that never leave a hardware authenticator: ``sk-ssh-ed25519@openssh.com``.

Source: OpenSSH ``PROTOCOL.u2f``. The authenticator does not sign the message but
``SHA256(application) || flags || counter || SHA256(message)``, and says in the flags whether a
person was there.

Rule 1: Without the touch of a person (flag 0x01) a signature is none. Whoever holds the computer
        can ask for others.
Rule 2: The application begins with ``ssh:``: a key that signs people in at a web site signs other
        data, for whoever runs the site.
Rule 3: Flags that promise more signed data (0x40, 0x80) or that nobody has defined are refused.
"""

import hashlib
import re

from reconciler.errors import EvidenceError
from reconciler.evidence.ssh_wire import string, strings

KEY_TYPE = "sk-ssh-ed25519@openssh.com"
USER_PRESENT = 0x01

# User present or verified, and whether the key may be and is backed up.
_FLAGS = USER_PRESENT | 0x04 | 0x08 | 0x10
_APPLICATION = re.compile(rb"ssh:[\x21-\x7e]{0,124}")
_RAW_AT = 4 + len(KEY_TYPE) + 4
_TAIL = 64 + 1 + 4
_HINT = f"Use a key that ssh-keygen -t ed25519-sk made, and touch it; its type is {KEY_TYPE}."


def is_sk(public: bytes) -> bool:
    """Whether a public key is the key blob of a hardware key, and not 32 raw bytes."""
    return len(public) > 32 and public.startswith(string(KEY_TYPE.encode()))


def key_blob(raw: bytes, application: bytes = b"ssh:") -> bytes:
    """The public key as OpenSSH writes it: what stands for a hardware key everywhere here.

    Args:
        raw: Raw Ed25519 public key, 32 bytes.
        application: What the key was made for.
    """
    return strings(KEY_TYPE.encode(), raw, application)


def parts(public: bytes) -> tuple[bytes, bytes]:
    """Raw public key and application of a key blob.

    Raises:
        EvidenceError: Not exactly such a blob, or made for something else than SSH.
    """
    raw, application = public[_RAW_AT : _RAW_AT + 32], public[_RAW_AT + 36 :]
    if len(raw) != 32 or public != key_blob(raw, application):
        raise EvidenceError(f"public key is not a canonical {KEY_TYPE} key", hint=_HINT)
    if not _APPLICATION.fullmatch(application):
        message = f"hardware key was made for {application[:40]!r}, not for ssh:"
        raise EvidenceError(message, hint=_HINT)
    return raw, application


def signature_field(signature: bytes, flags: int, counter: int) -> bytes:
    """The signature as an SSHSIG holds it: type, signature, flags, counter."""
    tail = bytes((flags,)) + counter.to_bytes(4, "big")
    return strings(KEY_TYPE.encode(), signature) + tail


def split_signature(field: bytes) -> tuple[bytes, int, int]:
    """Signature, flags and counter of what `signature_field` built.

    Raises:
        EvidenceError: It is anything else.
    """
    tail = field[-_TAIL:]
    signature, flags, counter = tail[:64], tail[64:65], tail[65:]
    if len(tail) != _TAIL or field != signature_field(
        signature, flags[0], int.from_bytes(counter, "big")
    ):
        raise EvidenceError("signature of a hardware key is malformed", hint=_HINT)
    return signature, flags[0], int.from_bytes(counter, "big")


def signed_by_authenticator(application: bytes, flags: int, counter: int, message: bytes) -> bytes:
    """The bytes that the authenticator signs for a message.

    Raises:
        EvidenceError: The flags say that nobody touched it, or something that is not understood.
    """
    if not flags & USER_PRESENT:
        raise EvidenceError("nobody touched the hardware key for this signature", hint=_HINT)
    if flags & ~_FLAGS:
        raise EvidenceError(f"hardware key set flags 0x{flags:02x}", hint=_HINT)
    told = bytes((flags,)) + counter.to_bytes(4, "big")
    return hashlib.sha256(application).digest() + told + hashlib.sha256(message).digest()

"""One line of an authorized_keys file: sshd(8), AUTHORIZED_KEYS FILE FORMAT.

Only a key's type and its SHA-256 fingerprint leave this module. Comments often hold an e-mail
address, and options may hold a command line or an address (45 CFR 164.514(b)(2)).
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

HOMES = ("/root", "/home/*", "/var/lib/*", "/srv/*", "/opt/*")
"""Where homes lie whose keys are looked at."""

PLACES = (
    "/etc/ssh/authorized_keys.d/*",
    *(f"{home}/.ssh/{name}" for home in HOMES for name in ("authorized_keys", "authorized_keys2")),
)
"""Where keys lie by default on Debian and NixOS, as glob patterns."""

_TYPE = re.compile(r"(?:ssh|ecdsa|sk-ssh|sk-ecdsa|webauthn-sk-ecdsa)-[A-Za-z0-9@.-]{1,80}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key that opens a log-in."""

    type: str
    fingerprint: str


def key_of(line: str) -> PublicKey | None:
    """The key of a line: type and blob, at its start or after one word of options."""
    return _typed(line) or _typed(line[_options_end(line) :])


def fingerprint(blob: bytes) -> str:
    """A key's fingerprint as ``ssh-keygen -l`` prints it (RFC 4648 base64, no padding)."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii")
    return "SHA256:" + digest.rstrip("=")


def _options_end(line: str) -> int:
    """Where the options end: at the first blank outside of quotes, as sshd reads them."""
    quoted = escaped = False
    for position, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\" and quoted:
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character in " \t" and not quoted:
            return position
    return len(line)


def _typed(text: str) -> PublicKey | None:
    kind, encoded, *_ = (*text.split(maxsplit=2), "", "")
    if _TYPE.fullmatch(kind) is None:
        return None
    blob = _decoded(encoded)
    if blob is None or _inner_type(blob) != kind:
        return None
    return PublicKey(kind, fingerprint(blob))


def _decoded(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded.encode("ascii", "replace"), validate=True)
    except binascii.Error:
        return None


def _inner_type(blob: bytes) -> str | None:
    """The type that a key blob itself states (RFC 4253 section 6.6: a string comes first)."""
    length = int.from_bytes(blob[:4], "big")
    name = blob[4 : 4 + length]
    return name.decode("ascii", "replace") if 0 < length == len(name) else None

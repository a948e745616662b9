"""Public keys that open a log-in: sshd(8), AUTHORIZED_KEYS FILE FORMAT.

Only a key's type and its SHA-256 fingerprint leave this module. Comments often hold an e-mail
address, and options may hold a command line or an address (45 CFR 164.514(b)(2)).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.checks.parsing.shapes import FileText, code_lines, files
from reconciler.model.answer import Answers
from reconciler.model.probe import Probe, ReadFile, ReadGlob

_HOMES = ("/root", "/home/*", "/var/lib/*", "/srv/*", "/opt/*")
_GLOBS = (
    ReadGlob("/etc/ssh/authorized_keys.d/*"),
    *(
        ReadGlob(f"{home}/.ssh/{name}")
        for home in _HOMES
        for name in ("authorized_keys", "authorized_keys2")
    ),
)
PASSWD = ReadFile("/etc/passwd")

PROBES: tuple[Probe, ...] = (PASSWD, *_GLOBS)
"""Where keys lie by default on Debian and NixOS, and the accounts whose homes lie elsewhere."""

KNOWN_PLACES = frozenset(
    {
        ".ssh/authorized_keys",
        ".ssh/authorized_keys2",
        "%h/.ssh/authorized_keys",
        "%h/.ssh/authorized_keys2",
        "/etc/ssh/authorized_keys.d/%u",
    }
)
"""Values of AuthorizedKeysFile that `PROBES` covers."""

_NO_LOGIN = frozenset({"nologin", "false", "sync", "shutdown", "halt"})
_TYPE = re.compile(r"(?:ssh|ecdsa|sk-ssh|sk-ecdsa|webauthn-sk-ecdsa)-[A-Za-z0-9@.-]{1,80}")
_COVERED = re.compile(r"/root|/(?:home|srv|opt|var/lib)/[^/]+")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key that opens a log-in."""

    type: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Keys:
    """Every key found.

    Attributes:
        keys: In the order of the files.
        files: Number of files that hold at least one key.
        not_understood: Lines that are no key here; sshd might think otherwise.
        homes_elsewhere: Accounts with a log-in shell whose home was not looked into.
    """

    keys: tuple[PublicKey, ...]
    files: int
    not_understood: int
    homes_elsewhere: int


def read_keys(answers: Answers) -> Keys:
    """Every key in every place that was looked at.

    Raises:
        Unobservable: A file or a directory could not be read: an unread file is no empty file.
    """
    found = [list(_keys(file)) for probe in _GLOBS for file in files(answers, probe)]
    lines = [key for keys in found for key in keys]
    return Keys(
        keys=tuple(key for key in lines if key is not None),
        files=sum(1 for keys in found if any(keys)),
        not_understood=lines.count(None),
        homes_elsewhere=homes_elsewhere(answers.text(PASSWD)),
    )


def homes_elsewhere(passwd: str) -> int:
    """How many accounts can log in and live where `PROBES` do not look."""
    accounts = [line.split(":") for line in passwd.split("\n") if line.count(":") == 6]
    return sum(
        1
        for *_, home, shell in accounts
        if shell.rpartition("/")[2] not in _NO_LOGIN and _COVERED.fullmatch(home) is None
    )


def fingerprint(blob: bytes) -> str:
    """A key's fingerprint as ``ssh-keygen -l`` prints it (RFC 4648 base64, no padding)."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii")
    return "SHA256:" + digest.rstrip("=")


def _keys(file: FileText) -> Iterator[PublicKey | None]:
    return (_key(line) for line in code_lines(file.text))


def _key(line: str) -> PublicKey | None:
    """The key of a line: type and blob, at its start or after one word of options."""
    return _typed(line) or _typed(line[_options_end(line) :])


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

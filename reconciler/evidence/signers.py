"""Allowed signers: which key speaks for whom, in which namespace, when, and where in a ledger.

Source: ssh-keygen(1), ALLOWED SIGNERS. The same file serves stock ``git verify-commit`` and
``ssh-keygen -Y verify``; what is accepted here is a subset that leaves nothing to interpretation:

Rule 1: One literal principal a line. Patterns and lists would let a key choose its name.
Rule 2: One key, one principal. Several lines for the same pair give it several windows.
Rule 3: Times end in ``Z``. Without it OpenSSH takes the local time of whoever audits.
Rule 4: Unknown options, certificate authorities and other key types are errors, not comments.
        Hardware keys (``sk-ssh-ed25519@openssh.com``) are for people: bound to no ledger.
Rule 5: A comment that begins with ``ledger:0-41`` or ``ledger:42-`` binds the key to entries of
        these sequence numbers. OpenSSH sees a comment; whoever holds an old key can choose the time
        on its clock, but not the number of the next entry. Elsewhere in a comment, or malformed,
        such a word is an error: a range that is not read would be a range that does not hold.

A window includes both its ends, as in OpenSSH: ``valid-after`` <= time <= ``valid-before``; so does
a range.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.evidence.sshsig import parse_public, public_line
from reconciler.evidence.sshsig_sk import is_sk

MAX_BYTES = 256 * 1024
MAX_SIGNERS = 4096

PRINCIPAL = re.compile(r"[A-Za-z0-9@._+/-]{1,128}")
_NAMESPACE = re.compile(r"[A-Za-z0-9@._/-]{1,64}")
_OPTION = re.compile(r'([A-Za-z-]+)="([^"\\]*)"')
_POSITIONS = re.compile(r"ledger:(0|[1-9][0-9]{0,7})-(0|[1-9][0-9]{0,7})?")
_POSITIONS_MARK = re.compile(r"ledger\s*:", re.IGNORECASE)
_TIME_FORMATS = {9: "%Y%m%dZ", 13: "%Y%m%d%H%MZ", 15: "%Y%m%d%H%M%SZ"}
_OPTIONS = ("namespaces", "valid-after", "valid-before")
_HINT = (
    'A line is: principal [namespaces="git",valid-after="20260101Z"] ssh-ed25519 AAAA... '
    "[ledger:FIRST-[LAST]] comment"
)

Positions = tuple[int, int | None]
"""First and last sequence number that a key may sign; None: no last one yet."""


class Refusal(StrEnum):
    """Why a key does not speak for anybody, as a stable code."""

    UNKNOWN_KEY = "unknown-key"
    WRONG_NAMESPACE = "wrong-namespace"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    OUT_OF_POSITION = "out-of-position"


@dataclass(frozen=True, slots=True)
class Signer:
    """One line of an allowed signers file.

    Attributes:
        principal: Whom the key speaks for: ``alice@msp.example`` or ``<client>/<host>``.
        public: Raw Ed25519 public key, 32 bytes; of a hardware key its whole key blob.
        namespaces: Namespaces the key may sign in; None means any.
        valid_after: First instant of the window (UTC), None if open.
        valid_before: Last instant of the window (UTC), None if open.
        comment: Free text after the key and its positions.
        line: 1-based line in the file.
        positions: Entries of a ledger that the key may sign, None if it is not bound to any.
    """

    principal: str
    public: bytes
    namespaces: tuple[str, ...] | None
    valid_after: datetime | None
    valid_before: datetime | None
    comment: str
    line: int
    positions: Positions | None = None

    def refuses(self, namespace: str, at: datetime, seq: int | None = None) -> Refusal | None:
        """Why this line does not allow a signature, or None if it does."""
        if self.namespaces is not None and namespace not in self.namespaces:
            return Refusal.WRONG_NAMESPACE
        if self.valid_after is not None and at < self.valid_after:
            return Refusal.NOT_YET_VALID
        if self.valid_before is not None and at > self.valid_before:
            return Refusal.EXPIRED
        return None if self.covers(seq) else Refusal.OUT_OF_POSITION

    def covers(self, seq: int | None) -> bool:
        """Whether the key may sign the entry of that number; a bound key signs nothing else."""
        if self.positions is None:
            return True
        first, last = self.positions
        return seq is not None and first <= seq and (last is None or seq <= last)


@dataclass(frozen=True, slots=True)
class AllowedSigners:
    """A whole file, in its order.

    Attributes:
        file: Its name, for messages.
        signers: Its lines.
    """

    file: str
    signers: tuple[Signer, ...]

    def find(
        self, public: bytes, namespace: str, at: datetime, seq: int | None = None
    ) -> Signer | Refusal:
        """The line that allows a key to sign in a namespace at a time, or why there is none.

        Args:
            public: Raw Ed25519 public key, 32 bytes; of a hardware key its whole key blob.
            namespace: ``git`` for commits.
            at: When it was signed, timezone-aware.
            seq: Number of the ledger entry that it signed; None if it is not an entry, which a key
                bound to positions cannot sign.
        """
        reason = Refusal.UNKNOWN_KEY
        for signer in self.signers:
            if signer.public == public:
                refused = signer.refuses(namespace, at, seq)
                if refused is None:
                    return signer
                reason = refused
        return reason


def parse(data: bytes, file: str) -> AllowedSigners:
    """Read an allowed signers file.

    Args:
        data: Content of the file.
        file: Its name, for messages.

    Raises:
        InputError: Too large, not UTF-8, or a line that is not allowed; names file and line.
    """
    if len(data) > MAX_BYTES or data.count(b"\n") > MAX_SIGNERS:
        raise InputError("allowed signers file is too large", hint=_HINT, where=Where(file))
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise InputError("file is not UTF-8", hint=_HINT, where=Where(file)) from error
    signers: list[Signer] = []
    for number, line in enumerate(lines, 1):
        if line.strip(" \t") and not line.lstrip(" \t").startswith("#"):
            signers.append(_at_line(line, number, file))
    _one_principal_per_key(signers, file)
    return AllowedSigners(file, tuple(signers))


def render(signer: Signer) -> str:
    """A line that `parse` and OpenSSH read as this signer, without the newline."""
    options = {
        "namespaces": None if signer.namespaces is None else ",".join(signer.namespaces),
        "valid-after": signer.valid_after and signer.valid_after.strftime("%Y%m%d%H%M%SZ"),
        "valid-before": signer.valid_before and signer.valid_before.strftime("%Y%m%d%H%M%SZ"),
    }
    written = ",".join(f'{name}="{value}"' for name, value in options.items() if value)
    bound = "" if signer.positions is None else _range(signer.positions)
    words = (signer.principal, written, public_line(signer.public), bound, signer.comment)
    return " ".join(word for word in words if word)


def _at_line(line: str, number: int, file: str) -> Signer:
    try:
        return _signer(line, number)
    except (ValueError, EvidenceError) as error:
        raise InputError(str(error), hint=_HINT, where=Where(file, number)) from error


def _signer(line: str, number: int) -> Signer:
    if any(ord(char) < 0x20 and char != "\t" for char in line):
        raise ValueError("line holds a control character")
    words = re.split(r"[ \t]+", line.strip(" \t"))
    if not PRINCIPAL.fullmatch(words[0]):
        raise ValueError(f"principal {words[0][:60]!r} is not one literal name")
    options: dict[str, str] = {}
    if len(words) > 1 and not words[1].startswith(("ssh-", "sk-", "ecdsa-")):
        options = _options(words.pop(1))
    if len(words) < 3:
        raise ValueError("line has no key")
    after, before = _window(options)
    positions, comment = _comment(words[3:])
    public = parse_public(words[1], words[2])
    if positions is not None and is_sk(public):
        raise ValueError("a hardware key signs no ledger, so it is bound to none")
    return Signer(
        principal=words[0],
        public=public,
        namespaces=_namespaces(options.get("namespaces")),
        valid_after=after,
        valid_before=before,
        comment=comment,
        line=number,
        positions=positions,
    )


def _comment(words: list[str]) -> tuple[Positions | None, str]:
    """The positions a comment begins with, if it does, and the rest of it."""
    positions = None
    if words and (match := _POSITIONS.fullmatch(words[0])):
        positions = int(match[1]), None if match[2] is None else int(match[2])
        if positions[1] is not None and positions[1] < positions[0]:
            raise ValueError(f"{words[0]} ends before it begins")
        words = words[1:]
    rest = " ".join(words)
    if _POSITIONS_MARK.search(rest):
        raise ValueError(f"{rest[:60]!r} is not ledger:FIRST-[LAST] right after the key")
    return positions, rest


def _range(positions: Positions) -> str:
    first, last = positions
    return f"ledger:{first}-{'' if last is None else last}"


def _options(text: str) -> dict[str, str]:
    """``name="value",name="value"`` with known names, each once."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text) or not found:
        match = _OPTION.match(text, position)
        if match is None:
            raise ValueError(f"option {text[position : position + 60]!r} is not allowed here")
        name, value = match[1].lower(), match[2]
        if name not in _OPTIONS:
            raise ValueError(f"option {name[:60]!r} is not one of {', '.join(_OPTIONS)}")
        if name in found:
            raise ValueError(f"option {name!r} is given twice")
        found[name] = value
        position = match.end()
        if position < len(text):
            if text[position] != "," or position + 1 == len(text):
                raise ValueError(f"options go wrong at {text[position : position + 60]!r}")
            position += 1
    return found


def _namespaces(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(text.split(","))
    for name in names:
        if not _NAMESPACE.fullmatch(name):
            raise ValueError(f"namespace {name[:60]!r} is not one literal name")
    return names


def _window(options: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    after = _time("valid-after", options.get("valid-after"))
    before = _time("valid-before", options.get("valid-before"))
    if after is not None and before is not None and before <= after:
        raise ValueError("valid-before is not later than valid-after")
    return after, before


def _time(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    layout = _TIME_FORMATS.get(len(text))
    if layout is None or not re.fullmatch(r"[0-9]{8,14}Z", text):
        raise ValueError(f"{name} {text[:40]!r} is not YYYYMMDD[HHMM[SS]]Z (UTC)")
    try:
        time = datetime.strptime(text, layout).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{name} {text!r} is not a date") from error
    if time.timestamp() <= 0:
        raise ValueError(f"{name} {text!r} is before 1970")
    return time


def _one_principal_per_key(signers: Sequence[Signer], file: str) -> None:
    owner: dict[bytes, Signer] = {}
    for signer in signers:
        first = owner.setdefault(signer.public, signer)
        if first.principal != signer.principal:
            message = f"key of {first.principal!r} (line {first.line}) is listed for another"
            hint = "Give each principal its own key; a shared key cannot say who signed."
            raise InputError(message, hint=hint, where=Where(file, signer.line))

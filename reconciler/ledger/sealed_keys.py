"""Where the private half of an evidence key lives, and how it gets to the service that signs.

The key is made on the appliance and never leaves it. A TPM 2.0 seldom has Ed25519, so the TPM does
not sign: it seals. In order of strength:

``tpm``   ``FILE.cred``, sealed to the machine's TPM; a copied disk is worth nothing.
``host``  ``FILE.cred``, sealed to the machine's host key; a copied backup of the key is not enough.
``file``  ``FILE``, mode 0600; whoever copies the disk has the key.

The public half is ``FILE.pub`` in every case. What is sealed reaches the service through systemd:
``LoadCredentialEncrypted=NAME:FILE.cred``, with the setting ``evidence.key: credential:NAME``. The
plain text is in memory only, never in a file or an argument.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.errors import EvidenceError, InputError, KeyMissing, Where
from reconciler.evidence import sshsig
from reconciler.ledger import keys

CREDENTIAL = "credential:"
SEALED_SUFFIX = ".cred"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RUNTIME_HINT = (
    "The unit needs LoadCredentialEncrypted=NAME:FILE.cred (or LoadCredential=NAME:FILE), and the "
    "setting evidence.key: credential:NAME."
)


class Protection(StrEnum):
    """How a private key is kept, strongest first."""

    TPM = "tpm"
    HOST = "host"
    FILE = "file"


class Sealer(Protocol):
    """Seals secrets to this machine; `reconciler.targets.linux.credentials` is one."""

    def available(self) -> bool:
        """Whether it works here at all."""
        ...

    def has_tpm(self) -> bool:
        """Whether there is a TPM 2.0 to seal to."""
        ...

    def seal(self, name: str, secret: bytes, with_key: Literal["tpm2", "host"]) -> bytes:
        """Seal a secret under a name."""
        ...

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Open what `seal` returned."""
        ...


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The place of a key: ``FILE`` or ``FILE.cred``, and ``FILE.pub``.

    Attributes:
        path: ``FILE``.
        name: What it is called as a credential.
    """

    path: Path
    name: str

    @classmethod
    def at(cls, path: Path) -> "KeyFile":
        """The place of a key whose credential is called as its file.

        Raises:
            InputError: The file's name cannot be a credential's.
        """
        path = path.with_name(path.name.removesuffix(SEALED_SUFFIX))
        if not _NAME.fullmatch(path.name):
            message = f"{path.name[:100]!r} cannot be the name of a key"
            raise InputError(message, hint="Use letters, digits, '.', '_', '-'.", where=_at(path))
        return cls(path, path.name)

    @property
    def sealed(self) -> Path:
        """``FILE.cred``."""
        return self.path.with_name(f"{self.path.name}{SEALED_SUFFIX}")

    @property
    def public(self) -> Path:
        """``FILE.pub``."""
        return self.path.with_name(f"{self.path.name}.pub")

    @property
    def private(self) -> tuple[Path, Path]:
        """Where the private half may be: plain, sealed."""
        return self.path, self.sealed

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """All its files, whether they are there or not; the public one last."""
        return *self.private, self.public

    def beside(self, suffix: str) -> "KeyFile":
        """Another key for the same credential: ``FILE.<suffix>``."""
        return KeyFile(self.path.with_name(f"{self.path.name}.{suffix}"), self.name)

    def exists(self) -> bool:
        """Whether there is a private half."""
        return any(file.exists() for file in self.private)


def best(sealer: Sealer) -> Protection:
    """The strongest protection that this machine offers."""
    if not sealer.available():
        return Protection.FILE
    return Protection.TPM if sealer.has_tpm() else Protection.HOST


def make(place: KeyFile, comment: str, protection: Protection, sealer: Sealer) -> Ed25519PrivateKey:
    """Make a key on this machine; it is complete and on the disk when this returns.

    Args:
        place: Where; there must be no key yet.
        comment: Whose it is; ends up in the public line.
        protection: How it is kept; nothing weaker is taken instead.
        sealer: Seals it.

    Raises:
        InputError: There is a key already; it is never overwritten.
        MachineError: It cannot be sealed, or the directory cannot be written.
        EvidenceError: What was sealed did not open again.
    """
    for file in place.files:
        if file.exists():
            hint = "Use it, or choose another name; a key is never overwritten."
            raise InputError("there is a file already", hint=hint, where=_at(file))
    if protection is Protection.FILE:
        return keys.generate(place.path, comment)
    key = Ed25519PrivateKey.generate()
    sealed = _seal(place.name, keys.private_text(key), protection, sealer)
    # The public half first: a private half is what says that the key is complete.
    keys.write_new(place.public, keys.public_file(keys.public(key), comment), 0o644)
    keys.write_new(place.sealed, sealed, 0o600)
    return key


def load(place: KeyFile, sealer: Sealer) -> Ed25519PrivateKey:
    """The key at a place, unsealed if need be.

    Raises:
        KeyMissing: There is none, or it cannot be used; or there are two, and nobody can say which.
        MachineError: It does not open on this machine.
    """
    if not place.sealed.exists():
        return keys.load(place.path)
    if place.path.exists():
        hint = "Remove the one that does not belong there; see the fingerprint in the .pub file."
        raise keys.unusable(place.path, f"is there, and so is {place.sealed}", hint)
    opened = sealer.unseal(place.name, keys.read_private(place.sealed))
    return keys.parse(opened, place.sealed)


def read_public(place: KeyFile) -> bytes:
    """The public half of a key, as its own file says.

    Raises:
        KeyMissing: There is no such file, or it is not one.
    """
    try:
        with place.public.open("rb") as file:
            words = file.read(keys.MAX_BYTES).decode("ascii").split(" ")
        return sshsig.parse_public(*map(str.strip, words[:2]))
    except (OSError, TypeError, ValueError, EvidenceError) as error:
        raise keys.unusable(place.public, f"is no public key: {error}") from error


def protection_of(place: KeyFile) -> str:
    """How the key at a place is kept, as far as its files say: ``sealed``, ``file``, ``none``."""
    if place.sealed.exists():
        return "sealed"
    return "file" if place.path.exists() else "none"


def load_reference(
    reference: str, resolve: Callable[[str], Path], credentials: Path | None
) -> Ed25519PrivateKey:
    """The key that the setting ``evidence.key`` names, for a service.

    Args:
        reference: A path, or ``credential:NAME``.
        resolve: Makes a path of the settings absolute.
        credentials: The directory that systemd passes to the unit, None if it passed none.

    Raises:
        KeyMissing: There is none, or it cannot be used.
    """
    if not reference.startswith(CREDENTIAL):
        return keys.load(resolve(reference))
    name = reference.removeprefix(CREDENTIAL)
    if not _NAME.fullmatch(name):
        raise KeyMissing(f"{name[:100]!r} is not the name of a credential", hint=_RUNTIME_HINT)
    if credentials is None:
        message = f"no credentials were passed to this process, and the key is {reference}"
        raise KeyMissing(message, hint=_RUNTIME_HINT)
    path = credentials / name
    return keys.parse(keys.read_private(path, masked=True), path)


def _seal(name: str, secret: bytes, protection: Protection, sealer: Sealer) -> bytes:
    sealed = sealer.seal(name, secret, "tpm2" if protection is Protection.TPM else "host")
    # Seen in systemd 252: a credential was sealed without an error, and could never be opened.
    if sealer.unseal(name, sealed) != secret:
        hint = "Use another protection: --protect host, or --protect file."
        raise EvidenceError("the sealed key does not open as it was", hint=hint)
    return sealed


def _at(path: Path) -> Where:
    return Where(str(path))

"""Keys of people and of CI: OpenSSH files, with a passphrase that is asked for on the terminal."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.errors import KeyMissing

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_MAX_PUBLIC = 4096
_KINDS = ("ssh-", "sk-", "ecdsa-")
_ELSEWHERE = (
    "A key in an agent or a hardware key: --key FILE.pub --unsigned TO-SIGN; the command then says "
    "how ssh-keygen signs it."
)


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was named on the command line.

    Attributes:
        public: 32 raw bytes, or the key blob of a hardware key.
        private: None if only the public half was given.
    """

    public: bytes
    private: "Ed25519PrivateKey | None"

    def to_sign_with(self) -> "Ed25519PrivateKey":
        """The private half.

        Raises:
            KeyMissing: Only the public half was given.
        """
        if self.private is None:
            raise KeyMissing(
                "this is the public half of a key, which signs nothing", hint=_ELSEWHERE
            )
        return self.private


def load(path: Path) -> Key:
    """Read a private key, or the public half of one.

    Raises:
        KeyMissing: It cannot be read, can be used by others, or is no Ed25519 key.
        EvidenceError: The public half is of another type.
    """
    from reconciler.evidence import sshsig
    from reconciler.ledger import keys

    words = _public_words(path)
    if words is not None:
        return Key(sshsig.parse_public(*words), None)
    # People keep links to keys where others keep keys.
    file = path.resolve()
    private = _unlock(keys.read_private(file), path)
    return Key(sshsig.raw_public(private), private)


def _public_words(path: Path) -> tuple[str, str] | None:
    """Type and text, if it is the file of a public key."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_PUBLIC)
    except OSError as error:
        message = f"key {path} cannot be read: {error.strerror}"
        raise KeyMissing(message, hint=_ELSEWHERE) from error
    words = data.decode("utf-8", "replace").split()
    return (words[0], words[1]) if len(words) > 1 and words[0].startswith(_KINDS) else None


def _unlock(data: bytes, path: Path) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        try:
            key = load_ssh_private_key(data, None)
        except TypeError:
            key = load_ssh_private_key(data, _passphrase(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        message = f"key {path} is not an Ed25519 key of OpenSSH that opens with this passphrase"
        raise KeyMissing(message, hint=_ELSEWHERE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMissing(f"key {path} is not an Ed25519 key", hint=_ELSEWHERE)
    return key


def _passphrase(path: Path) -> bytes:
    # Never an argument or a variable: others on the machine can read those.
    if not sys.stdin.isatty():
        raise KeyMissing(
            f"key {path} has a passphrase, and nobody is here to give it", hint=_ELSEWHERE
        )
    text: str = click.prompt(f"Passphrase of {path}", hide_input=True, err=True)
    return text.encode()

"""Signing keys on disk: Ed25519 in OpenSSH format, readable by their owner only.

There is no fallback: a key that is missing, readable by others or of another type stops the run,
since an unsigned entry would be worth nothing.
"""

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from reconciler.errors import InputError, KeyMissing, Where
from reconciler.evidence import sshsig
from reconciler.ledger.durable import flush, on_disk

MAX_BYTES = 16 * 1024

_HINT = "Make one with: reconciler keys generate FILE --comment CLIENT/HOST"


def generate(path: Path, comment: str) -> Ed25519PrivateKey:
    """Make a key at ``path`` (mode 0600) and its public half at ``path.pub``.

    The private file appears complete or not at all, and is on disk when this returns.

    Args:
        path: Where; nothing may be there yet.
        comment: Whose key it is; ends up in the public line.

    Raises:
        InputError: There is a file already; a key is never overwritten.
        MachineError: The directory cannot be written.
    """
    beside = path.with_name(f"{path.name}.pub")
    if beside.exists():
        raise _taken(beside)
    key = Ed25519PrivateKey.generate()
    write_new(path, private_text(key), 0o600)
    write_new(beside, public_file(public(key), comment), 0o644)
    return key


def load(path: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises:
        KeyMissing: No such file, a link, readable or writable by others, too large, protected by a
            passphrase, or not an Ed25519 key in OpenSSH format.
    """
    return parse(read_private(path), path)


def parse(data: bytes, path: Path) -> Ed25519PrivateKey:
    """The key in the content of a private key file.

    Args:
        data: The content.
        path: Where it came from, for messages.

    Raises:
        KeyMissing: Protected by a passphrase, or not an Ed25519 key in OpenSSH format.
    """
    try:
        key = load_ssh_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise unusable(path, "is not a plain OpenSSH private key without a passphrase") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise unusable(path, "is not an Ed25519 key")
    return key


def private_text(key: Ed25519PrivateKey) -> bytes:
    """The content of a private key file, in OpenSSH format."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def public_file(raw: bytes, comment: str) -> bytes:
    """The content of the file of a public key."""
    return f"{sshsig.public_line(raw, comment)}\n".encode()


def public(key: Ed25519PrivateKey) -> bytes:
    """The raw public half of a key, 32 bytes."""
    return sshsig.raw_public(key)


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is not there yet; it appears complete, on the disk, or not at all.

    Raises:
        InputError: There is something of that name.
        MachineError: It cannot be written.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with on_disk(path):
        descriptor = os.open(partial, flags, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                flush(file)
            # A hard link fails if the name is taken: there is no moment to race for.
            path.hardlink_to(partial)
        except FileExistsError as error:
            raise _taken(path) from error
        finally:
            partial.unlink()
        flush(path.parent)


def read_private(path: Path, *, masked: bool = False) -> bytes:
    """The content of a file that nobody but its owner can use.

    Args:
        path: The file.
        masked: Whether root may have granted it to one user by an access list, as systemd does with
            credentials: the group bits then show the mask of that list, and the group is root's.

    Raises:
        KeyMissing: No such file, a link, readable or writable by others, or too large.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise unusable(path, "does not exist", hint=_HINT) from error
    except OSError as error:
        hint = "Run this as the user whose key it is, or as root; a key is no link."
        raise unusable(path, f"cannot be opened: {error.strerror}", hint) from error
    try:
        _check_file(path, os.fstat(descriptor), masked=masked)
        return os.read(descriptor, MAX_BYTES)
    finally:
        os.close(descriptor)


def _check_file(path: Path, status: os.stat_result, *, masked: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise unusable(path, "is not a plain file")
    shared = 0o077
    if masked and status.st_uid == status.st_gid == 0:
        shared = 0o037
    if status.st_mode & shared:
        hint = f"Replace the key if others could have read it, then: chmod 600 {path}"
        raise unusable(path, f"can be used by others (mode {status.st_mode & 0o777:04o})", hint)
    if status.st_size > MAX_BYTES:
        raise unusable(path, f"has {status.st_size} bytes, which is no key")


def _taken(path: Path) -> InputError:
    message = "there is a file already; a key is never overwritten"
    return InputError(message, hint="Choose another name.", where=Where(str(path)))


def unusable(path: Path, what: str, hint: str = _HINT) -> KeyMissing:
    """The error for a key that cannot be used."""
    return KeyMissing(f"signing key {path} {what}", hint=hint)

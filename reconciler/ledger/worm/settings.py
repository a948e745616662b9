"""Where the copies go, and with whose credentials: paths to files, never the secrets themselves."""

import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.errors import InputError, Where
from reconciler.ledger.worm.retention import YEARS, check_years

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PREFIX = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]{0,62}/){0,8}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\]")
_SECRET = re.compile(r"[!-~]{3,256}")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MAX_SECRET_FILE = 4096
_MAX_SETTINGS = 64 * 1024
_REQUIRED = {"endpoint", "bucket", "region", "access_key_file", "secret_key_file"}
_OPTIONAL = {"prefix", "ca_file"}
_FILES = {"access_key_file", "secret_key_file", "ca_file"}
_FIELDS = f"A JSON object with {', '.join(sorted(_REQUIRED))}; optional: prefix, ca_file."


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a store may keep us waiting.

    Attributes:
        connect_s: Seconds for a connection.
        read_s: Seconds without a byte.
        total_s: Seconds for one request with its repetitions, apart from the time for its bytes.
        attempts: How often a request is sent at most.
    """

    connect_s: float = 5
    read_s: float = 20
    total_s: float = 90
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """One place for copies.

    Attributes:
        endpoint: ``https://`` and a host, optionally a port; ``http://`` on this machine only.
        bucket: Name of the bucket.
        region: Region that requests are signed for.
        prefix: What every key begins with: empty, or names that each end in ``/``.
        access_key_file: File with the access key id.
        secret_key_file: File with the secret key.
        ca_file: Certificates to trust instead of the public ones.
        years: Calendar years to keep copies; six or more.
        limits: How long to wait.
    """

    endpoint: str
    bucket: str
    region: str
    prefix: str
    access_key_file: Path
    secret_key_file: Path
    ca_file: Path | None = None
    years: int = YEARS
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Refuse what could send credentials or evidence to the wrong place.

        Raises:
            InputError: A value that cannot be meant.
        """
        check_place(self.endpoint, self.bucket)
        _check(_REGION, self.region, "region", "small letters, digits and dashes: eu-central-1")
        _check(_PREFIX, self.prefix, "prefix", "names that each end in a slash: evidence/")
        check_years(self.years)


def load_store(file: Path) -> StoreSettings:
    """Read one place for copies from a JSON file; relative paths start from its directory.

    Raises:
        InputError: It cannot be read, is not an object, or a field is unknown, missing or wrong.
    """
    where = Where(str(file))
    try:
        with file.open("rb") as opened:
            value = json.loads(opened.read(_MAX_SETTINGS))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", hint=_FIELDS, where=where) from error
    if not isinstance(value, dict) or not _REQUIRED <= value.keys() <= _REQUIRED | _OPTIONAL:
        raise InputError("does not hold exactly what it should", hint=_FIELDS, where=where)
    if not all(isinstance(text, str) for text in value.values()):
        raise InputError("holds something that is not text", hint=_FIELDS, where=where)
    files = {name: file.parent / value[name] for name in value.keys() & _FILES}
    rest = {name: value[name] for name in value.keys() - _FILES}
    return StoreSettings(**{"prefix": "", **rest, **files})


def check_place(endpoint: str, bucket: str) -> None:
    """Refuse an endpoint or a bucket that cannot be one.

    Raises:
        InputError: Not https, or with a path, a user or a query; no name of a bucket.
    """
    _check_endpoint(endpoint)
    _check(_BUCKET, bucket, "bucket", "3 to 63 small letters, digits, dots and dashes")


def read_secret(path: Path) -> str:
    """A credential: the one line of a file that others cannot read.

    Raises:
        InputError: It cannot be read, others may read or write it, or it is not one plain line.
            The content is never part of the message.
    """
    try:
        text = _read(path).decode("ascii").removesuffix("\n")
    except UnicodeDecodeError:
        text = ""
    if not _SECRET.fullmatch(text):
        raise _unusable(path, "does not hold one line of 3 to 256 visible characters")
    return text


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(path, f"cannot be opened: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(path, "is not a plain file")
        # The group may read: a service manager hands credentials over with mode 0440.
        if status.st_mode & 0o037:
            raise _unusable(path, f"can be used by others (mode {status.st_mode & 0o777:04o})")
        return os.read(descriptor, _MAX_SECRET_FILE)
    finally:
        os.close(descriptor)


def _check_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _wrong("endpoint", "it is no address") from error
    netloc = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc
    if endpoint != f"{parts.scheme}://{parts.netloc}" or not _HOST.fullmatch(netloc):
        raise _wrong("endpoint", "it is more or less than https://HOST or https://HOST:PORT")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise _wrong("endpoint", "it is not https")


def _check(pattern: re.Pattern[str], value: str, name: str, form: str) -> None:
    if not pattern.fullmatch(value):
        raise _wrong(name, f"it is not {form}")


def _wrong(name: str, why: str) -> InputError:
    message = f"the {name} of the store for copies cannot be used: {why}"
    return InputError(message, hint="See docs/retention.md for a bucket and its settings.")


def _unusable(path: Path, what: str) -> InputError:
    hint = "Put the credential alone into a file of mode 0600, and name that file."
    return InputError(f"credential file {what}", hint=hint, where=Where(str(path)))

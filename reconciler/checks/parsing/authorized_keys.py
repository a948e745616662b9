"""Public keys that open a log-in, in all the places where sshd looks for them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.checks.parsing.shapes import FileText, code_lines, files
from reconciler.model.answer import Answers
from reconciler.model.authorized_key import PLACES, PublicKey, key_of
from reconciler.model.probe import Probe, ReadFile, ReadGlob

_GLOBS = tuple(ReadGlob(place) for place in PLACES)
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
_COVERED = re.compile(r"/root|/(?:home|srv|opt|var/lib)/[^/]+")


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


def by_file(answers: Answers) -> dict[str, tuple[PublicKey, ...]]:
    """Every key that was understood, by the file that holds it.

    Raises:
        Unobservable: As `read_keys`.
    """
    return {
        path: tuple(key for key in keys if key is not None)
        for path, keys in lines_by_file(answers).items()
    }


def lines_by_file(answers: Answers) -> dict[str, tuple[PublicKey | None, ...]]:
    """Every line of every file that holds keys; None for one that is no key here.

    Raises:
        Unobservable: As `read_keys`.
    """
    return {file.path: tuple(_keys(file)) for probe in _GLOBS for file in files(answers, probe)}


def homes_elsewhere(passwd: str) -> int:
    """How many accounts can log in and live where `PROBES` do not look."""
    accounts = [line.split(":") for line in passwd.split("\n") if line.count(":") == 6]
    return sum(
        1
        for *_, home, shell in accounts
        if shell.rpartition("/")[2] not in _NO_LOGIN and _COVERED.fullmatch(home) is None
    )


def _keys(file: FileText) -> Iterator[PublicKey | None]:
    return (key_of(line) for line in code_lines(file.text))

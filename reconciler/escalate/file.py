"""A ticket as two files in a directory that something else watches: Markdown and JSON.

Each appears whole by one rename and is on the disk before that is said. A second try writes the
same names, so nobody finds a ticket twice.
"""

import json
import os
import re
from dataclasses import dataclass

from reconciler.escalate.message import Arrived, Lost, Message, Result

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Shelf:
    """A directory; it must be there.

    Attributes:
        directory: Its absolute path.
    """

    directory: str


def names_of(message: Message) -> tuple[str, str]:
    """The names of the two files of a ticket."""
    stem = _UNSAFE.sub("-", f"{message.target.replace('/', '--')}--{message.key}")[:200]
    return f"{stem}.md", f"{stem}.json"


def write(shelf: Shelf, message: Message) -> Result:
    """Put both files there, or say that the disk would not."""
    markdown, document = names_of(message)
    said = {
        "id": message.id,
        "key": message.key,
        "phase": message.phase,
        "target": message.target,
        "title": message.title,
        "sent_at": message.at,
        "ticket": dict(message.document),
    }
    try:
        directory = os.open(shelf.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return Lost("misconfigured")
    try:
        _write(directory, markdown, message.markdown)
        # The document last: whoever watches for it finds the text beside it.
        _write(directory, document, json.dumps(said, indent=2, sort_keys=True) + "\n")
    except OSError:
        return Lost("local")
    finally:
        os.close(directory)
    return Arrived()


def _write(directory: int, name: str, text: str) -> None:
    new = f".{name}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(new, flags, 0o640, dir_fd=directory)
    with os.fdopen(file, "wb") as opened:
        opened.write(text.encode("utf-8", "backslashreplace"))
        opened.flush()
        os.fsync(opened.fileno())
    os.rename(new, name, src_dir_fd=directory, dst_dir_fd=directory)
    os.fsync(directory)

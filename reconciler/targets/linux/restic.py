"""A restic repository, read: its newest snapshot, a sample of its files, their content.

Source: restic 0.14 and later, ``--json``. The password travels as the path of a file. Nothing is
written to the repository: ``--no-lock``, and no cache is left on the machine.
"""

import hashlib
import heapq
import json
import math
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.programs.bounded import Bounds, Ended, Sink
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.process import find_program, run_program
from reconciler.targets.linux.running import failure
from reconciler.targets.linux.session import Session

MAX_SAMPLE = 256
"""Most files of a sample: each is an argument of the restore."""

_MAX_SNAPSHOTS = 16 * 1024 * 1024
_MAX_LISTING = 2 * 1024 * 1024 * 1024
_MAX_LINE = 1024 * 1024
_MAX_CONTENT = 1 << 50
_SNAPSHOT = re.compile(r"[0-9a-f]{64}")
_MAGIC = re.compile(r"([\\*?\[])")


@dataclass(frozen=True, slots=True)
class Node:
    """A regular file in a snapshot. ``size`` in bytes."""

    path: str
    size: int


class Repository:
    """A repository and the right to read it."""

    def __init__(self, location: str, password_file: str, session: Session) -> None:
        """Nothing is run yet.

        Args:
            location: As restic takes it.
            password_file: Path of the file with the password.
            session: Its deadline is the deadline of every command.

        Raises:
            NoAnswer: restic is not installed, or not allowed.
        """
        self._session = session
        self._path = find_program("restic", session.allow.act, session.allow.directories)
        self._environment = (("RESTIC_PASSWORD_FILE", password_file),)
        self._global = ("-r", location, "--no-lock", "--no-cache")

    def newest_snapshot(self, host: str) -> str:
        """Id of the newest snapshot of a host.

        Raises:
            NoAnswer: There is none, or the repository does not open.
        """
        ran = self._run(("snapshots", "--json", "--host", host), _MAX_SNAPSHOTS)
        try:
            found = json.loads(ran.stdout) or []
            newest = max(found, key=lambda snapshot: str(snapshot["time"]))
            identity = str(newest["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise NoAnswer("error", f"there is no snapshot of {host!r:.80}") from error
        if _SNAPSHOT.fullmatch(identity) is None:
            raise NoAnswer("error", "restic names a snapshot that is no digest")
        return identity

    def sample(self, snapshot: str, percent: int) -> list[Node]:
        """Regular files of a snapshot, picked by chance, in no order that a file could choose.

        Raises:
            NoAnswer: There is no regular file, or the listing makes no sense.
        """
        listing = Listing()
        self._run(("ls", "--json", snapshot), _MAX_LISTING, listing.feed)
        return listing.pick(percent)

    def restore(self, snapshot: str, nodes: Sequence[Node], target: str) -> None:
        """Restore files below a directory; restic reads back and verifies what it wrote.

        Raises:
            NoAnswer: Anything could not be restored or verified.
        """
        included = [word for node in nodes for word in ("--include", _literal(node.path))]
        self._run(("restore", snapshot, "--target", target, "--verify", *included), _MAX_SNAPSHOTS)

    def digest(self, snapshot: str, node: Node) -> str:
        """Hex SHA-256 of a file as the repository holds it.

        Raises:
            NoAnswer: It cannot be read.
        """
        content = hashlib.sha256()
        self._run(("dump", snapshot, node.path), _MAX_CONTENT, content.update)
        return content.hexdigest()

    def _run(self, words: Sequence[str], output: int, sink: Sink | None = None) -> Ended:
        limits = Bounds(self._session.deadline, output)
        # Words that begin with "-" are options; what a snapshot names is always absolute.
        arguments = (*self._global, *words)
        ran = run_program(self._path, arguments, self._environment, limits, sink)
        if ran.exit != 0:
            raise NoAnswer("error", failure(f"restic {words[0]}", ran.exit, ran.stderr))
        return ran


class Listing:
    """Reads ``restic ls --json`` as it comes, and keeps a sample in bounded memory."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.files = 0
        self._rest = b""
        self._salt = secrets.token_bytes(16)
        self._kept: list[tuple[int, str, int]] = []

    def feed(self, data: bytes) -> None:
        """Take a piece of the listing.

        Raises:
            NoAnswer: A line is not JSON, or has no end.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)
        if len(self._rest) > _MAX_LINE:
            raise NoAnswer("error", "restic ls: a line has no end")

    def pick(self, percent: int) -> list[Node]:
        """The sample: so many percent of the files, at least one, at most `MAX_SAMPLE`.

        Raises:
            NoAnswer: There is nothing to pick from.
        """
        if not self._kept:
            raise NoAnswer("error", "the newest snapshot holds no file")
        wanted = max(1, math.ceil(self.files * percent / 100))
        ranked = sorted(self._kept, reverse=True)[:wanted]
        return [Node(path, size) for _, path, size in ranked]

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            node: dict[str, Any] = json.loads(line)
            if node.get("type") != "file":
                return
            path, size = node["path"], node.get("size", 0)
        except (ValueError, KeyError, AttributeError) as error:
            raise NoAnswer("error", "restic ls: a line is not as expected") from error
        # U+FFFD stands for bytes that JSON cannot carry: such a name cannot be asked for.
        if isinstance(path, str) and path.startswith("/") and "\ufffd" not in path:
            self.files += 1
            self._keep(path, int(size))

    def _keep(self, path: str, size: int) -> None:
        # A salted digest ranks files at random; the heap keeps those with the lowest ranks.
        digest = hashlib.blake2b(path.encode(), key=self._salt, digest_size=8).digest()
        item = (-int.from_bytes(digest, "big"), path, size)
        if len(self._kept) < MAX_SAMPLE:
            heapq.heappush(self._kept, item)
        else:
            heapq.heappushpop(self._kept, item)


def _literal(path: str) -> str:
    """A pattern that matches one path and nothing else."""
    return _MAGIC.sub(r"\\\1", path)

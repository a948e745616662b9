"""A Git server, and where a transfer with it runs.

In place for a path of this machine, in a bounded child process for everything that could hang,
flood or lie.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from reconciler.errors import InputError
from reconciler.transport.cause import Cause
from reconciler.transport.limits import WireLimits
from reconciler.transport.location import Access, Location
from reconciler.transport.wire import Wire

_KNOWN_HOSTS_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """Where to, and what lets this machine in.

    Attributes:
        location: A vetted address.
        access: Paths of credentials.
    """

    location: Location
    access: Access

    @property
    def local(self) -> bool:
        """Whether it is a path of this machine: nobody there who could hang."""
        return self.location.kind == "local"

    @property
    def path(self) -> Path | None:
        """The directory, if it is a path of this machine."""
        if not self.local:
            return None
        url = self.location.url
        return Path(unquote(urlsplit(url).path) if url.startswith("file:") else url)

    def wire(self, repository: Path, home: Path, limits: WireLimits) -> Wire:
        """A connection in plain values.

        Args:
            repository: Bare repository of this machine.
            home: Folder that the child process takes for its home; made when it is needed.
            limits: Bounds of one transfer.
        """

        def path(file: Path | None) -> str | None:
            return None if file is None else str(file)

        return Wire(
            repository=str(repository),
            home=None if self.local else str(home),
            url=self.location.url,
            ssh_key=path(self.access.ssh_key),
            ca_file=path(self.access.ca_file),
            token_file=path(self.access.token_file),
            username=self.access.username,
            timeout_s=limits.timeout_s,
            max_bytes=limits.max_bytes,
            objects=limits.objects,
            refs=limits.refs,
        )

    def run(
        self, work: Callable[[bytes], bytes], job: dict[str, Any], home: Path, limits: WireLimits
    ) -> dict[str, Any] | tuple[Cause, str]:
        """Run a transfer in a child process with a home of its own.

        Args:
            work: A function at the top of a module: the job as JSON in, its result as JSON out.
            job: What to do.
            home: As in `wire`.
            limits: Time and memory of the child.

        Returns:
            The result, or why there is none.

        Raises:
            InputError: The known hosts file cannot be read.
        """
        from reconciler.transport import child  # noqa: PLC0415 - lazy: multiprocessing

        self._dress(home)
        seconds, memory_bytes = limits.timeout_s, limits.memory_bytes
        request = json.dumps(job).encode()
        try:
            reply = child.run_apart(work, request, seconds=seconds, memory_bytes=memory_bytes)
        except child.ChildLate:
            return "timeout", f"more than {seconds:g} s"
        except child.ChildDied:
            return "too-large", "its process died"
        result: dict[str, Any] = json.loads(reply)
        return result

    def _dress(self, home: Path) -> None:
        """Our known hosts, and nobody's Git configuration."""
        folder = home / ".ssh"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.location.kind != "ssh" or self.access.known_hosts is None:
            return
        file = self.access.known_hosts
        try:
            with file.open("rb") as stream:
                data = stream.read(_KNOWN_HOSTS_LIMIT)
        except OSError as error:
            message = f"cannot read the known hosts file {file}: {error.strerror}"
            hint = "Put the server's host key into it: ssh-keyscan shows it, you check it."
            raise InputError(message, hint=hint) from error
        (folder / "known_hosts").write_bytes(data)

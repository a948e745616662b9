"""What a service manager hears: a real notification socket, read all the time."""

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self


class NotifySocket:
    """Reads datagrams until it is closed.

    Attributes:
        heard: Messages, oldest first.
    """

    def __init__(self, directory: Path) -> None:
        self.address = str(directory / "notify")
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.address)
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        while message := self._socket.recv(4096):
            self.heard.append(message.decode())

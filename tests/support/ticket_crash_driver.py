"""One run of a file drill that kills itself at a point of its first ticket.

``python -m tests.support.ticket_crash_driver DIRECTORY POINT``; a POINT that is never passed lets
the run end.
"""

import os
import signal
import sys
from pathlib import Path

from tests.support.file_drill import load


def main(directory: Path, point: str) -> None:
    drill = load(directory)

    def hook(where: str) -> None:
        if where == point:
            os.kill(os.getpid(), signal.SIGKILL)

    drill.run(hook=hook)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

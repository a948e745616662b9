"""What the exit code says where the output cannot be written."""

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import ExitCode

ROOT = Path(__file__).parents[3]
START = "import sys; from reconciler.cli import main; main(sys.argv[1:])"


def shell(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = ["bash", "-c", script, "bash", sys.executable, "-c", START, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)


@pytest.mark.parametrize(
    "arguments", [("--help",), ("check", "--help"), ("check", "."), ("check", "--json", ".")]
)
class TestOutput:
    def test_reader_who_went_away_is_not_drift(self, arguments: tuple[str, ...]) -> None:
        # The reader is gone before the first line comes.
        done = shell('{ sleep 0.2; "$@"; } | true; exit "${PIPESTATUS[0]}"', *arguments)
        assert done.returncode == ExitCode.UNREAD
        assert done.stderr == ""

    def test_full_disk_is_named(self, arguments: tuple[str, ...]) -> None:
        done = shell('"$@" > /dev/full', *arguments)
        assert done.returncode == ExitCode.MACHINE
        assert done.stderr.startswith("error: cannot write the output: No space left on device\n")
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("check", "nowhere"), ExitCode.USAGE), (("check", "docs"), ExitCode.INPUT)],
)
def test_code_stands_where_nobody_can_be_told(arguments: tuple[str, ...], code: int) -> None:
    assert shell('"$@" 2> /dev/full', *arguments).returncode == code
    assert shell('"$@" 2>&-', *arguments).returncode == code

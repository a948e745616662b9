"""docs/howto/first-fleet.md can be run as it stands: a new user does just that."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import ExitCode

pytestmark = pytest.mark.integration

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "first-fleet.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r" +# exit code ([0-9]+)$")
POSTURE = {ExitCode.CLEAN, ExitCode.DRIFT, ExitCode.UNKNOWN}


def commands(text: str) -> list[tuple[str, set[int]]]:
    """Every command of a page in its order, and with which codes it may end."""
    lines = "".join(_BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    return [(_CODE.sub("", line), _codes(line)) for line in lines if line.strip()]


def _codes(line: str) -> set[int]:
    said = _CODE.search(line)
    if said:
        return {int(said[1])}
    return {int(code) for code in POSTURE} if line.startswith("reconciler run ") else {0}


def test_a_new_user_gets_from_nothing_to_a_machine_that_two_people_command(tmp_path: Path) -> None:
    told = commands(PAGE.read_text())
    assert len(told) > 30
    # Each says on a line of its own how it ended, whatever it said before.
    script = "".join(f'{line}\necho "{n} ended $?" >> ended\n' for n, (line, _) in enumerate(told))
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    done = subprocess.run(
        ["bash", "-u", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )

    ended = dict(line.split(" ended ") for line in (tmp_path / "ended").read_text().splitlines())
    wrong = [
        f"{line}  -> {ended.get(str(n))}"
        for n, (line, codes) in enumerate(told)
        if int(ended.get(str(n), -1)) not in codes
    ]
    assert wrong == [], done.stdout[-3000:] + done.stderr[-3000:]
    assert "desired state refused (approvals-missing)" in done.stdout
    assert "needs 1 approval(s) by engineer; counted: nobody" in done.stdout
    assert "approved by bob" in done.stdout
    assert "accepted: every rule holds" in done.stdout

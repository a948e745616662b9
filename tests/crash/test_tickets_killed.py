"""``kill -9`` around a message: the receiver can tell a second try, and there is at most one."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.calling import forbid, tickets, webhook
from tests.support.drill import break_sysctl
from tests.support.file_drill import load, make_template
from tests.support.receivers import Inbox, serving

pytestmark = [pytest.mark.crash, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, inbox: Inbox) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("killed") / "template"
    make_template(directory, break_sysctl)
    drill = load(directory)
    forbid(drill)
    with serving(inbox) as url:
        webhook(drill, f"{url}/hook")
        yield directory


@pytest.mark.parametrize(
    ("point", "came", "kept"),
    [
        ("after-ticket", 1, ["opened"]),
        ("before-ticket-result", 2, ["opened"]),
        ("after-ticket-result", 1, ["opened", "sent"]),
    ],
)
def test_a_kill_leads_to_one_more_try_of_the_same_message_at_most(
    tmp_path: Path, template: Path, inbox: Inbox, point: str, came: int, kept: list[str]
) -> None:
    inbox.came.clear()
    directory = tmp_path / "wreck"
    shutil.copytree(template, directory)
    for file in directory.rglob("reconciler.yaml"):
        file.write_text(file.read_text().replace(str(template), str(directory)))
    command = [sys.executable, "-m", "tests.support.ticket_crash_driver", str(directory), point]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr

    drill = load(directory)
    assert [phase for phase, _ in tickets(drill)] == kept
    assert drill.verify().ok
    drill.clock.pass_time(600)
    drill.run()
    drill.run()

    assert len(inbox.came) == came
    assert len(set(inbox.ids)) == 1
    assert [phase for phase, _ in tickets(drill)][-1] == "sent"
    assert drill.verify().ok

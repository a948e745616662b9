"""`reconciler simulate`: recorded evidence, a file, a storm; and against another revision."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import execute
from tests.support.drill import (
    CLIENT,
    CLIENT_FILE,
    HOST,
    SERVICE,
    Drill,
    break_secret,
    break_service,
    break_sysctl,
    new_drill,
)

pytestmark = pytest.mark.integration
TARGET = f"{CLIENT}/{HOST}"
POLICY = """\
days: 2
drifts:
  - {rule: "units-running[bridge]", at_min: 7, every_min: 90, times: 0}
  - {rule: sysctl-syncookies, at_min: 30, fix: lies, lasts_min: 600}
"""


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    return new_drill(tmp_path / "var")


def said(capsys: pytest.CaptureFixture[str], drill: Drill, *argv: str) -> dict[str, Any]:
    capsys.readouterr()
    code = execute(
        ["simulate", "--fleet", str(drill.site.fleet), "--host", TARGET, "--json", *argv]
    )
    out, err = capsys.readouterr()
    assert code == 0, err
    document: dict[str, Any] = json.loads(out)
    return document


def evidence(drill: Drill) -> tuple[str, ...]:
    return ("--evidence", drill.site.evidence, "--signers", drill.site.signers)


def test_replay_under_the_same_revision_does_what_was_done(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    drill.run()
    for damage in (break_sysctl, break_service, break_secret):
        damage(drill.machine)
        drill.run()
    drill.run(after_s=2 * 3600)
    acts = [body["action"] for body in drill.bodies("intent")]
    results = [body["result"] for body in drill.bodies("outcome")]
    assert results == ["healed"] * 3

    document = said(capsys, drill, *evidence(drill))

    assert document["acts"] == {f"L1 {act['runbook']}": 1 for act in acts}
    assert document["results"] == {"healed": 3}
    assert document["world"] == {"drifts": 3, "healed": 3, "vanished": 0, "left": 0}
    assert document["left_out"] == {}


def test_what_another_revision_would_do_otherwise_is_said(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = drill.site.directory / "stream.yaml"
    stream.write_text(POLICY)
    base = drill.site.edit("README.md", lambda text: f"{text}\n", at=drill.clock.at)
    same = said(capsys, drill, "--synthetic", str(stream), "--compare", base)
    assert same["differences"] == {}
    assert same["results"] == {"healed": same["results"]["healed"], "rolled_back": 6}

    drill.edit(CLIENT_FILE, lambda text: text.replace("mode: enforce", "mode: observe"))
    other = said(capsys, drill, "--synthetic", str(stream), "--compare", base)
    assert other["acts"] == {}
    assert other["differences"]["acts"]["L1 RB-SERVICE-001"]["head"] == 0
    assert other["ends"] == {"waiting: mode": 1, "resolved_itself: gone": 1}


def test_storm_is_told_for_people_too(drill: Drill, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["simulate", "--fleet", str(drill.site.fleet), "--host", TARGET, "--storm", "10"]
    assert execute([*argv, "--days", "1"]) == 0
    out = capsys.readouterr().out
    assert "incidents in" in out and "ends:" in out


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        ([], 2, "one of --evidence"),
        (["--storm", "3", "--synthetic", __file__], 2, "one of --evidence"),
        (["--evidence", "."], 2, "needs --signers"),
        (["--synthetic", __file__], 5, "test_simulate.py"),
    ],
)
def test_what_cannot_be_played_is_said(
    drill: Drill, capsys: pytest.CaptureFixture[str], argv: list[str], code: int, words: str
) -> None:
    got = execute(["simulate", "--fleet", str(drill.site.fleet), "--host", TARGET, *argv])
    assert got == code
    assert words in capsys.readouterr().err


def test_stream_of_a_rule_that_is_not_there_names_the_rule(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = drill.site.directory / "stream.yaml"
    stream.write_text(POLICY.replace(SERVICE, "units-running[bridgr]"))
    argv = ["--fleet", str(drill.site.fleet), "--host", TARGET, "--synthetic", str(stream)]
    assert execute(["simulate", *argv]) == 5
    assert "no rule units-running[bridgr]" in capsys.readouterr().err

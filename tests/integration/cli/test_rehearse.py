"""`reconciler rehearse` up to the point where a machine would boot."""

import json
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.cli import execute
from reconciler.testing.rehearsal import rehearse
from reconciler.testing.rehearsal.rehearse import Stage
from reconciler.testing.rehearsal.trial import Trial
from reconciler.testing.rig import image, nspawn

HELD = Trial("service-stopped", "honest", ("RB-SERVICE-001",), (), 4)
NOT_HELD = Trial("service-stopped", "lie", ("RB-SERVICE-001",), ("a lie ended as healed",))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Name one RUNBOOK, or --all."),
        (["RB-SSH-001", "--all"], 2, "Name one RUNBOOK, or --all."),
        (["RB-SSH-001", "--coverage", "x"], 2, "--coverage is written with --all"),
        (["RB-NONE-001"], 5, "there is no runbook RB-NONE-001"),
        (["RB-EVID-001"], 5, "is a procedure for people"),
    ],
)
def test_what_cannot_be_rehearsed(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["rehearse", *arguments]) == code
    assert said in capsys.readouterr().err


def test_a_machine_without_a_guest_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(nspawn, "require_guest", lambda: "not root")
    assert execute(["rehearse", "RB-SSH-001"]) == 7
    assert "no guest can be booted here: not root" in capsys.readouterr().err
    monkeypatch.setattr(nspawn, "require_guest", lambda: None)
    assert execute(["rehearse", "RB-SSH-001", "--image", str(tmp_path)]) == 7
    said = capsys.readouterr().err
    assert "there is no image of a guest" in said
    assert "--make-image" in said


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Everything but the machine: what the trials would be is given."""

    @contextmanager
    def staged(_image, say):
        say("booting")
        yield Stage(image.Image((), Path(), Path()), frozenset())

    def prepare(*trials: Trial) -> None:
        monkeypatch.setattr(nspawn, "require_guest", lambda: None)
        monkeypatch.setattr(image, "open_image", lambda _directory: None)
        monkeypatch.setattr(rehearse, "staged", staged)
        monkeypatch.setattr(rehearse, "rehearse", lambda _work, _stage, _say: list(trials))

    return prepare


def test_only_what_held_throughout_ends_with_zero(
    rehearsed: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed(HELD)
    assert execute(["rehearse", "RB-SERVICE-001", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["held"] is True
    assert told.err == "booting\n"
    rehearsed(HELD, NOT_HELD)
    assert execute(["rehearse", "RB-SERVICE-001"]) == 1
    assert "service-stopped (lie): a lie ended as healed" in capsys.readouterr().out


def test_coverage_is_written_where_it_was_asked_for(
    rehearsed: Callable[..., None], tmp_path: Path
) -> None:
    rehearsed(HELD)
    page = tmp_path / "coverage.md"
    assert execute(["rehearse", "--all", "--coverage", str(page)]) == 0
    assert "**1 of 1 injected drifts were healed at L1 (100 %)**" in page.read_text()

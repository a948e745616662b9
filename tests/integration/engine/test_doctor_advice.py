"""What doctor says of tier L2: on, off and why, or left alone for now."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.engine.doctor.advice import diagnose_advice
from reconciler.engine.settings import load_settings
from reconciler.model.diagnosis import Diagnosis
from reconciler.testing.fake_llm import FakeLLM, sends, serve, well
from tests.support.advised import CONSENT, GOOD, KEY, broken, by_runbook, new_advised
from tests.support.drill import CLIENT_FILE, Drill

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture
def llm() -> Iterator[FakeLLM]:
    with serve(well(by_runbook(GOOD))) as running:
        yield running


@pytest.fixture
def drill(tmp_path: Path, llm: FakeLLM) -> Drill:
    return broken(new_advised(tmp_path / "var", llm.base_url))


def said(drill: Drill) -> Diagnosis:
    return diagnose_advice(load_settings(Path(drill.site.settings)), drill.clock.now())


def test_it_says_that_it_is_on_and_how_much_was_asked(drill: Drill, llm: FakeLLM) -> None:
    drill.run()
    found = said(drill)

    assert (found.state, found.hint) == ("ok", "")
    assert found.detail == f"on: compatible {llm.base_url}, fake-1; 1 questions today"
    assert len(llm.requests) == 1, "doctor asked the model"


def test_an_endpoint_that_is_left_alone_is_said(drill: Drill, llm: FakeLLM) -> None:
    llm.behaviour = sends(b"no", 503)
    drill.run()
    found = said(drill)

    assert found.state == "limited"
    assert "left alone for 5 min" in found.detail


def test_without_settings_it_is_absent_and_nothing_is_wrong(drill: Drill) -> None:
    file = Path(drill.site.settings)
    file.write_text(file.read_text().partition("advise:")[0])
    found = said(drill)

    assert (found.state, found.hint) == ("absent", "")
    assert "findings without a rule go to people" in found.detail


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (CONSENT, "", "did not consent"),
        ("agreement: true", "agreement: false", "no business associate agreement"),
        ("tier: enterprise", "tier: professional", "tier has no advise"),
    ],
)
def test_a_missing_yes_is_named(drill: Drill, old: str, new: str, why: str) -> None:
    drill.edit(CLIENT_FILE, lambda text: text.replace(old, new))
    drill.run()
    found = said(drill)

    assert found.state == "limited"
    assert f"off: {why}" in found.detail or why in found.detail


def test_a_key_that_others_can_read_is_named_and_not_shown(drill: Drill) -> None:
    (drill.site.directory / "llm.key").chmod(0o644)
    found = said(drill)

    assert found.state == "limited"
    assert "advise.key" in found.detail
    assert KEY not in found.detail + found.hint

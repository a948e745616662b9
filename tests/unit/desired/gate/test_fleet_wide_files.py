"""What is written into a fleet says exactly what was meant, and leaves the rest as it was."""

from datetime import date
from pathlib import Path

import pytest

from reconciler.desired import strict_yaml
from reconciler.desired.fleet import Fleet, read_fleet
from reconciler.desired.gate.fleet_wide_files import (
    BREAKERS,
    ROLLOUT,
    with_breakers,
    with_stages,
    write,
)
from reconciler.desired.validation import validate
from reconciler.errors import InputError, MachineError
from reconciler.model.fleet_wide import FleetBreakers, OpenBreaker

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def breaker(digest: str = A, reason: str = "failed on 3 hosts within 3600 s") -> OpenBreaker:
    return OpenBreaker(
        runbook="RB-A-001",
        digest=digest,
        opened_on=date(2026, 3, 2),
        hosts=("clinic/a", "clinic/b"),
        evidence=(f"clinic/a@7:sha256:{'0' * 64}",),
        reason=reason,
    )


def parsed(text: str) -> FleetBreakers:
    return validate(strict_yaml.load(text.encode(), BREAKERS), FleetBreakers)


def test_the_first_breaker_makes_the_file_and_the_next_is_put_at_its_end() -> None:
    one = with_breakers(None, FleetBreakers(), [breaker()])
    assert one.startswith("# Versions of runbooks that are switched off")
    two = with_breakers(one, parsed(one), [breaker(B, 'said: "x"\\ #')])
    assert two.startswith(one)
    assert parsed(two).breakers == (breaker(), breaker(B, 'said: "x"\\ #'))


@pytest.mark.parametrize("text", ["# Ours.\nbreakers: []\n", "# Ours.\nbreakers: []  # none\n"])
def test_an_empty_list_is_filled_and_the_comment_stays(text: str) -> None:
    written = with_breakers(text, FleetBreakers(), [breaker()])
    assert written.startswith("# Ours.\n")
    assert parsed(written).breakers == (breaker(),)


def test_a_file_that_cannot_be_added_to_is_left_to_a_person_with_what_to_add() -> None:
    item = breaker().model_dump(mode="json")
    flow = f"breakers: [{item}]\n".replace("'", '"')
    with pytest.raises(InputError) as refused:
        with_breakers(flow, parsed(flow), [breaker(B)])
    assert f"digest: {B}" in refused.value.hint


def rollout(text: str) -> Fleet:
    return read_fleet({ROLLOUT: text.encode()})


BLOCK = (
    f"# Stages.\nrunbooks:\n  RB-A-001:\n    digest: {A}\n    stage: canary  # tenth comes next\n"
    f"    hosts: [clinic/a]\n  RB-B-001: {{digest: '{B}', stage: canary, hosts: [clinic/b]}}\n"
)


def test_one_word_changes() -> None:
    written = with_stages(BLOCK, rollout(BLOCK), {"RB-A-001": "tenth"})
    assert written == BLOCK.replace("stage: canary  #", "stage: tenth  #")
    written = with_stages(BLOCK, rollout(BLOCK), {"RB-B-001": "tenth"})
    assert written == BLOCK.replace("stage: canary, hosts", "stage: tenth, hosts")


def test_a_stage_that_cannot_be_told_apart_is_left_to_a_person() -> None:
    line = (
        f"runbooks: {{RB-A-001: {{digest: '{A}', stage: canary}}, "
        f"RB-B-001: {{digest: '{B}', stage: canary}}}}\n"
    )
    with pytest.raises(InputError, match="cannot be changed as it is written"):
        with_stages(line, rollout(line), {"RB-B-001": "tenth"})


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="cannot write policies/breakers"):
        write(tmp_path, {BREAKERS: "x"})
    (tmp_path / "policies").mkdir()
    write(tmp_path, {BREAKERS: "x"})
    assert (tmp_path / BREAKERS).read_text() == "x"

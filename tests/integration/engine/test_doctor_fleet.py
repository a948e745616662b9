"""What doctor shows of pin, trust policy, attestations, freshness and holds."""

import shutil
from pathlib import Path

import pytest

from reconciler.engine.doctor.fleet import diagnose_fleet
from reconciler.engine.settings import load_settings
from reconciler.model.diagnosis import Diagnosis
from tests.support.watched import HOUR, LIMIT_H, Watched, new_watched

pytestmark = pytest.mark.integration


def seen(watched: Watched) -> dict[str, Diagnosis]:
    home = load_settings(Path(watched.drill.site.settings))
    return {one.subject: one for one in diagnose_fleet(home, watched.drill.clock)}


def states(watched: Watched) -> dict[str, str]:
    return {subject: one.state for subject, one in seen(watched).items()}


def test_before_the_first_run_nothing_is_there_and_nothing_is_made(tmp_path: Path) -> None:
    made = new_watched(tmp_path / "var")
    mirror = made.drill.site.directory / "state/fleet.git"

    assert states(made) == {
        "fleet pin": "absent",
        "trust policy": "absent",
        "attestations": "absent",
        "freshness": "absent",
        "holds": "ok",
    }
    assert not mirror.exists()


def test_a_fleet_with_everything(tmp_path: Path) -> None:
    made = new_watched(tmp_path / "var")
    made.setting("  branch: main\n", f"  branch: main\n  pin: {made.fleet.head}\n")
    made.beat()
    made.run()
    made.pass_time(12 * HOUR)
    found = seen(made)

    assert {one.state for one in found.values()} == {"ok"}
    assert found["trust policy"].detail == "5 people, 5 rules"
    assert found["fleet pin"].detail.endswith(made.fleet.head[:12])
    # Seen from another boot than the drill's, so at least its uptime has gone by.
    assert found["freshness"].detail in {
        f"newest heartbeat: number 1, {age} h old; the limit is 26 h" for age in (12, 14)
    }


def test_a_stale_state_is_held_and_both_are_shown(tmp_path: Path) -> None:
    made = new_watched(tmp_path / "var")
    made.beat()
    made.run()
    made.run(after_s=LIMIT_H * HOUR)
    found = seen(made)

    assert (found["freshness"].state, found["holds"].state) == ("limited", "limited")
    assert found["holds"].detail.startswith("stale since 2026-03-03")
    assert found["freshness"].hint


def test_what_is_not_promised_is_absent(tmp_path: Path) -> None:
    made = new_watched(tmp_path / "var", limit_h=None, policy=None)
    made.setting("  branch: main\n", "  branch: main\n  attestations: null\n")
    made.run()
    found = seen(made)

    assert {name for name, one in found.items() if one.state == "absent"} == {
        "fleet pin",
        "trust policy",
        "attestations",
        "freshness",
    }
    assert "every listed signer alone" in found["trust policy"].detail
    assert "no limit is promised" in found["freshness"].detail


def test_a_lost_mirror_is_said_and_a_lost_ledger_is_broken(tmp_path: Path) -> None:
    made = new_watched(tmp_path / "var")
    made.beat()
    made.run()
    shutil.rmtree(made.drill.site.directory / "state/fleet.git")

    assert "mirror of the fleet is not there" in seen(made)["freshness"].detail

    shutil.rmtree(made.drill.site.evidence)
    assert states(made) == {"fleet pin": "absent", "desired state": "broken"}

"""Servers that show yesterday as today, and clocks that help them: a whole appliance each time.

`test_intent_authority.py` lists which file holds which attack. Held means: the last accepted state
stays in force, every action waits, the evidence says why; what is refused is not taken over.
"""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import ClockWrong, ExitCode, ReconcilerError
from tests.support.drill import break_sysctl
from tests.support.intent_drill import IntentDrill, copied, new_intent_drill, reset
from tests.support.trust_attacks import CLINIC

HOURS = 2
"""What the client of these tests is promised."""
HOUR = 3600.0


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> IntentDrill:
    """An appliance that has seen heartbeat 5 of its accepted head."""
    site = new_intent_drill(tmp_path_factory.mktemp("site") / "site", freshness_h=HOURS)
    site.fleet.heartbeat("ci", counter=5, time=site.now())
    report = site.run()
    assert (report.intent.refused, report.intent.holds) == (None, ())
    return site


@pytest.fixture
def site(begun: IntentDrill, tmp_path: Path) -> IntentDrill:
    found = copied(begun, tmp_path / "site")
    break_sysctl(found.drill.machine)
    return found


def held(report) -> list[str]:
    return [hold.reason for hold in report.intent.holds]


def acted(site: IntentDrill) -> bool:
    return bool(site.drill.carried)


def test_fresh_heartbeat_lets_the_machine_act(site):
    report = site.run()
    assert (held(report), acted(site)) == ([], True)


def test_frozen_repository(site):
    report = site.run(after_s=3 * HOUR)
    assert (held(report), acted(site)) == (["stale"], False)
    assert report.exit_code == ExitCode.REFUSED
    assert report.intent.commit == site.fleet.head
    site.run()
    assert [reason for reason, _ in site.refusals()] == ["stale"]
    waiting = {(one.verdict.guard, one.result) for one in report.not_done}
    assert waiting == {("hold", "deferred")}

    site.fleet.heartbeat("ci", counter=6, time=site.now())
    report = site.run()
    assert (held(report), acted(site)) == ([], True)


def test_frozen_repository_behind_a_server_that_is_gone(site):
    shutil.rmtree(site.fleet.path)
    report = site.run(after_s=3 * HOUR)
    assert (held(report), acted(site)) == (["stale"], False)


def test_repository_that_never_had_a_heartbeat(tmp_path):
    site = new_intent_drill(tmp_path / "site", freshness_h=HOURS)
    break_sysctl(site.drill.machine)
    report = site.run()
    assert (held(report), acted(site)) == (["heartbeat-missing"], False)


@pytest.mark.parametrize(
    "heartbeat",
    [
        {"by": "alice", "counter": 9},
        {"by": "bot", "counter": 9},
        {"by": "mallory", "counter": 9},
        {"by": "ci", "counter": 9, "branch": "staging", "place": "main"},
        {"by": "ci", "counter": 9, "ahead": 60},
    ],
    ids=["engineer", "machine without the role", "stranger", "other branch", "dated ahead"],
)
def test_heartbeat_that_does_not_count_keeps_nothing_fresh(site, heartbeat):
    site.drill.clock.pass_time(3 * HOUR)
    time = site.now() + heartbeat.pop("ahead", 0)
    site.fleet.heartbeat(**heartbeat, time=time)
    report = site.run(after_s=1)
    assert (held(report), acted(site)) == (["stale"], False)


@pytest.mark.parametrize("junk", [b"", b"{}", b"\xff" * 1000, b"[" * 5000])
def test_heartbeat_that_is_junk_keeps_nothing_fresh(site, junk):
    site.fleet.put("heartbeats/main/heartbeat.dsse.json", junk)
    report = site.run(after_s=3 * HOUR)
    assert (held(report), acted(site)) == (["stale"], False)


def test_attestations_branch_that_is_deleted_keeps_nothing_fresh(site):
    reset(site, site.fleet.head, None)
    report = site.run(after_s=3 * HOUR)
    assert (held(report), acted(site)) == (["stale"], False)


def test_replayed_heartbeat(site):
    site.fleet.heartbeat("ci", counter=6, time=site.now())
    assert site.run().intent.refused is None
    site.fleet.heartbeat("ci", counter=5, time=site.now())
    tip = site.fleet.commit("bob", {CLINIC: "x\n"})
    report = site.run()
    assert report.intent.refused == "heartbeat-replayed"
    assert site.accepted != tip
    assert site.refusals()[-1][0] == "heartbeat-replayed"


def test_two_heartbeats_of_one_number(site):
    site.fleet.heartbeat("ci", counter=5, time=site.now() + 0.5)
    report = site.run()
    assert report.intent.refused == "heartbeat-conflict"


def test_counter_survives_a_lost_mirror_and_lost_notes(site):
    """The ledger remembers, whatever else of the state is gone."""
    site.fleet.heartbeat("ci", counter=6, time=site.now())
    site.run()
    shutil.rmtree(site.drill.site.directory / "state")
    (site.drill.site.directory / "state").mkdir()
    site.fleet.heartbeat("ci", counter=5, time=site.now())
    assert site.run().intent.refused == "heartbeat-replayed"


def test_head_that_hides_a_commit_which_ci_has_seen(site):
    """The newest heartbeat names the fix; the server shows the branch without it."""
    before = site.fleet.head
    fix = site.fleet.commit("bob", {CLINIC: "fix\n"})
    site.fleet.heartbeat("ci", fix, counter=6, time=site.now())
    site.fleet.move(before)
    report = site.run()
    assert report.intent.refused == "head-went-back"
    report = site.run(after_s=3 * HOUR)
    assert "stale" in held(report)

    site.fleet.move(fix)
    site.fleet.heartbeat("ci", fix, counter=7, time=site.now())
    report = site.run()
    assert (report.intent.refused, held(report)) == (None, [])
    assert site.accepted == fix


def test_other_branch_beside_a_commit_which_ci_has_seen(site):
    before = site.fleet.head
    fix = site.fleet.commit("bob", {CLINIC: "fix\n"})
    site.fleet.heartbeat("ci", fix, counter=6, time=site.now())
    site.fleet.move(before)
    site.fleet.commit("bob", {CLINIC: "evil\n"})
    assert site.run().intent.refused == "head-went-back"
    assert site.accepted == before


def test_newer_state_without_a_fresh_heartbeat_while_stale(site):
    """Whoever held the server back does not choose what comes next."""
    accepted = site.accepted
    site.fleet.commit("bob", {CLINIC: "late\n"})
    report = site.run(after_s=3 * HOUR)
    assert report.intent.refused == "stale"
    assert (site.accepted, acted(site)) == (accepted, False)
    site.fleet.heartbeat("ci", counter=6, time=site.now())
    report = site.run()
    assert (report.intent.refused, site.accepted) == (None, site.fleet.head)


def test_wall_clock_that_is_held_still(site):
    """Believed to be synchronised, with whom an attacker chose: the boot clock goes on."""
    site.drill.clock.up += 3 * HOUR
    report = site.run(after_s=1)
    assert (held(report), acted(site)) == (["stale"], False)


def test_wall_clock_that_is_held_still_across_a_reboot(site):
    site.drill.boot = site.drill.boot.replace("1", "2")
    site.drill.clock.up = 3 * HOUR
    report = site.run(after_s=1)
    assert (held(report), acted(site)) == (["stale"], False)


def test_wall_clock_that_is_set_back_signs_nothing_and_does_nothing(site):
    records = len(site.drill.records())
    site.drill.clock.at -= timedelta(days=2)
    with pytest.raises(ClockWrong):
        site.run(after_s=1)
    assert (len(site.drill.records()), acted(site)) == (records, False)


def test_wall_clock_that_is_set_forward_waits(site):
    site.drill.clock.at += timedelta(days=2)
    report = site.run(after_s=1)
    assert (held(report), acted(site)) == (["stale"], False)


def test_clock_without_a_promise_stops_nothing(tmp_path):
    """The honest twin of all of them: nobody was promised anything, so nothing is held."""
    site = new_intent_drill(tmp_path / "site")
    site.run()
    break_sysctl(site.drill.machine)
    report = site.run(after_s=3 * HOUR)
    assert (held(report), acted(site)) == ([], True)


def test_ledger_that_is_lost_accepts_nothing(site):
    shutil.rmtree(site.drill.site.evidence)
    with pytest.raises(ReconcilerError) as caught:
        site.run()
    assert caught.value.hint
    assert not acted(site)


def test_ledger_whose_head_is_torn_accepts_nothing(site):
    heads = (Path(site.drill.site.evidence) / "refs" / "heads").rglob("*")
    head = next(file for file in heads if file.is_file())
    head.write_bytes(head.read_bytes()[:17])
    with pytest.raises(ReconcilerError) as caught:
        site.run()
    assert caught.value.hint
    assert not acted(site)

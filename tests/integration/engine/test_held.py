"""Freshness on an appliance: what is not known to be the newest is looked at and not acted on."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler import reconcile
from reconciler.engine.session import Options
from reconciler.errors import ClockWrong, ExitCode
from reconciler.report.run import render
from tests.support import second_verifier
from tests.support.drill import CLIENT_FILE, break_sysctl, statuses
from tests.support.trust_fleet import POLICY, POLICY_TEXT
from tests.support.watched import DAY, HOUR, LIMIT_H, Watched, client_text, new_watched

pytestmark = pytest.mark.integration

NOTE = {"README.md": "another text\n"}


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A machine that has run once, just after a heartbeat."""
    made = new_watched(tmp_path / "var")
    made.beat()
    assert made.run().intent.hold is None
    return made


def test_while_heartbeats_come_the_machine_is_healed(watched: Watched) -> None:
    watched.pass_time(DAY)
    watched.beat()
    break_sysctl(watched.drill.machine)
    report = watched.run()

    assert [outcome.result for outcome in report.outcomes] == ["healed"]
    assert report.intent.freshness is not None
    assert (report.intent.freshness.age_s, report.intent.freshness.counter) == (300, 2)
    assert watched.refusals() == []
    (standing,) = [body["standing"] for body in watched.drill.bodies("run")][1:]
    assert (standing["heartbeat"]["by"], standing["heartbeat"]["counter"]) == ("ci", 2)


def test_a_frozen_repository_is_held_and_a_new_heartbeat_ends_it(watched: Watched) -> None:
    break_sysctl(watched.drill.machine)
    held = watched.run(after_s=LIMIT_H * HOUR)
    again = watched.run()

    assert (held.intent.hold, held.intent.refused) == ("stale", None)
    assert held.intent.commit == watched.fleet.head, "the last accepted state stays in force"
    assert held.exit_code is again.exit_code is ExitCode.REFUSED
    assert [left.verdict.guard for left in held.not_done] == ["hold"]
    assert held.outcomes == again.outcomes == ()
    assert statuses(held)["intent-trusted"] == "fail"
    assert watched.refusals() == ["stale"], "once"
    assert again.intent.holds[0].since == held.intent.holds[0].since
    assert "reconciler attest heartbeat" in render(held)

    watched.beat()
    healed = watched.run()
    assert (healed.intent.hold, healed.exit_code) == (None, ExitCode.CLEAN)
    assert [outcome.result for outcome in healed.outcomes] == ["healed"]

    assert watched.run(after_s=LIMIT_H * HOUR).intent.hold == "stale"
    assert watched.refusals() == ["stale", "stale"], "the next one is news again"
    assert watched.drill.verify().ok, watched.drill.verify().sentence


def test_a_server_that_is_out_of_reach_is_no_excuse(watched: Watched) -> None:
    watched.away()
    break_sysctl(watched.drill.machine)
    soon = watched.run(after_s=HOUR)
    late = watched.run(after_s=LIMIT_H * HOUR)

    assert (soon.intent.refused, soon.intent.hold) == ("unreachable", None)
    assert [outcome.result for outcome in soon.outcomes] == ["healed"]
    assert (late.intent.refused, late.intent.hold) == ("unreachable", "stale")
    assert late.exit_code is ExitCode.REFUSED
    assert watched.refusals() == ["unreachable", "stale"]


def test_without_any_heartbeat_a_promise_is_broken_from_the_first_run(tmp_path: Path) -> None:
    made = new_watched(tmp_path / "var")
    break_sysctl(made.drill.machine)
    report = made.run()

    assert report.intent.hold == "heartbeat-missing"
    assert report.intent.counter == 1, "accepted, and held"
    assert [left.verdict.guard for left in report.not_done] == ["hold"]
    made.beat()
    assert [outcome.result for outcome in made.run().outcomes] == ["healed"]


def test_nothing_is_held_where_nothing_is_promised(tmp_path: Path) -> None:
    made = new_watched(tmp_path / "var", limit_h=None)
    made.run()
    break_sysctl(made.drill.machine)
    report = made.run(after_s=90 * DAY)

    assert report.intent.holds == ()
    assert [outcome.result for outcome in report.outcomes] == ["healed"]


@pytest.mark.parametrize("restart", [False, True], ids=["one process", "restarted each time"])
def test_a_wall_clock_that_is_held_back_stretches_nothing(watched: Watched, restart: bool) -> None:
    def tick() -> str | None:
        # What a time server of the attacker does: two hours pass and the clock shows one minute.
        watched.drill.clock.up += 2 * HOUR
        watched.drill.clock.at += timedelta(minutes=1)
        if restart:
            return watched.run(after_s=0).intent.hold
        return reconcile(appliance, Options()).intent.hold

    with watched.drill.open() as appliance:
        if not restart:
            said = [tick() for _ in range(14)]
    if restart:
        said = [tick() for _ in range(14)]

    assert said == [None] * 13 + ["stale"], "after 26 hours, whatever the wall clock says"


def test_a_wall_clock_that_is_set_ahead_holds_at_once(watched: Watched) -> None:
    watched.drill.clock.at += timedelta(days=3)

    assert watched.run().intent.hold == "stale"


def test_under_a_clock_that_went_back_nothing_runs_at_all(watched: Watched) -> None:
    watched.drill.clock.at -= timedelta(days=3)
    break_sysctl(watched.drill.machine)

    with pytest.raises(ClockWrong):
        watched.run()
    assert watched.drill.carried == []


@pytest.mark.parametrize(
    ("off_s", "up_s", "hold"),
    [
        (12 * HOUR, 60, None),
        (30 * HOUR, 60, "stale"),
        (-10 * HOUR, 30 * HOUR, "stale"),  # the clock stood, and the machine ran
    ],
)
def test_across_a_reboot_time_goes_on(
    watched: Watched, off_s: float, up_s: float, hold: str | None
) -> None:
    watched.reboot(off_s=off_s, up_s=up_s)
    if off_s < 0:
        # Back to a minute after the newest evidence.
        watched.drill.clock.at = watched.drill.records()[-1].entry.time + timedelta(minutes=1)

    assert watched.run(after_s=0).intent.hold == hold


def test_a_restart_does_not_make_a_heartbeat_new(watched: Watched) -> None:
    newest = [watched.run(after_s=6 * HOUR).intent.freshness for _ in range(4)]
    bodies = [r.entry.body for r in watched.drill.records() if r.entry.kind == "run"]

    assert [found.age_s for found in newest if found] == [21_900, 43_500, 65_100, 86_700]
    assert watched.run(after_s=2 * HOUR).intent.hold == "stale"
    assert any("like" in body for body in bodies), "some of them without a file"


@pytest.mark.parametrize("seal_s", [0, 3600])
def test_hourly_heartbeats_need_no_file_and_few_signatures(watched: Watched, seal_s: int) -> None:
    options = Options(promise_s=330, seal_s=seal_s)
    watched.run(promise_s=330, seal_s=seal_s)
    before = len(watched.drill.records())
    with watched.drill.open() as appliance:
        for minute in range(0, 180, 5):
            watched.pass_time(300)
            if minute % 60 == 0:
                watched.beat()
            reconcile(appliance, options)
    entries = [record.entry for record in watched.drill.records()][before:]
    said = [entry.body["heartbeat"]["counter"] for entry in entries if "heartbeat" in entry.body]

    assert all(entry.slim for entry in entries)
    assert said == [2, 3, 4]
    runs = [entry for entry in entries if entry.kind == "run"]
    assert len(runs) <= (36 if seal_s == 0 else 7)
    watched.drill.clock.up += LIMIT_H * HOUR
    watched.drill.clock.at += timedelta(minutes=1)
    assert watched.run(after_s=0).intent.hold == "stale", "a restart knows when it was seen"
    site = watched.drill.site
    assert watched.drill.verify().ok, watched.drill.verify().sentence
    assert second_verifier.verify(Path(site.evidence), Path(site.signers).read_text()) == []


Trick = Callable[[Watched], None]


def replay(watched: Watched) -> None:
    watched.counter -= 2
    watched.beat()


def conflict(watched: Watched) -> None:
    watched.counter -= 1
    watched.beat()


def ahead(watched: Watched) -> None:
    hidden = watched.commit("alice", NOTE, move=False)
    watched.beat(hidden)


def unknown(watched: Watched) -> None:
    watched.beat()
    file = "heartbeats/main/heartbeat.dsse.json"
    other = new_watched(watched.fleet.path.parent / "other")
    stranger = other.fleet.commit("alice", NOTE, minutes=watched.minutes + 1)
    other.fleet.heartbeat("ci", stranger, counter=watched.counter + 1, time=watched.minutes)
    tree = other.fleet.tree(str(other.fleet.attestations))
    watched.fleet.put(file, other.fleet.read(tree[file][1]))


@pytest.mark.parametrize(
    ("trick", "code"),
    [
        (replay, "heartbeat-replayed"),
        (conflict, "heartbeat-conflict"),
        (ahead, "head-went-back"),
        (unknown, "head-went-back"),
    ],
)
def test_a_heartbeat_that_contradicts_what_was_seen_refuses_and_makes_nothing_fresh(
    watched: Watched, trick: Trick, code: str
) -> None:
    watched.pass_time(HOUR)
    watched.beat()
    watched.run()
    accepted = watched.fleet.head
    watched.pass_time(HOUR)
    trick(watched)
    break_sysctl(watched.drill.machine)
    refused = watched.run()

    assert (refused.intent.refused, refused.intent.commit) == (code, accepted)
    assert refused.exit_code is ExitCode.REFUSED
    assert [outcome.result for outcome in refused.outcomes] == ["healed"], "not held yet"
    assert watched.run(after_s=LIMIT_H * HOUR).intent.hold == "stale"
    assert watched.refusals() == [code, "stale"]


@pytest.mark.parametrize(
    ("by", "how"),
    [
        ("alice", {}),  # no role heartbeat
        ("mallory", {}),  # not listed
        ("ci", {"branch": "other"}),
        ("ci", {"branch": "other", "place": "main"}),
        ("ci", {"time": 60 * 24 * 30}),  # from the future
    ],
)
def test_a_heartbeat_that_does_not_count_is_none(
    watched: Watched, by: str, how: dict[str, object]
) -> None:
    watched.pass_time(HOUR)
    watched.beat(by=by, **how)
    soon = watched.run()
    late = watched.run(after_s=(LIMIT_H - 1) * HOUR)

    assert (soon.intent.refused, soon.intent.hold) == (None, None)
    assert soon.intent.freshness is not None
    assert soon.intent.freshness.counter == 1
    assert late.intent.hold == "stale"


def test_after_the_limit_a_newer_state_must_bring_a_heartbeat(watched: Watched) -> None:
    accepted = watched.fleet.head
    watched.pass_time(LIMIT_H * HOUR)
    newer = watched.commit("alice", NOTE)
    refused = watched.run()

    assert (refused.intent.refused, refused.intent.commit) == ("stale", accepted)
    assert refused.intent.hold == "stale"
    watched.beat()
    taken = watched.run()
    assert (taken.intent.commit, taken.intent.counter, taken.intent.hold) == (newer, 2, None)


@pytest.mark.parametrize("names_accepted", [True, False])
def test_beside_a_head_that_is_refused_a_heartbeat_must_name_what_is_in_force(
    watched: Watched, names_accepted: bool
) -> None:
    accepted = watched.fleet.head
    watched.pass_time(20 * HOUR)
    good = watched.commit("alice", NOTE)
    # Whoever may push hides a good commit, a kill switch perhaps, under one that is refused.
    watched.fleet.commit(None, {"README.md": "unsigned\n"}, minutes=watched.minutes)
    watched.beat(accepted if names_accepted else good)
    soon = watched.run()
    break_sysctl(watched.drill.machine)
    late = watched.run(after_s=20 * HOUR)

    assert (soon.intent.refused, soon.intent.hold) == ("unsigned", None)
    assert late.intent.refused == "unsigned"
    assert late.intent.hold == (None if names_accepted else "stale")
    assert bool(late.outcomes) is names_accepted


def test_the_key_of_the_heartbeat_can_be_changed_by_a_commit(watched: Watched) -> None:
    watched.pass_time(LIMIT_H * HOUR)
    policy = POLICY_TEXT.replace("principals: [ci@msp", "principals: [bot@msp", 1).replace(
        "{id: bot, principals: [bot@", "{id: bot, principals: [ci@"
    )
    watched.commit("alice", {POLICY: policy})
    watched.fleet.approve("bob", issued=watched.minutes)
    watched.beat(by="bot")
    report = watched.run()

    assert (report.intent.refused, report.intent.counter, report.intent.hold) == (None, 2, None)
    body = watched.drill.bodies("run")[-1]["intent"]["acceptance"]
    assert [(one["rule"], one["people"]) for one in body["agreed"]] == [("trust", ["bob"])]


def test_a_limit_that_is_taken_away_holds_no_longer(watched: Watched) -> None:
    text = watched.fleet.desired(watched.fleet.head)
    client = dict(text)[CLIENT_FILE].decode()
    watched.pass_time(HOUR)
    watched.commit("carol", {CLIENT_FILE: client_text(client, None)})
    watched.run()

    assert watched.run(after_s=90 * DAY).intent.holds == ()

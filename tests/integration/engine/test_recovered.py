"""Recovery, revoked content, and lost state on an appliance: what is not proven is not acted on."""

import shutil
from pathlib import Path

import pytest

from reconciler.errors import ExitCode, IntentRefused, LedgerMissing, MachineError
from reconciler.evidence import sshsig
from reconciler.report.run import render
from tests.support.drill import break_sysctl
from tests.support.evidence_keys import test_key as key_of
from tests.support.trust_fleet import POLICY, POLICY_TEXT
from tests.support.watched import DAY, HOUR, LIMIT_H, Watched, new_watched

pytestmark = pytest.mark.integration

NOTE = "policies/note.md"


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A machine that has accepted two commits, just after a heartbeat."""
    made = new_watched(tmp_path / "var")
    made.commit("alice", {"README.md": "one\n"})
    made.beat()
    assert made.run().intent.hold is None
    return made


def rewrite(watched: Watched) -> tuple[str, str]:
    """Put another commit into the place of the accepted one; both."""
    old = watched.fleet.head
    (root,) = watched.fleet.parents(old)
    watched.pass_time(60)
    return old, watched.commit("alice", {"README.md": "two\n"}, parents=(root,))


def test_two_people_bring_an_appliance_onto_a_rewritten_history(watched: Watched) -> None:
    old, new = rewrite(watched)
    refused = watched.run()
    assert (refused.intent.refused, refused.intent.commit) == ("not-fast-forward", old)

    watched.fleet.recover(["alice", "carol"], [old], issued=watched.minutes)
    watched.beat()
    break_sysctl(watched.drill.machine)
    report = watched.run()

    assert (report.intent.refused, report.intent.commit) == (None, new)
    assert report.intent.counter == 2, "a recovery counts like any acceptance"
    assert [outcome.result for outcome in report.outcomes] == ["healed"]
    assert "by a recovery that alice, carol signed" in render(report)
    (run,) = watched.drill.bodies("run")[-1:]
    used = run["intent"]["acceptance"]["recovery"]
    assert used["people"] == ["alice", "carol"]
    assert run["standing"]["recovery"] == used
    assert watched.drill.bodies("intent")[-1]["recovery"] == used, "known before the first act"
    assert watched.run().intent.refused is None
    assert watched.drill.verify().ok, watched.drill.verify().sentence


def test_one_person_does_not(watched: Watched) -> None:
    old, _new = rewrite(watched)
    watched.fleet.recover(["alice"], [old], issued=watched.minutes)
    watched.fleet.recover(["erin"], [old], issued=watched.minutes)
    report = watched.run()

    assert (report.intent.refused, report.intent.commit) == ("not-fast-forward", old)
    assert report.intent.counter == 1


def test_a_recovery_works_once(watched: Watched) -> None:
    old, new = rewrite(watched)
    watched.fleet.recover(["alice", "carol"], [old, new], issued=watched.minutes)
    assert watched.run().intent.commit == new
    third, _ = rewrite(watched)
    watched.fleet.move(old)
    assert third == new
    report = watched.run()

    assert (report.intent.refused, report.intent.commit) == ("not-fast-forward", new)


def test_a_recovery_needs_no_heartbeat_and_is_held_without_one(watched: Watched) -> None:
    watched.pass_time(LIMIT_H * HOUR)
    old, new = rewrite(watched)
    watched.fleet.recover(["bob", "carol"], [old], issued=watched.minutes)
    report = watched.run()

    assert (report.intent.commit, report.intent.hold) == (new, "heartbeat-missing")
    watched.counter = 0
    watched.beat(counter=1)
    assert watched.run().intent.hold is None, "counting begins anew"


def revoked(name: str, effective: str) -> str:
    key = sshsig.fingerprint(sshsig.raw_public(key_of(name)))
    line = f'  - {{key: "{key}", effective: "{effective}", reason: laptop-stolen}}\n'
    return f"{POLICY_TEXT}revoked:\n{line}"


def test_a_stolen_key_of_ci_cannot_use_up_all_numbers_for_ever(watched: Watched) -> None:
    watched.beat(counter=2**53 - 1)
    accepted = watched.run().intent.commit
    new_ci = revoked("ci", watched.fleet.moment(0)).replace(
        "{id: bot, principals: [bot@msp.example], roles: [engineer], all_clients: true}",
        "{id: bot, principals: [bot@msp.example], roles: [heartbeat]}",
    )
    head = watched.commit("alice", {POLICY: new_ci})
    watched.fleet.approve("bob", issued=watched.minutes)
    watched.beat(by="bot", counter=2)
    refused = watched.run()
    assert (refused.intent.refused, refused.intent.commit) == ("heartbeat-replayed", accepted)

    watched.fleet.recover(["alice", "carol"], [str(accepted)], issued=watched.minutes)
    report = watched.run()
    assert (report.intent.commit, report.intent.hold) == (head, None)
    assert report.intent.freshness is not None
    assert report.intent.freshness.counter == 2
    assert watched.run().intent.refused is None


def test_what_a_stolen_key_wrote_is_held_until_enough_others_have_looked(watched: Watched) -> None:
    stolen = watched.fleet.moment(watched.minutes)
    watched.pass_time(HOUR)
    watched.commit("carol", {NOTE: "a note\n"})
    watched.fleet.approve("bob", issued=watched.minutes)
    assert watched.run().intent.hold is None

    watched.pass_time(HOUR)
    watched.commit("alice", {POLICY: revoked("carol", stolen)})
    watched.fleet.approve("bob", issued=watched.minutes)
    break_sysctl(watched.drill.machine)
    held = watched.run()

    assert (held.intent.refused, held.intent.hold) == (None, "revoked-content")
    assert held.intent.commit == watched.fleet.head, "accepted, and held"
    assert held.intent.holds[0].paths == (NOTE,)
    assert [left.verdict.guard for left in held.not_done] == ["hold"]
    assert watched.run().exit_code is ExitCode.REFUSED
    (refusal,) = watched.drill.bodies("refusal")
    assert (refusal["reason"], refusal["held"], refusal["paths"]) == (
        "revoked-content",
        True,
        [NOTE],
    )
    away = watched.away()
    assert watched.run().intent.hold == "revoked-content", "out of reach, too"
    away.rename(watched.fleet.path)

    for name in ("alice", "bob"):
        watched.fleet.approve(name, base=watched.fleet.head, issued=watched.minutes)
    blessed = watched.run()
    assert blessed.intent.hold is None
    assert [outcome.result for outcome in blessed.outcomes] == ["healed"]


def mirror(watched: Watched) -> Path:
    return watched.drill.site.directory / "state/fleet.git"


def lose(path: Path) -> None:
    shutil.rmtree(path)


def tear(path: Path) -> None:
    for pack in (path / "objects").rglob("*"):
        if pack.is_file():
            pack.chmod(0o600)
            pack.write_bytes(pack.read_bytes()[:40])


@pytest.mark.parametrize("news", [False, True], ids=["same head", "newer head"])
@pytest.mark.parametrize("harm", [lose, tear])
def test_a_mirror_that_is_lost_or_torn_is_built_anew(
    watched: Watched, harm: object, news: bool
) -> None:
    if news:
        watched.commit("alice", {"README.md": "two\n"})
    harm(mirror(watched))  # type: ignore[operator]
    break_sysctl(watched.drill.machine)
    report = watched.run()

    assert (report.intent.commit, report.intent.counter) == (watched.fleet.head, 1 + news)
    assert (report.intent.refused, report.intent.hold) == (None, None)
    assert [outcome.result for outcome in report.outcomes] == ["healed"]


@pytest.mark.parametrize("harm", [lose, tear])
def test_without_the_mirror_and_the_server_nothing_is_done(watched: Watched, harm: object) -> None:
    watched.away()
    harm(mirror(watched))  # type: ignore[operator]
    break_sysctl(watched.drill.machine)

    with pytest.raises((MachineError, IntentRefused)):
        watched.run()
    assert watched.drill.carried == []
    assert watched.drill.kinds()[-1] == "refusal"


def test_a_mirror_that_was_emptied_gives_an_older_state_no_chance(watched: Watched) -> None:
    newer = watched.fleet.head
    (root,) = watched.fleet.parents(newer)
    watched.fleet.move(root)
    lose(mirror(watched))
    break_sysctl(watched.drill.machine)

    with pytest.raises(IntentRefused) as refused:
        watched.run()
    assert refused.value.reason in {"not-fast-forward", "rewound"}
    assert watched.drill.carried == []


def test_a_lost_ledger_stops_everything_and_a_copy_goes_on(watched: Watched) -> None:
    evidence = Path(watched.drill.site.evidence)
    copy = evidence.with_name("copy.git")
    shutil.copytree(evidence, copy)
    watched.pass_time(HOUR)
    newer = watched.commit("alice", {"README.md": "newer\n"})
    watched.beat()
    assert watched.run().intent.commit == newer
    shutil.rmtree(evidence)
    break_sysctl(watched.drill.machine)

    with pytest.raises(LedgerMissing):
        watched.run()
    assert watched.drill.carried == []

    copy.rename(evidence)
    report = watched.run()
    assert (report.intent.commit, report.intent.counter) == (newer, 2)
    assert [outcome.result for outcome in report.outcomes] == ["healed"]


def test_the_first_state_follows_from_the_pin(tmp_path: Path) -> None:
    made = new_watched(tmp_path / "var")
    pin = made.commit("alice", {"README.md": "one\n"})
    made.commit("alice", {"README.md": "two\n"})
    made.beat()
    made.setting("  branch: main\n", f"  branch: main\n  pin: {pin}\n")

    assert made.run().intent.refused is None
    assert made.drill.bodies("run")[0]["intent"]["acceptance"]["commits"] == 1


def test_a_first_state_beside_the_pin_is_refused(tmp_path: Path) -> None:
    made = new_watched(tmp_path / "var")
    aside = made.commit("alice", {"README.md": "one\n"}, move=False)
    made.commit("alice", {"README.md": "two\n"})
    made.setting("  branch: main\n", f"  branch: main\n  pin: {aside}\n")

    with pytest.raises(IntentRefused) as refused:
        made.run()
    assert refused.value.reason == "not-fast-forward"


def test_without_a_branch_of_attestations_nothing_beside_counts(tmp_path: Path) -> None:
    made = new_watched(tmp_path / "var")
    made.beat()
    made.setting("  branch: main\n", "  branch: main\n  attestations: null\n")

    assert made.run().intent.hold == "heartbeat-missing"
    assert made.run(after_s=DAY).intent.hold == "heartbeat-missing"

"""The keeper's days, with real calendars and authorities, and a clock that the test turns."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import InputError
from reconciler.ledger.anchors.bitcoin_headers import Network, read_headers
from reconciler.ledger.anchors.bodies import read_body
from reconciler.ledger.anchors.judge import Trust, judge
from reconciler.ledger.anchors.keeper import AnchorSettings, Kept, keep
from reconciler.ledger.anchors.model import BITCOIN, AnchorState, CheckpointRef, Method
from reconciler.ledger.anchors.plan import Anchored, Checkpoint, LedgerView, Way
from reconciler.ledger.anchors.rfc3161 import Authority
from tests.support.loopback_http import Server, serve
from tests.support.ots_calendar import Calendar, Chain, calendar
from tests.support.rigs import rig
from tests.support.tsa import Tsa, missing

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]
START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Clock:
    """Stands still until it is turned."""

    at: datetime = START
    passed: float = 0.0
    step: float = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        self.passed += self.step
        return self.passed

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")


@dataclass
class Appliance:
    """A ledger's anchors, and those who vouch for them."""

    settings: AnchorSettings
    chain: Chain
    alice: Calendar
    tsas: tuple[Tsa, Tsa]
    servers: dict[str, Server]
    clock: Clock = field(default_factory=Clock)
    notes: list[bytes] = field(default_factory=list)
    anchors: list[Anchored] = field(default_factory=list)
    tried: dict[str, datetime] = field(default_factory=dict)

    def checkpoint(self) -> None:
        self.notes.append(b"the note of checkpoint %d" % len(self.notes))

    def view(self) -> LedgerView:
        count = len(self.notes)
        newest = Checkpoint(CheckpointRef(count, "c" * 64), self.notes[-1]) if count else None
        return LedgerView(newest, tuple(self.anchors), START, self.tried)

    def run(self, after: timedelta = timedelta(), **settings: Any) -> Kept:
        """One look of the keeper; what it hands back becomes entries."""
        self.clock.at += after
        kept = keep(self.view(), dataclasses.replace(self.settings, **settings), self.clock)
        self.tried = dict(kept.tried)
        for body in kept.bodies:
            seq = 1000 + len(self.anchors)
            self.anchors.append(Anchored(seq, self.clock.at, read_body(body)))
        return kept

    def trust(self) -> Trust:
        headers = read_headers(self.chain.text(), "headers", Network.TEST)
        return Trust(headers, {tsa.name: tsa.authority() for tsa in self.tsas})


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    rig("time stamping authority", missing())
    chain = Chain()
    alpha, beta = Tsa(tmp_path / "alpha"), Tsa(tmp_path / "beta", "beta")
    with (
        calendar(chain) as (alice, first),
        serve(alpha.answer) as second,
        serve(beta.answer) as third,
    ):
        settings = AnchorSettings(
            calendars=(first.url,),
            authorities=(alpha.authority(second.url), beta.authority(third.url)),
            timeout_s=5,
        )
        servers = {"alice": first, "alpha": second, "beta": third}
        made = Appliance(settings, chain, alice, (alpha, beta), servers)
        made.checkpoint()
        yield made


def states(kept: Kept) -> list[tuple[str, str, str]]:
    return [(body["method"], body["authority"], body["state"]) for body in kept.bodies]


def test_a_checkpoint_is_anchored_three_ways_and_each_proves_a_time(appliance: Appliance) -> None:
    kept = appliance.run()
    assert states(kept) == [
        ("opentimestamps", "bitcoin", "pending"),
        ("rfc3161", "alpha", "complete"),
        ("rfc3161", "beta", "complete"),
    ]
    assert kept.problems == ()
    appliance.alice.mine()
    later = appliance.run(HOUR)
    assert states(later) == [("opentimestamps", "bitcoin", "complete")]
    proofs = [
        judge(entry.anchor, appliance.notes[0], appliance.trust()) for entry in appliance.anchors
    ]
    assert [proof.proven for proof in proofs] == [False, True, True, True]


def test_a_quiet_day_asks_nobody_twice(appliance: Appliance) -> None:
    appliance.run()
    appliance.alice.mine()
    appliance.run(HOUR)
    before = {name: len(server.requests) for name, server in appliance.servers.items()}
    for _ in range(20):
        kept = appliance.run(HOUR)
        assert (kept.bodies, kept.problems) == ((), ())
    assert {name: len(server.requests) for name, server in appliance.servers.items()} == before
    appliance.checkpoint()
    assert len(appliance.run(4 * HOUR).bodies) == 3


def test_who_is_unreachable_is_a_problem_and_costs_nobody_else(appliance: Appliance) -> None:
    appliance.servers["alpha"].misbehave = "status"
    appliance.servers["alice"].misbehave = "garbage"
    kept = appliance.run()
    assert states(kept) == [("rfc3161", "beta", "complete")]
    bitcoin, alpha = kept.problems
    assert (bitcoin.method, bitcoin.authority) == (Method.OPENTIMESTAMPS, BITCOIN)
    assert "proof is not an OpenTimestamps proof" in bitcoin.message
    assert str(alpha) == "rfc3161 by alpha: alpha did not stamp: answered with status 503"
    assert all(problem.hint for problem in kept.problems)


def test_what_failed_rests_and_is_then_tried_again(appliance: Appliance) -> None:
    appliance.servers["alpha"].misbehave = "status"
    appliance.run()
    assert appliance.run(14 * MINUTE).problems == ()
    assert len(appliance.run(MINUTE).problems) == 1
    appliance.servers["alpha"].misbehave = None
    kept = appliance.run(15 * MINUTE)
    assert ("rfc3161", "alpha", "complete") in states(kept)
    assert kept.problems == ()


def test_a_proof_that_stays_pending_for_days_is_an_alarm_every_time(appliance: Appliance) -> None:
    appliance.run()
    for _ in range(4):
        appliance.checkpoint()
        kept = appliance.run(DAY)
    assert {problem.method for problem in kept.problems} == {Method.OPENTIMESTAMPS}
    assert [problem.message for problem in kept.problems] == [
        "no whole proof has come since 2026-03-01T00:00:00Z, 4 days ago",
        "proofs that stay pending: 1, the oldest is entry 1000 of 2026-03-01T00:00:00Z",
    ]
    appliance.alice.mine()
    appliance.run(DAY)
    pending = {e.anchor.note_sha256 for e in appliance.anchors if e.way.authority == BITCOIN}
    whole = {
        e.anchor.note_sha256
        for e in appliance.anchors
        if e.way.authority == BITCOIN and e.anchor.state is AnchorState.COMPLETE
    }
    assert len(whole) == len(pending) == 5
    assert appliance.run(HOUR).problems == ()


def test_a_ledger_without_checkpoints_is_an_alarm_and_not_no_work(appliance: Appliance) -> None:
    appliance.notes.clear()
    assert appliance.run(3 * DAY).problems == ()
    kept = appliance.run(HOUR)
    assert kept.bodies == ()
    assert [problem.authority for problem in kept.problems] == ["bitcoin", "alpha", "beta"]


def test_the_budget_ends_the_work_and_says_so(appliance: Appliance) -> None:
    appliance.clock.step = 2.0
    kept = appliance.run(budget_s=5.0)
    assert len(kept.bodies) == 2
    (problem,) = kept.problems
    assert str(problem) == "rfc3161 by beta: no time was left for it in this run"
    appliance.clock.step = 0.0
    assert states(appliance.run()) == [("rfc3161", "beta", "complete")]


def test_a_calendar_cannot_fill_the_ledger_with_promises(appliance: Appliance) -> None:
    appliance.run()
    appliance.servers["alice"].answer = lambda method, path, body: appliance.alice.answer(
        "POST", "/digest", bytes.fromhex(path.rsplit("/", 1)[1])
    )
    for _ in range(3):
        assert appliance.run(5 * HOUR).bodies == ()


@pytest.mark.parametrize("names", [("Alpha Inc.",), ("",), ("alpha", "beta", "alpha")])
def test_names_that_do_not_say_who_it_was_are_refused(names: tuple[str, ...]) -> None:
    authorities = tuple(Authority(name, "https://a.invalid", b"") for name in names)
    with pytest.raises(InputError, match="no name of one authority"):
        AnchorSettings(authorities=authorities)


def test_nothing_is_wanted_of_whom_is_not_named() -> None:
    settings = AnchorSettings()
    assert settings.ways == ()
    assert AnchorSettings(calendars=("https://a.invalid",)).ways == (
        Way(Method.OPENTIMESTAMPS, BITCOIN),
    )
    view = LedgerView(None, (), START, {})
    assert keep(view, settings, Clock(START + 30 * DAY)) == Kept((), (), {})


def test_old_attempts_are_forgotten(appliance: Appliance) -> None:
    appliance.run()
    assert len(appliance.tried) == 3
    appliance.notes.clear()
    appliance.anchors.clear()
    appliance.run(3 * DAY)
    assert appliance.tried == {}

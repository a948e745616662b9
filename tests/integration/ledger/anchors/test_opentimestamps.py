"""OpenTimestamps against real calendars on loopback that commit to a test chain."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation
from opentimestamps.core.timestamp import Timestamp

from reconciler.errors import InputError, MachineError
from reconciler.ledger.anchors import opentimestamps as ots
from reconciler.ledger.anchors.bitcoin_headers import HeaderFile, Network, read_headers
from reconciler.ledger.anchors.model import BITCOIN, AnchorState, Method, TimeProof
from reconciler.ledger.anchors.ots_file import write_file
from tests.support.anchor_notes import DIGEST
from tests.support.loopback_http import Server
from tests.support.ots_calendar import Calendar, Chain, calendar

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]
VECTORS = Path(__file__).parents[3] / "vectors" / "anchors"


@dataclass
class World:
    """A chain and two calendars."""

    chain: Chain
    alice: Calendar
    bob: Calendar
    servers: tuple[Server, Server]

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    @property
    def headers(self) -> HeaderFile:
        return read_headers(self.chain.text(), "headers", Network.TEST)

    def submit(self, least: int = 2) -> bytes:
        return ots.submit(DIGEST, self.urls, timeout_s=5, min_calendars=least)

    def upgrade(self, proof: bytes) -> bytes | None:
        return ots.upgrade(proof, calendars=self.urls, timeout_s=5)


@pytest.fixture
def world() -> Iterator[World]:
    chain = Chain()
    with calendar(chain) as (alice, one), calendar(chain) as (bob, two):
        yield World(chain, alice, bob, (one, two))


def test_a_digest_is_promised_then_in_a_block_then_proven(world: World) -> None:
    pending = world.submit()
    state = ots.state(pending)
    assert (state.state, state.heights, state.calendars) == (
        AnchorState.PENDING,
        (),
        tuple(sorted(world.urls)),
    )
    assert world.upgrade(pending) is None
    height = world.alice.mine()
    complete = world.upgrade(pending)
    assert complete is not None
    assert ots.state(complete).state is AnchorState.COMPLETE
    assert ots.state(complete).heights == (height,)
    when = datetime.fromtimestamp(world.chain.header(height).nTime, UTC)
    assert ots.verify(complete, DIGEST, world.headers) == TimeProof(
        Method.OPENTIMESTAMPS,
        BITCOIN,
        when,
        f"Bitcoin block {height} of {when:%Y-%m-%dT%H:%M:%SZ} (miners' clocks: ±2 h) commits to it",
    )


def test_the_earliest_of_two_blocks_counts(world: World) -> None:
    pending = world.submit()
    first = world.alice.mine()
    half = world.upgrade(pending)
    assert half is not None
    assert world.upgrade(half) is None
    second = world.bob.mine()
    whole = world.upgrade(half)
    assert whole is not None
    assert ots.state(whole).heights == (first, second)
    proof = ots.verify(whole, DIGEST, world.headers)
    assert proof.not_after == datetime.fromtimestamp(world.chain.header(first).nTime, UTC)
    only_later = read_headers(world.chain.text(second), "headers", Network.TEST)
    proof = ots.verify(whole, DIGEST, only_later)
    assert proof.not_after == datetime.fromtimestamp(world.chain.header(second).nTime, UTC)


def test_pending_proves_nothing(world: World) -> None:
    proof = ots.verify(world.submit(), DIGEST, world.headers)
    assert not proof.proven
    assert proof.detail == f"pending at {', '.join(sorted(world.urls))}"


def test_without_the_header_nothing_is_proven_and_the_block_is_named(world: World) -> None:
    pending = world.submit()
    height = world.alice.mine()
    complete = world.upgrade(pending)
    assert complete is not None
    for headers in (None, read_headers(world.chain.text(height + 1), "headers", Network.TEST)):
        proof = ots.verify(complete, DIGEST, headers)
        assert not proof.proven
        assert proof.detail == f"complete, but no header of block {height} is at hand"


def test_calendars_learn_nothing_not_even_that_it_is_the_same(world: World) -> None:
    world.submit()
    world.submit()
    told = [body for _, _, body in world.servers[0].requests]
    assert [len(body) for body in told] == [32, 32]
    assert len({DIGEST, *told}) == 3


def test_enough_calendars_are_enough_and_too_few_are_too_few(world: World) -> None:
    world.servers[1].misbehave = "status"
    proof = world.submit(least=1)
    assert ots.state(proof).calendars == (world.urls[0],)
    with pytest.raises(MachineError, match=f"fewer than 2 .*{world.urls[1]}: answered.* 503"):
        world.submit(least=2)


def test_only_calendars_on_the_list_are_asked(world: World) -> None:
    world.alice.url = world.urls[1] + "/x"
    proof = ots.submit(DIGEST, [world.urls[0]], timeout_s=5)
    before = [len(server.requests) for server in world.servers]
    with pytest.raises(InputError, match=f"waits for {world.urls[1]}/x, which is not on the list"):
        world.upgrade(proof)
    assert [len(server.requests) for server in world.servers] == before
    with pytest.raises(InputError, match="waits for no calendar"):
        ots.upgrade(write_file(_claim(7)), calendars=world.urls, timeout_s=1)


def test_a_calendar_that_is_gone_does_not_hide_the_other(world: World) -> None:
    pending = world.submit()
    world.servers[0].misbehave = "status"
    world.bob.mine()
    complete = world.upgrade(pending)
    assert complete is not None
    assert ots.state(complete).state is AnchorState.COMPLETE
    world.servers[1].misbehave = "garbage"
    with pytest.raises(MachineError, match="no calendar gave a usable answer"):
        world.upgrade(pending)


def test_a_slash_at_the_end_of_an_address_makes_no_difference(world: World) -> None:
    slashed = [url + "/" for url in world.urls]
    proof = ots.submit(DIGEST, slashed, timeout_s=5, min_calendars=2)
    world.alice.mine()
    assert ots.upgrade(proof, calendars=slashed, timeout_s=5) is not None


@pytest.mark.parametrize("least", [0, -1, 3])
def test_more_calendars_than_there_are_cannot_answer(world: World, least: int) -> None:
    with pytest.raises(InputError, match="calendars must answer"):
        world.submit(least=least)


def test_one_calendar_named_twice_is_one(world: World) -> None:
    with pytest.raises(InputError, match="2 of 2"):
        ots.submit(DIGEST, [world.urls[0]] * 2, timeout_s=1, min_calendars=2)
    with pytest.raises(InputError):
        ots.submit(DIGEST[:31], world.urls, timeout_s=1)


def test_a_claim_about_a_real_block_is_proven_by_real_headers() -> None:
    headers = read_headers((VECTORS / "bitcoin-800000.txt").read_bytes(), "headers")
    header = headers.at(800000)
    assert header is not None
    root = Timestamp(header.hashMerkleRoot)
    root.attestations.add(BitcoinBlockHeaderAttestation(800000))
    proof = ots.verify(write_file(root), root.msg, headers)
    assert proof.not_after == datetime(2023, 7, 24, 3, 17, 9, tzinfo=UTC)


def test_proofs_of_the_world_are_read() -> None:
    complete = ots.state((VECTORS / "block-912095.ots").read_bytes())
    assert (complete.state, complete.heights) == (AnchorState.COMPLETE, (912095,))
    pending = ots.state((VECTORS / "two-calendars.ots").read_bytes())
    assert pending.state is AnchorState.PENDING
    assert pending.calendars == (
        "https://alice.btc.calendar.opentimestamps.org",
        "https://bob.btc.calendar.opentimestamps.org",
    )


def _claim(height: int) -> Timestamp:
    root = Timestamp(DIGEST)
    root.attestations.add(BitcoinBlockHeaderAttestation(height))
    return root

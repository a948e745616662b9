"""Our proofs and those of the stock tools are the same proofs: ``ots`` and ``openssl ts``."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError
from reconciler.ledger.anchors import opentimestamps as ots
from reconciler.ledger.anchors import rfc3161
from reconciler.ledger.anchors.bitcoin_headers import Network, read_headers
from reconciler.ledger.anchors.model import AnchorState
from tests.support.anchor_notes import DIGEST, NOTE
from tests.support.loopback_http import Server, serve
from tests.support.ots_calendar import Calendar, Chain, calendar
from tests.support.rigs import rig
from tests.support.tsa import Tsa, missing

pytestmark = [pytest.mark.conformance, pytest.mark.integration, pytest.mark.enable_socket]
OTS = Path(sys.executable).with_name("ots")


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    rig("OpenTimestamps client", None if OTS.exists() else "no ots beside this Python")
    rig("time stamping authority", missing())


@pytest.fixture
def world() -> Iterator[tuple[Chain, Calendar, Server]]:
    chain = Chain()
    with calendar(chain) as (alice, server):
        yield chain, alice, server


def stock(*arguments: str) -> str:
    """What the stock client says; the exit code, too, is in it."""
    command = [str(OTS), "--no-cache", "--no-default-whitelist", *arguments]
    # It prints dates in local time.
    environment = {**os.environ, "TZ": "UTC"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    return f"{done.stdout}{done.stderr}exit {done.returncode}"


def node(chain: Chain) -> Iterator[Server]:
    """As much of a Bitcoin node as the stock client asks for."""

    def answer(_method: str, _path: str, body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        by_hash = {block.GetHash()[::-1].hex(): block for block in chain.blocks}
        results = {
            "getblockcount": lambda: chain.height,
            "getblockhash": lambda height: chain.header(height).GetHash()[::-1].hex(),
            "getblockheader": lambda key, _verbose: by_hash[key].get_header().serialize().hex(),
        }
        result = results[asked["method"]](*asked["params"])
        return 200, json.dumps({"result": result, "error": None, "id": asked["id"]}).encode()

    with serve(answer) as server:
        yield server


def test_the_stock_client_reads_upgrades_and_verifies_our_proof(
    world: tuple[Chain, Calendar, Server], tmp_path: Path
) -> None:
    chain, alice, server = world
    note, file = tmp_path / "note", tmp_path / "note.ots"
    note.write_bytes(NOTE)
    ours = ots.submit(DIGEST, [server.url], timeout_s=5)
    file.write_bytes(ours)
    told = stock("info", str(file))
    assert f"File sha256 hash: {DIGEST.hex()}" in told
    assert f"verify PendingAttestation('{server.url}')" in told
    height = alice.mine()
    assert "Success! Timestamp complete" in stock("-l", server.url, "upgrade", str(file))
    assert file.read_bytes() == ots.upgrade(ours, calendars=[server.url], timeout_s=5)
    for bitcoin in node(chain):
        url = bitcoin.url.replace("://", "://user:pass@")
        told = stock("--btc-regtest", "--bitcoin-node", url, "verify", str(file))
        note.write_bytes(NOTE + b"\n")
        other = stock("--btc-regtest", "--bitcoin-node", url, "verify", str(file))
    headers = read_headers(chain.text(), "headers", Network.TEST)
    proof = ots.verify(file.read_bytes(), DIGEST, headers)
    assert proof.not_after is not None
    assert f"Success! Bitcoin block {height} attests existence as of 2025-10-10" in told
    assert proof.not_after.date().isoformat() == "2025-10-10"
    assert "File does not match original!" in other


def test_we_read_upgrade_and_verify_what_the_stock_client_stamped(
    world: tuple[Chain, Calendar, Server], tmp_path: Path
) -> None:
    chain, alice, server = world
    note = tmp_path / "note"
    note.write_bytes(NOTE)
    assert stock("stamp", "-c", server.url, "-m", "1", str(note)).endswith("exit 0")
    theirs = (tmp_path / "note.ots").read_bytes()
    assert ots.state(theirs).state is AnchorState.PENDING
    height = alice.mine()
    whole = ots.upgrade(theirs, calendars=[server.url], timeout_s=5)
    assert whole is not None
    headers = read_headers(chain.text(), "headers", Network.TEST)
    when = datetime.fromtimestamp(chain.header(height).nTime, UTC)
    assert ots.verify(whole, DIGEST, headers).not_after == when


@pytest.fixture(scope="module")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tsa, bytes]:
    tsa = Tsa(tmp_path_factory.mktemp("tsa") / "alpha")
    with serve(tsa.answer) as server:
        return tsa, rfc3161.request(NOTE, authority=tsa.authority(server.url), timeout_s=10)


def ours_verifies(tsa: Tsa, token: bytes) -> bool:
    try:
        return rfc3161.verify(token, DIGEST, authority=tsa.authority()).proven
    except EvidenceError:
        return False


def test_openssl_agrees_about_good_tokens_other_data_and_other_roots(
    stamped: tuple[Tsa, bytes], tmp_path: Path
) -> None:
    tsa, token = stamped
    assert tsa.openssl_verifies(token, NOTE)
    assert ours_verifies(tsa, token)
    assert not tsa.openssl_verifies(token, NOTE + b"\n")
    twin = Tsa(tmp_path / "twin", "alpha")
    assert not twin.openssl_verifies(token, NOTE)
    assert not ours_verifies(twin, token)


def test_whatever_openssl_refuses_we_refuse(stamped: tuple[Tsa, bytes]) -> None:
    """The other way round we are stricter: openssl reads more than the one form of DER."""
    tsa, token = stamped
    both = refused = 0
    for at in range(0, len(token), 9):
        forged = bytearray(token)
        forged[at] ^= 0x01
        theirs, ours = tsa.openssl_verifies(bytes(forged), NOTE), ours_verifies(tsa, bytes(forged))
        assert theirs or not ours, at
        both += theirs and ours
        refused += not theirs
    assert refused > 80
    assert both < 5


def test_we_verify_a_query_and_answer_of_the_stock_tools(
    stamped: tuple[Tsa, bytes], tmp_path: Path
) -> None:
    tsa, _ = stamped
    data, query = tmp_path / "data", tmp_path / "query"
    data.write_bytes(NOTE)
    command = ["openssl", "ts", "-query", "-data", str(data), "-sha256", "-cert"]
    subprocess.run([*command, "-out", str(query)], check=True, capture_output=True, timeout=30)
    assert ours_verifies(tsa, tsa.reply(query.read_bytes()))

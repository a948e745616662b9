from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError, InputError
from reconciler.ledger.anchors.bitcoin_headers import (
    MAX_FILE,
    HeaderFile,
    Network,
    header_time,
    read_headers,
)
from tests.support.ots_calendar import Chain

REAL = Path(__file__).parents[3] / "vectors" / "anchors" / "bitcoin-800000.txt"
GENESIS = (
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac7"
    "2c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)


def read(data: bytes, network: Network = Network.TEST) -> HeaderFile:
    return read_headers(data, "headers.txt", network)


def test_real_headers_are_of_the_main_network() -> None:
    headers = read(REAL.read_bytes(), Network.MAIN)
    header = headers.at(800000)
    assert header is not None
    assert header.GetHash()[::-1].hex() == (
        "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054"
    )
    assert header_time(header) == datetime(2023, 7, 24, 3, 17, 9, tzinfo=UTC)
    assert [headers.on_top(height) for height in (799999, 800000, 800001, 800007)] == [8, 7, 6, 0]
    assert headers.at(799999) is None


def test_the_main_network_is_meant_unless_the_caller_says_otherwise() -> None:
    chain = Chain()
    chain.mine()
    assert read(chain.text()).on_top(100) == 1
    with pytest.raises(EvidenceError, match=r"headers.txt:1: .*too easy for the MAIN network"):
        read_headers(chain.text(), "headers.txt")


def test_a_real_header_of_the_first_years_could_be_forged_today() -> None:
    with pytest.raises(EvidenceError, match="too easy"):
        read(f"0 {GENESIS}\n".encode(), Network.MAIN)
    assert read(f"0 {GENESIS}\n".encode()).at(0) is not None


@pytest.mark.parametrize("bits", [0x20FFFFFF, 0x1D800001, 0x20000000, 0xFF7FFFFF, 0x02000000, 0])
def test_a_target_that_is_negative_zero_or_above_the_limit_is_refused(bits: int) -> None:
    header = bytes.fromhex(GENESIS)
    changed = header[:72] + bits.to_bytes(4, "little") + header[76:]
    with pytest.raises(EvidenceError, match="too easy"):
        read(f"0 {changed.hex()}\n".encode())


@pytest.mark.parametrize("at", range(80))
def test_no_byte_of_a_real_header_can_be_changed(at: int) -> None:
    lines = REAL.read_text().splitlines()
    header = bytearray.fromhex(lines[0].split()[1])
    header[at] ^= 0x01
    lines[0] = f"800000 {header.hex()}"
    with pytest.raises(EvidenceError, match=r"headers.txt:1: .*(work for this header|too easy)"):
        read("\n".join([*lines, ""]).encode(), Network.MAIN)


def test_a_header_that_does_not_follow_is_refused() -> None:
    one, other = Chain(), Chain(height=100)
    one.mine([b"a" * 32])
    one.mine()
    other.mine([b"b" * 32])
    mixed = one.text(101, 101) + other.text(100, 100).replace(b"100 ", b"102 ")
    with pytest.raises(EvidenceError, match="102 does not follow header 101"):
        read(mixed)


def test_a_file_may_leave_heights_out_but_they_are_no_confirmations() -> None:
    chain = Chain()
    for _ in range(10):
        chain.mine()
    headers = read(chain.text(100, 103) + chain.text(106, 110))
    assert headers.on_top(100) == 3
    assert headers.on_top(106) == 4
    assert headers.on_top(104) == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty or cut off"),
        (REAL.read_bytes()[:-1], "cut off"),
        (b"\n", "not a height and a header"),
        (REAL.read_bytes() + b"\n", "not a height and a header"),
        (REAL.read_bytes().replace(b"\n", b"\r\n"), "not a height and a header"),
        (REAL.read_bytes().upper(), "not a height and a header"),
        (REAL.read_bytes().replace(b"800000 ", b"0800000 "), "not a height and a header"),
        (REAL.read_bytes().replace(b"800000 ", b"8000000000 "), "not a height and a header"),
        (REAL.read_bytes().replace(b"800001 ", b"800000 "), "do not rise"),
        (REAL.read_bytes().replace(b"800001 ", b"799999 "), "do not rise"),
        ("800000 é\n".encode(), "not ASCII"),
        (b"1" * (MAX_FILE + 1), "larger than"),
    ],
)
def test_another_form_is_refused_and_the_line_named(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(data, Network.MAIN)
    assert str(caught.value).startswith("headers.txt")

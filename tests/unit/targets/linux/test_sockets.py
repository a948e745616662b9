import contextlib
import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.probe import Sockets
from reconciler.targets.linux import bound_sockets as tables
from reconciler.targets.linux.bound_sockets import Bound, is_loopback, read_reply, read_table
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.sockets import sockets, unit_of_cgroup
from tests.support.asking import session

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 24017 1
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22222 1
   2: 0B02000A:0016 0102000A:D431 01 00000000:00000000 02:000A7214 00000000     0        0 24400 4
"""
UDP6 = """\
  sl  local_address                         remote_address                        st tx_queue
 10: 00000000000000000000000001000000:0143 00000000000000000000000000000000:0000 07 0:0 0:0 0 0 0 31
 11: 0000000000000000FFFF00000100007F:0035 00000000000000000000000000000000:0000 07 0:0 0:0 0 0 0 32
 12: B80D0120000000000000000001000000:0044 00000000000000000000000000000000:0000 07 0:0 0:0 0 0 0 33
 13: 00000000000000000000000000000000:0000 00000000000000000000000000000000:0000 07 0:0 0:0 0 0 0 34
"""


class TestTables:
    def test_only_listening_tcp_counts(self) -> None:
        assert list(read_table(TCP, "tcp")) == [
            Bound("tcp", "127.0.0.1", 8443, True, "24017"),
            Bound("tcp", "0.0.0.0", 22, False, "22222"),
        ]

    def test_ipv6_words_and_loopback_in_all_its_forms(self) -> None:
        assert list(read_table(UDP6, "udp")) == [
            Bound("udp", "::1", 323, True, "31"),
            Bound("udp", "::ffff:127.0.0.1", 53, True, "32"),
            Bound("udp", "2001:db8::1", 68, False, "33"),
        ]

    @pytest.mark.parametrize(
        "line", ["garbage", TCP.splitlines()[1].replace("0100007F", "0100"),
                 TCP.splitlines()[1].replace("0100007F", "XX00007F")]
    )  # fmt: skip
    def test_a_line_that_makes_no_sense_is_refused(self, line: str) -> None:
        with pytest.raises(NoAnswer, match="malformed"):
            list(read_table(f"header\n{line}", "tcp"))

    @given(st.binary(max_size=80))
    def test_netlink_replies_are_read_or_refused(self, data: bytes) -> None:
        try:
            found = read_reply(data, "tcp")
            assert found is None or 0 < found.port < 65_536
        except NoAnswer:
            assert len(data) < 72

    @pytest.mark.parametrize(
        ("address", "local"),
        [("127.8.9.1", True), ("128.0.0.1", False), ("::1", True), ("::", False), ("::2", False)],
    )
    def test_loopback(self, address: str, local: bool) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        assert is_loopback(socket.inet_pton(family, address)) is local


@pytest.mark.enable_socket
class TestThisMachine:
    @pytest.fixture
    def mine(self) -> Iterator[set[tuple[str, str, int]]]:
        places = set()
        with contextlib.ExitStack() as stack:
            for kind, name in ((socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")):
                bound = stack.enter_context(socket.socket(socket.AF_INET, kind))
                bound.bind(("127.0.0.1", 0))
                if name == "tcp":
                    bound.listen()
                places.add((name, *bound.getsockname()))
            yield places

    def test_both_ways_to_ask_the_kernel_agree(self, mine: set[tuple[str, str, int]]) -> None:
        asked = session()
        for name, six in tables._TABLES:
            by_netlink = set(tables._diag(asked, name, bool(six)))
            by_file = set(tables._table(asked, name, six))
            own = {b for b in by_file if (b.protocol, b.address, b.port) in mine}
            assert own == {b for b in by_netlink if (b.protocol, b.address, b.port) in mine}
            assert bool(own) is not bool(six)

    def test_an_owner_is_found_and_remembered(self, mine: set[tuple[str, str, int]]) -> None:
        asked = session()
        for _ in range(2):
            rows = sockets(Sockets(), asked).data
            seen = {(row["protocol"], row["address"], row["port"]) for row in rows}
            assert mine <= seen
        held = [
            path for path, _ in asked.owners.values() if path.startswith(f"/proc/{os.getpid()}/")
        ]
        assert len(held) >= 2

    def test_a_socket_that_was_closed_is_forgotten(self, mine: set[tuple[str, str, int]]) -> None:
        asked = session()
        asked.owners["1"] = ("/proc/1/fd/99999", "gone.service")
        sockets(Sockets(), asked)
        assert "1" not in asked.owners


class TestUnits:
    @pytest.mark.parametrize(
        ("text", "unit"),
        [
            ("0::/system.slice/ssh.service\n", "ssh.service"),
            ("0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service"),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n",
                "user@1000.service",
            ),
            ("1:name=systemd:/init.scope\n0::/\n", "init.scope"),
            ("4:memory:/elsewhere/x.service\n0::/\n", None),
            ("0::/system.slice/_cgroup.service\n", "cgroup.service"),
            ("", None),
        ],
    )
    def test_from_the_control_group(self, text: str, unit: str | None) -> None:
        assert unit_of_cgroup(text) == unit

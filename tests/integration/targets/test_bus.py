"""The D-Bus connection against a real dbus-daemon of our own."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from jeepney import DBusAddress, new_signal
from jeepney.io.blocking import open_dbus_connection

from reconciler.targets.linux.bus import Buses, get, value_of
from reconciler.targets.linux.dbus_connection import Connection
from reconciler.targets.linux.dbus_values import Malformed
from reconciler.targets.linux.dbus_wire import Call
from reconciler.targets.linux.no_answer import NoAnswer
from tests.support.rigs import rig

pytestmark = pytest.mark.integration

CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "busconfig.dtd">
<busconfig><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"""
BUS = "org.freedesktop.DBus"
NAMES = Call(BUS, "/org/freedesktop/DBus", BUS, "ListNames")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[str]:
    """The socket of a bus."""
    rig("message bus", None if shutil.which("dbus-daemon") else "dbus-daemon is not installed")
    path = tmp_path / "bus"
    (tmp_path / "bus.conf").write_text(CONFIG.format(path=path))
    argv = ("dbus-daemon", "--nofork", f"--config-file={tmp_path}/bus.conf")
    with subprocess.Popen(argv) as process:
        deadline = time.monotonic() + 10
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        yield str(path)
        process.terminate()


def soon() -> float:
    return time.monotonic() + 30


class TestConnection:
    def test_many_calls_at_once_come_back_in_order(self, daemon: str) -> None:
        bus = Connection(daemon, daemon=True, deadline=soon())
        owner = [
            Call(BUS, "/org/freedesktop/DBus", BUS, "NameHasOwner", "s", (f"a.b{n}",))
            for n in range(150)
        ]
        replies = bus.call_all([NAMES, *owner, NAMES], soon())
        bus.close()
        assert [reply.kind for reply in replies] == [2] * 152
        assert BUS in replies[0].body[0]
        assert [reply.body for reply in replies[1:-1]] == [(False,)] * 150

    def test_an_error_of_one_call_is_its_own(self, daemon: str) -> None:
        bus = Connection(daemon, daemon=True, deadline=soon())
        replies = bus.call_all([Call(BUS, "/", BUS, "NoSuchThing"), NAMES], soon())
        bus.close()
        assert replies[0].error == "org.freedesktop.DBus.Error.UnknownMethod"
        assert replies[1].error == ""

    def test_a_signal_is_waited_for(self, daemon: str) -> None:
        bus = Connection(daemon, daemon=True, deadline=soon(), listen=True)
        match = Call(BUS, "/org/freedesktop/DBus", BUS, "AddMatch", "s", ("member='Gone'",))
        assert bus.call_all((match,), soon())[0].error == ""
        emitter = DBusAddress("/org/example", interface="org.example.Face")
        with open_dbus_connection(f"unix:path={daemon}") as other:
            for number in (1, 2):
                other.send(new_signal(emitter, "Gone", "u", (number,)))
            assert bus.wait_signal(lambda m: m.body == (2,), soon()).member == "Gone"
        bus.close()

    def test_a_signal_that_does_not_come_is_not_waited_for_for_ever(self, daemon: str) -> None:
        bus = Connection(daemon, daemon=True, deadline=soon(), listen=True)
        with pytest.raises(TimeoutError):
            bus.wait_signal(lambda _: True, time.monotonic() + 0.1)
        bus.close()


class TestBuses:
    def test_a_property_and_what_is_missing(self, daemon: str) -> None:
        buses = Buses(private="/nowhere", system=daemon)
        features = get(BUS, "/org/freedesktop/DBus", BUS, "Features")
        nobody = get("org.example.No", "/", "org.example.No", "X")
        reply, missing = buses.ask((features, nobody), soon())
        assert isinstance(value_of(reply), list)
        with pytest.raises(NoAnswer) as absent:
            value_of(missing)
        assert absent.value.status == "absent"
        buses.close()

    def test_a_broken_connection_is_opened_again_once(self, daemon: str) -> None:
        buses = Buses(private="/nowhere", system=daemon)
        buses.ask((NAMES,), soon())
        buses.connection(BUS, soon())._socket.shutdown(2)
        assert buses.ask((NAMES,), soon())[0].error == ""
        buses.close()

    def test_connections_rest_open_only_where_rounds_come_often(self, daemon: str) -> None:
        buses = Buses(private="/nowhere", system=daemon)
        buses.ask((NAMES,), soon())
        buses.rest()
        assert buses._open
        buses._rested_at -= 3600
        buses.wake()
        buses.ask((NAMES,), soon())
        buses.rest()
        assert not buses._open


class TestTrouble:
    def reason(self, path: str) -> tuple[str, str]:
        with pytest.raises(NoAnswer) as refused:
            Buses(private="/nowhere", system=path).ask((NAMES,), time.monotonic() + 0.3)
        return refused.value.status, refused.value.reason

    def answering(self, path: Path, answers: list[bytes]) -> None:
        """A bus that says these bytes, one for each thing that it hears, to anybody."""
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            with listening:
                for _ in range(2):
                    listening.settimeout(2)
                    try:
                        peer, _ = listening.accept()
                    except TimeoutError:
                        return
                    # Who gives up on us hangs up while we still talk.
                    with peer, suppress(OSError):
                        for answer in answers:
                            peer.recv(4096)
                            peer.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()

    def test_no_bus(self, tmp_path: Path) -> None:
        assert self.reason(f"{tmp_path}/nope") == ("unsupported", "D-Bus: no system bus")

    def test_a_bus_that_says_nothing(self, tmp_path: Path) -> None:
        self.answering(tmp_path / "bus", [b"OK 1234\r\n", b"", b""])
        status, reason = self.reason(f"{tmp_path}/bus")
        assert status in {"timeout", "error"}
        assert reason.startswith("D-Bus: ")

    def test_a_bus_that_refuses_us(self, tmp_path: Path) -> None:
        self.answering(tmp_path / "bus", [b"REJECTED EXTERNAL\r\n"])
        assert self.reason(f"{tmp_path}/bus")[0] == "denied"

    @pytest.mark.parametrize("garbage", [b"x" * 64, b"l\2\0\1" + b"\xff" * 60])
    def test_a_bus_that_talks_nonsense(self, tmp_path: Path, garbage: bytes) -> None:
        self.answering(tmp_path / "bus", [b"OK 1234\r\n", garbage])
        assert self.reason(f"{tmp_path}/bus")[0] == "error"

    def test_a_greeting_without_an_end(self, tmp_path: Path) -> None:
        self.answering(tmp_path / "bus", [b"x" * 9000])
        assert self.reason(f"{tmp_path}/bus")[0] == "error"


def test_malformed_is_not_an_operating_system_error() -> None:
    assert not issubclass(Malformed, OSError)

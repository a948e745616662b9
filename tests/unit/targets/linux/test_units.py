import pytest

from reconciler.model.probe import UnitStatus
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.socket_units import places
from reconciler.targets.linux.units import by_name, is_unit_name, type_interface, unit_path
from tests.support.asking import ask


class TestNames:
    @pytest.mark.parametrize(
        "name", ["ssh.service", "-.mount", "getty@tty1.service", "a:b_c\\x2d.timer", "x.slice"]
    )
    def test_names(self, name: str) -> None:
        assert is_unit_name(name)

    @pytest.mark.parametrize(
        "name", ["", "ssh", ".service", "getty@.service", "a b.service", "a/b.service", "x.exe",
                 "ssh.service\n", "a" * 260 + ".service", "--now.service\0"]
    )  # fmt: skip
    def test_no_names(self, name: str) -> None:
        assert not is_unit_name(name)

    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("ssh.service", "ssh_2eservice"),
            ("-.mount", "_2d_2emount"),
            ("1st.service", "_31st_2eservice"),
            ("a1@b.timer", "a1_40b_2etimer"),
        ],
    )
    def test_paths_are_escaped_as_systemd_does(self, name: str, path: str) -> None:
        assert unit_path(name) == f"/org/freedesktop/systemd1/unit/{path}"

    def test_interfaces(self) -> None:
        assert type_interface("a.b.automount") == "org.freedesktop.systemd1.Automount"


class TestWithoutSystemd:
    def test_a_bad_name_is_refused_before_anybody_is_asked(self) -> None:
        answer = ask(UnitStatus(("ssh",)))
        assert (answer.status, answer.reason) == ("error", "'ssh' is not a unit name")


class TestSocketUnits:
    def test_internet_addresses_only(self) -> None:
        listen = [
            ["Stream", "[::]:22"],
            ["Datagram", "0.0.0.0:69"],
            ["Stream", "/run/x.sock"],
            ["Stream", "vsock:2:22"],
            ["FIFO", "/run/fifo"],
        ]
        found = places(listen)
        assert ("tcp", "::", 22) in found
        assert ("udp", "0.0.0.0", 69) in found
        assert not [place for place in found if place[1].startswith("/")]


def test_a_reply_that_is_short_one_unit_is_an_error() -> None:
    with pytest.raises(NoAnswer, match="left out a unit"):
        by_name(["a.service", "b.service"], [["a.service"]])

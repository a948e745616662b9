import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from tests.support.policy import CHECKS, STEPS, base_files

HOST = "hosts/clinic/desk.yaml"
CLIENT = "hosts/clinic/client.yaml"


def messages(path, old, new):
    files = base_files()
    assert old.encode() in files[path]
    files[path] = files[path].replace(old.encode(), new.encode())
    return [problem.message for problem in check_fleet(read_fleet(files), CHECKS, STEPS)]


@pytest.mark.parametrize(
    "text",
    ["unit:ssh.service", "unit:getty@tty1.service", "port:udp/51820", "file:/etc/ssh/sshd_config"],
)
def test_access_paths_in_the_words_of_steps(text):
    assert messages(HOST, "[unit:ssh.service, port:tcp/22]", f'["{text}"]') == []


@pytest.mark.parametrize(
    "text",
    [
        "ssh",
        "unit:ssh",
        "port:22",
        "port:tcp/0",
        "port:tcp/65536",
        "file:etc/x",
        "host:a",
        "port:a/",
    ],
)
def test_other_access_paths_protect_nothing_and_are_refused(text):
    found = messages(HOST, "[unit:ssh.service, port:tcp/22]", f'["{text}"]')
    assert found == [f"{text!r} is no part of an access path"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia"])
def test_time_zones_that_exist(zone):
    assert messages(CLIENT, "America/New_York", zone) == []


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "America", "../../etc/passwd", "/etc/localtime", "EST5EDT4", "''"]
)
def test_time_zones_that_do_not(zone):
    found = messages(CLIENT, "America/New_York", zone)
    assert len(found) == 1
    assert found[0].startswith("there is no time zone")


def test_root_may_administer_without_being_declared():
    assert messages(HOST, "admins: [alice]", "admins: [alice, root]") == []


def test_a_rule_with_a_faulty_override_is_not_tried():
    overrides = "overrides: {idle: {params: {limit: 0}, reason: x}}\ndeclares:"
    assert messages(HOST, "declares:", overrides) == ["0 is below 1"]


def test_many_hosts_are_checked_quickly():
    import time

    files = base_files()
    for number in range(200):
        files[f"hosts/clinic/desk-{number}.yaml"] = files[HOST].replace(
            b"id: desk", f"id: desk-{number}".encode()
        )
    started = time.perf_counter()
    assert check_fleet(read_fleet(files), CHECKS, STEPS) == []
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("kind", ["nixos", "linux"])
def test_two_systems_of_one_flake_have_two_names(kind):
    files = base_files()
    client = files[CLIENT].replace(b"id: clinic", b"id: clinic-east")
    host = files[HOST].replace(b"kind: linux", f"kind: {kind}".encode())
    files |= {
        "hosts/clinic-east/client.yaml": client,
        "hosts/clinic-east/desk.yaml": host,
        "hosts/clinic/east-desk.yaml": host.replace(b"id: desk", b"id: east-desk"),
    }
    found = [problem.message for problem in check_fleet(read_fleet(files), CHECKS, STEPS)]
    same = "the flake calls it clinic-east-desk, as it does clinic-east/desk"
    assert (same in found) == (kind == "nixos"), found

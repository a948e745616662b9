import pytest

from reconciler.checks.parsing.sshd_log import LogIns, count


def test_a_quiet_hour_has_no_failure() -> None:
    messages = [
        "Server listening on 0.0.0.0 port 22.",
        'Connection from 192.0.2.1 port 42216 on 192.0.2.50 port 22 rdomain ""',
        "Accepted publickey for ada from 192.0.2.1 port 42216 ssh2: ED25519 SHA256:VzV23r95",
        "pam_unix(sshd:session): session opened for user ada(uid=1000) by (uid=0)",
    ]

    assert count(messages) == LogIns(0, 0, 0, 0)


def test_each_refused_password_is_a_failure() -> None:
    messages = ["Failed password for root from 192.0.2.66 port 50000 ssh2" for _ in range(3)] + [
        "Failed password for invalid user oracle from 198.51.100.7 port 4000 ssh2"
    ]

    assert count(messages) == LogIns(
        failures=4, sources=2, worst_source=3, accepted_after_failures=0
    )


def test_one_connection_of_a_stranger_is_one_failure() -> None:
    messages = [
        "Invalid user bob from 192.0.2.1 port 42140",
        "Failed password for invalid user bob from 192.0.2.1 port 42140 ssh2",
        "Connection closed by invalid user bob 192.0.2.1 port 42140 [preauth]",
    ]

    assert count(messages) == LogIns(1, 1, 1, 0)


def test_a_key_only_server_shows_its_failures_when_the_client_gives_up() -> None:
    messages = [
        f"Connection closed by authenticating user root 192.0.2.1 port {port} [preauth]"
        for port in (1, 2, 3)
    ]

    assert count(messages) == LogIns(3, 1, 3, 0)


def test_a_success_after_many_failures_is_told_apart_from_a_slip() -> None:
    guessing = ["Failed password for ada from 192.0.2.66 port 1 ssh2"] * 5
    slipping = ["Failed password for bob from 192.0.2.9 port 2 ssh2"]
    let_in = [
        "Accepted password for ada from 192.0.2.66 port 3 ssh2",
        "Accepted password for bob from 192.0.2.9 port 4 ssh2",
    ]

    with_a_key = ["Accepted publickey for ada from 192.0.2.66 port 3 ssh2: ED25519 SHA256:VzV2"]

    assert count(guessing + slipping + let_in).accepted_after_failures == 1
    assert count(guessing + with_a_key).accepted_after_failures == 0
    assert count(let_in + guessing).accepted_after_failures == 0


@pytest.mark.parametrize(
    "name", ["x from 203.0.113.9 port 22 ssh2", "Accepted password for root", "x port 1", "", " "]
)
def test_a_user_name_cannot_move_the_blame(name: str) -> None:
    message = f"Failed password for invalid user {name} from 192.0.2.66 port 50000 ssh2"

    seen = count([message, "Failed password for root from 192.0.2.66 port 50000 ssh2"])

    assert seen == LogIns(failures=2, sources=1, worst_source=2, accepted_after_failures=0)


def test_ipv6_addresses_are_addresses() -> None:
    assert count(["Failed password for root from 2001:db8::1 port 9 ssh2"]).sources == 1

import pytest

from reconciler.checks.linux.lnx_aud_001 import CHECK, COMMAND_LINE, DAEMON, STATUS
from reconciler.checks.parsing.container import CONTAINER
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.check import NotApplicable
from reconciler.model.probe import Probe
from tests.support.looking import absent_unit, ok, see, unit, values

KERNEL = {"enabled": 1, "failure": 1, "pid": 412, "backlog_limit": 8192, "lost": 0}


def answers(command_line: str = "quiet audit=1 audit_backlog_limit=8192\n") -> dict[Probe, Answer]:
    return {
        STATUS: ok(KERNEL),
        DAEMON: ok({"auditd.service": unit()}),
        COMMAND_LINE: ok(command_line),
        CONTAINER: Answer("absent"),
    }


def test_kernel_daemon_and_boot_options_are_told() -> None:
    assert values(CHECK, answers()) == {
        "enabled": 1,
        "failure": 1,
        "backlog_limit": 8192,
        "lost": 0,
        "reader_connected": True,
        "auditd": "active",
        "boot_audit": 1,
        "boot_backlog_limit": 8192,
    }


@pytest.mark.parametrize(
    ("command_line", "boot_audit"),
    [
        ("quiet\n", None),
        ("audit=1 audit=0\n", 0),
        ("audit=off\n", 0),
        ("audit=on\n", 1),
        ("noaudit=1 xaudit=1\n", None),
    ],
)
def test_the_last_boot_option_counts(command_line: str, boot_audit: int | None) -> None:
    assert values(CHECK, answers(command_line))["boot_audit"] == boot_audit


def test_an_active_unit_without_a_reader_is_told_apart() -> None:
    seen = values(CHECK, {**answers(), STATUS: ok({**KERNEL, "pid": 0})})

    assert (seen["auditd"], seen["reader_connected"]) == ("active", False)


def test_a_machine_without_auditd_says_so() -> None:
    seen = values(CHECK, {**answers(), DAEMON: ok({"auditd.service": absent_unit()})})

    assert seen["auditd"] == "inactive"


def test_in_a_container_it_does_not_apply() -> None:
    refused = Answer("denied", reason="needs CAP_AUDIT_CONTROL")
    seen = see(CHECK, {**answers(), STATUS: refused, CONTAINER: ok("systemd-nspawn\n")})

    assert isinstance(seen, NotApplicable)


@pytest.mark.parametrize(
    "broken",
    [
        {STATUS: Answer("denied", reason="needs root")},
        {STATUS: Answer("unsupported", reason="the kernel has no audit")},
        {COMMAND_LINE: ok("audit=maybe\n")},
        {DAEMON: Answer("error", reason="no bus")},
    ],
)
def test_what_was_not_seen_is_unobservable(broken: dict[Probe, Answer]) -> None:
    with pytest.raises(Unobservable):
        see(CHECK, {**answers(), **broken})

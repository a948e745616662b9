"""Who may say what: any user can write any line into the journal."""

import pytest

from reconciler.model.event import EVENTS, KINDS, Sighting, recognise

GENUINE = {
    "unit-failed": {
        "MESSAGE_ID": "d9b373ed55a64feb8242e02dbe79a49c",
        "_PID": "1",
        "UNIT": "portal.service",
        "PRIORITY": "4",
    },
    "out-of-memory": {
        "MESSAGE_ID": "fe6faa94e7774663a0da52717891d8ef",
        "_PID": "1",
        "UNIT": "portal.service",
        "PRIORITY": "5",
    },
    "core-dump": {
        "MESSAGE_ID": "fc2e22bc6ee647b6b90729ab34a250b1",
        "_SYSTEMD_UNIT": "systemd-coredump@3-911-0.service",
        "COREDUMP_UNIT": "portal.service",
        "PRIORITY": "2",
    },
    "messages-lost": {"MESSAGE_ID": "a596d6fe7bfa4994828e72309e95d61e", "_TRANSPORT": "driver"},
    "time-changed": {"MESSAGE_ID": "c7a787079b354eaaa9e77b371893cd27", "_PID": "1"},
    "storage-error": {"_TRANSPORT": "kernel", "_KERNEL_SUBSYSTEM": "block", "PRIORITY": "3"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_recognised_from_who_may_say_it(kind):
    unit = "portal.service" if EVENTS[kind].unit else ""
    assert recognise(kind, GENUINE[kind], 7) == Sighting(7, kind, unit)
    others = [other for other in KINDS if other != kind]
    assert [other for other in others if recognise(other, GENUINE[kind], 7)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_words_from_somebody_else_are_nothing(kind):
    sender, _wanted = EVENTS[kind].sender
    for said in ("", "4711", "syslog", "systemd-coredump-x@1.service", "user@1000.service"):
        assert recognise(kind, GENUINE[kind] | {sender: said}, 7) is None
    without = {name: value for name, value in GENUINE[kind].items() if name != sender}
    assert recognise(kind, without, 7) is None


@pytest.mark.parametrize("kind", KINDS)
def test_another_message_or_a_priority_that_is_none_is_nothing(kind):
    changed = "_KERNEL_SUBSYSTEM" if kind == "storage-error" else "MESSAGE_ID"
    assert recognise(kind, GENUINE[kind] | {changed: "0" * 32}, 7) is None
    for priority in ("", "-1", "x", "\uff19", "99"):
        assert recognise(kind, GENUINE[kind] | {"PRIORITY": priority}, 7) is None


def test_a_warning_of_the_kernel_is_no_error():
    assert recognise("storage-error", GENUINE["storage-error"] | {"PRIORITY": "4"}, 7) is None


def test_a_unit_is_cut():
    long = GENUINE["unit-failed"] | {"UNIT": "x" * 5000}
    seen = recognise("unit-failed", long, 7)
    assert seen is not None
    assert len(seen.unit) == 256

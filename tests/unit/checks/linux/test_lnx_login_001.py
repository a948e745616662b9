import json

import pytest

from reconciler.checks.linux.lnx_login_001 import CHECK, ENTRIES, LINES, SERVERS
from reconciler.checks.parsing.journal_header import IN_MEMORY, ON_DISK
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.check import NotApplicable
from reconciler.model.probe import Probe
from tests.support.looking import absent_unit, ok, ran, see, unit, values

JOURNAL = {
    "path": "/var/log/journal/8858fc849edc410a87bc217fbb4a87db/system.journal",
    "status": "ok",
    "hex": (b"LPKSHHRH" + bytes(200)).hex(),
}
FAILED = "Failed password for root from 192.0.2.66 port 50000 ssh2"


def answers(*messages: object, stderr: str = "") -> dict[Probe, Answer]:
    lines = "".join(json.dumps({"__CURSOR": "s=1", "MESSAGE": m}) + "\n" for m in messages)
    return {
        ENTRIES: ran(lines, stderr=stderr),
        ON_DISK: ok([JOURNAL]),
        IN_MEMORY: ok([]),
        SERVERS: ok(dict.fromkeys(SERVERS.units, absent_unit()) | {"ssh.service": unit()}),
    }


def test_failures_are_counted_and_nobody_is_named() -> None:
    told = values(CHECK, answers(FAILED, FAILED, "Server listening on 0.0.0.0 port 22."))

    assert told == {
        "failures": 2,
        "sources": 1,
        "worst_source": 2,
        "accepted_after_failures": 0,
        "cut": False,
    }


def test_a_flood_is_counted_up_to_a_bound_and_says_so() -> None:
    told = values(CHECK, answers(*[FAILED] * LINES))

    assert (told["failures"], told["cut"]) == (LINES, True)


def test_a_message_in_bytes_is_passed_over() -> None:
    assert values(CHECK, answers([255, 254], FAILED))["failures"] == 1


def test_without_any_ssh_server_it_does_not_apply() -> None:
    none = ok(dict.fromkeys(SERVERS.units, absent_unit()))

    assert isinstance(see(CHECK, answers() | {SERVERS: none}), NotApplicable)


def test_without_a_bus_the_journal_still_answers() -> None:
    given = answers(FAILED) | {SERVERS: Answer("error", reason="no bus")}

    assert values(CHECK, given)["failures"] == 1


@pytest.mark.parametrize(
    "broken",
    [
        {ON_DISK: ok([])},
        {ON_DISK: ok([JOURNAL | {"status": "denied", "hex": ""}])},
        {IN_MEMORY: ok([JOURNAL | {"status": "denied", "hex": ""}])},
        {ON_DISK: ok([JOURNAL | {"hex": "00" * 208}])},
        {ENTRIES: ran("", status=1, stderr="No journal files were opened")},
        {ENTRIES: ran("", stderr="Journal file system.journal is truncated, ignoring file.")},
        {ENTRIES: ran("not json\n")},
        {ENTRIES: ran("[]\n")},
        {ENTRIES: Answer("error", reason="more than 8388608 bytes")},
        {ENTRIES: Answer("timeout", reason="20 s")},
    ],
)
def test_a_journal_that_was_not_seen_whole_is_unobservable(broken: dict[Probe, Answer]) -> None:
    with pytest.raises(Unobservable):
        see(CHECK, answers(FAILED) | broken)

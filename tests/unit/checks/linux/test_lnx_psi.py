import pytest

from reconciler.checks.linux import lnx_psi_001, lnx_psi_002
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.probe import Probe
from tests.support.looking import ok, values

SOME = "some avg10=99.00 avg60=80.99 avg300=61.50 total=12623743\n"
FULL = "full avg10=0.00 avg60=12.00 avg300=3.00 total=9\n"
MEMORY: dict[Probe, Answer] = {
    lnx_psi_002.MEMORY: ok(SOME + FULL),
    lnx_psi_002.COUNTERS: ok("nr_free_pages 1\noom_kill 3\ndrop_pagecache 0\n"),
}


def test_shares_are_whole_percent_rounded_down() -> None:
    assert values(lnx_psi_001.CHECK, {lnx_psi_001.CPU: ok(SOME + FULL)}) == {
        "some_avg60_percent": 80,
        "some_avg300_percent": 61,
    }


def test_memory_has_stalls_and_kills() -> None:
    assert values(lnx_psi_002.CHECK, MEMORY) == {
        "full_avg60_percent": 12,
        "some_avg60_percent": 80,
        "oom_kills": 3,
    }


@pytest.mark.parametrize(
    "broken",
    [
        {lnx_psi_002.MEMORY: ok(SOME)},
        {lnx_psi_002.MEMORY: Answer("absent")},
        {lnx_psi_002.COUNTERS: ok("nr_free_pages 1\n")},
        {lnx_psi_002.COUNTERS: ok("oom_kill many\n")},
        {lnx_psi_002.COUNTERS: ok("oom_kill 1\noom_kill 2\n")},
    ],
)
def test_what_was_not_seen_is_unobservable(broken: dict[Probe, Answer]) -> None:
    with pytest.raises(Unobservable):
        values(lnx_psi_002.CHECK, MEMORY | broken)

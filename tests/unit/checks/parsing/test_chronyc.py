from typing import Any

import pytest

from reconciler.checks.parsing.chronyc import SOURCES, TRACKING, sources, tracking
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.probe import Command

# chronyc 4.3, three servers.
REPORT = (
    "C000020C,192.0.2.12,3,1795401793.020364140,{offset},0.000001109,0.000005222,"
    "-11.789,0.136,16.347,0.001241144,0.001015745,0.5,{leap}\n"
)
LIST = (
    "^,-,192.0.2.11,2,0,17,1,-0.000033644,-0.000033644,0.001648722\n"
    "^,*,192.0.2.12,2,-1,177,1,-0.000012720,-0.000011611,0.001632012\n"
    "^,x,192.0.2.13,2,-1,377,0,-0.000008430,-0.000008430,0.001625172\n"
    "^,?,192.0.2.14,0,6,0,4294967295,0.000000000,0.000000000,0.000000000\n"
)


def said(probe: Command, stdout: str, status: int = 0) -> Answers:
    data: Any = {"exit": status, "stdout": stdout, "stderr": ""}
    return Answers({probe: Answer("ok", data)})


@pytest.mark.parametrize(
    ("offset", "offset_us"), [("0.000124636", 124), ("-300.000000001", 300_000_000), ("0", 0)]
)
def test_the_offset_has_no_sign_and_is_in_microseconds(offset: str, offset_us: int) -> None:
    report = REPORT.format(offset=offset, leap="Normal")

    assert tracking(said(TRACKING, report)) == {"synchronised": True, "offset_us": offset_us}


def test_a_daemon_without_a_source_is_not_synchronised() -> None:
    report = REPORT.format(offset="0.0", leap="Not synchronised")

    assert tracking(said(TRACKING, report))["synchronised"] is False


def test_sources_count_when_they_answered_lately() -> None:
    assert sources(said(SOURCES, LIST)) == {"reachable_sources": 3, "falsetickers": 1}


def test_no_source_is_seen_as_none() -> None:
    assert sources(said(SOURCES, "")) == {"reachable_sources": 0, "falsetickers": 0}


@pytest.mark.parametrize(
    "report",
    [
        "",
        "506 Cannot talk to daemon\n",
        REPORT.format(offset="nan", leap="Normal"),
        REPORT.format(offset="inf", leap="Normal"),
        REPORT.format(offset="1e30", leap="Normal"),
        REPORT.format(offset="x", leap="Normal"),
        REPORT.format(offset="0.0", leap="Fine"),
        REPORT.format(offset="0.0", leap="Normal") * 2,
    ],
)
def test_another_tracking_report_is_unobservable(report: str) -> None:
    with pytest.raises(Unobservable):
        tracking(said(TRACKING, report))


@pytest.mark.parametrize(
    "line",
    ["^,*,192.0.2.12", "^,!,a,2,-1,177,1,0,0,0", "^,*,a,2,-1,999,1,0,0,0", "^,*,a,2,-1,,1,0,0,0"],
)
def test_another_list_of_sources_is_unobservable(line: str) -> None:
    with pytest.raises(Unobservable):
        sources(said(SOURCES, line + "\n"))


def test_a_daemon_that_does_not_answer_is_unobservable() -> None:
    with pytest.raises(Unobservable, match="exit 1"):
        tracking(said(TRACKING, "506 Cannot talk to daemon\n", status=1))

import json
from typing import Any

import pytest

from reconciler.checks.linux.lnx_bkp_001 import CHECK, HOST_NAME
from reconciler.checks.parsing.shapes import NOW
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.probe import Command, Probe, UnitStatus
from tests.support.looking import absent_unit, ok, ran, unit, values

JOB = {
    "job": "nightly",
    "repository": "/var/backups/nightly",
    "password_file": "/etc/restic/nightly.password",
    "unit": "restic-backups-nightly.service",
}
LIST = next(probe for probe in CHECK.probes(JOB) if isinstance(probe, Command))
SERVICE, TIMER = "restic-backups-nightly.service", "restic-backups-nightly.timer"
UNITS = UnitStatus((SERVICE, TIMER))
NOON = 1_795_435_200
"""2026-11-23 12:00 UTC."""


def snapshot(time: str, host: str = "frontdesk", **other: Any) -> dict[str, Any]:
    return {
        "time": time,
        "hostname": host,
        "id": "ab" * 32,
        "paths": ["/srv/clinic/Smith John 1950"],
        **other,
    }


def answers(*snapshots: dict[str, Any]) -> dict[Probe, Answer]:
    return {
        LIST: ran(json.dumps(list(snapshots))),
        UNITS: ok({SERVICE: unit("inactive"), TIMER: unit()}),
        HOST_NAME: ok("frontdesk\n"),
        NOW: ok({"unix_s": NOON}),
    }


def test_the_newest_snapshot_of_this_host_counts() -> None:
    given = answers(
        snapshot("2026-11-21T02:30:00Z"),
        snapshot("2026-11-23T02:30:00.5Z", id="cd" * 32),
        snapshot("2026-11-23T11:59:00Z", host="elsewhere"),
    )

    assert values(CHECK, given, **JOB) == {
        "snapshot": "cd" * 8,
        "snapshot_age_h": 9,
        "unit_state": "loaded",
        "unit_result": "success",
        "timer_active": True,
        "repository_elsewhere": False,
    }


@pytest.mark.parametrize("listing", ["[]", "null"])
def test_an_empty_repository_has_no_snapshot(listing: str) -> None:
    seen = values(CHECK, answers() | {LIST: ran(listing)}, **JOB)

    assert (seen["snapshot"], seen["snapshot_age_h"]) == (None, None)


def test_a_snapshot_of_another_host_does_not_count() -> None:
    other = answers(snapshot("2026-11-23T02:30:00Z", host="elsewhere"))

    assert values(CHECK, other, **JOB)["snapshot_age_h"] is None
    assert values(CHECK, other, **JOB, snapshot_host="elsewhere")["snapshot_age_h"] == 9


def test_a_job_with_a_tag_is_not_covered_by_another_job() -> None:
    given = answers(
        snapshot("2026-11-23T11:00:00Z", tags=["weekly"]),
        snapshot("2026-11-22T11:00:00Z", tags=["nightly", "x"]),
        snapshot("2026-11-23T11:30:00Z", tags=None),
    )

    assert values(CHECK, given, **JOB, tag="nightly")["snapshot_age_h"] == 25


def test_names_of_files_stay_in_the_parser() -> None:
    assert "Smith" not in str(values(CHECK, answers(snapshot("2026-11-23T02:30:00Z")), **JOB))


def test_the_look_neither_locks_the_repository_nor_shows_the_password() -> None:
    assert "--no-lock" in LIST.argv
    assert "--no-cache" in LIST.argv
    assert not any("password" in argument for argument in LIST.argv)
    assert LIST.environment == (("RESTIC_PASSWORD_FILE", "/etc/restic/nightly.password"),)


def test_a_job_without_a_timer_says_so() -> None:
    units = ok({SERVICE: unit("inactive"), TIMER: absent_unit()})

    assert values(CHECK, answers() | {UNITS: units}, **JOB)["timer_active"] is None


@pytest.mark.parametrize(
    ("repository", "elsewhere"),
    [
        ("rest:https://backup.example/", True),
        ("sftp:clinic@backup.example:/srv", True),
        ("s3:s3.example/bucket", True),
        ("/mnt/usb/restic", False),
    ],
)
def test_a_repository_on_another_machine_is_told_apart(repository: str, elsewhere: bool) -> None:
    job = JOB | {"repository": repository}
    listing = next(probe for probe in CHECK.probes(job) if isinstance(probe, Command))

    seen = values(CHECK, answers() | {listing: ran("[]")}, **job)

    assert seen["repository_elsewhere"] is elsewhere


@pytest.mark.parametrize(
    "repository", ["rest:https://u:secret@backup.example/", "--password-command=x"]
)
def test_a_location_with_a_password_or_an_option_is_refused(repository: str) -> None:
    assert CHECK.params["repository"].problem(repository) is not None


@pytest.mark.parametrize(
    "broken",
    [
        {LIST: ran("", status=1, stderr="Fatal: wrong password")},
        {LIST: Answer("absent", reason="restic is not installed")},
        {LIST: Answer("timeout", reason="60 s")},
        {LIST: ran("")},
        {LIST: ran("{}")},
        {LIST: ran('[{"time": "soon", "hostname": "frontdesk", "id": ""}]')},
        {LIST: ran(json.dumps([snapshot("2027-11-23T02:30:00Z")]))},
        {LIST: ran(json.dumps([snapshot("2026-11-23T02:30:00Z", id="../../etc")]))},
        {HOST_NAME: Answer("denied", reason="no")},
        {NOW: Answer("error", reason="no clock")},
    ],
)
def test_what_was_not_seen_is_unobservable(broken: dict[Probe, Answer]) -> None:
    given = answers(snapshot("2026-11-23T02:30:00Z")) | broken

    with pytest.raises(Unobservable):
        values(CHECK, given, **JOB)

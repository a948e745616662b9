from typing import Any

import pytest

from reconciler.checks.linux.lnx_log_001 import CHECK, FILES, MACHINE_ID
from reconciler.checks.parsing.journal_header import ON_DISK as HEADS
from reconciler.checks.parsing.shapes import NOW
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.probe import Probe, ReadFile, ReadGlob
from tests.support.looking import ok, values

MACHINE = "8858fc849edc410a87bc217fbb4a87db"
NOW_S = 1_795_401_772


def file(path: str, size: int = 8 * 1024 * 1024) -> dict[str, Any]:
    return {
        "path": path,
        "type": "file",
        "mode": 0o640,
        "uid": 0,
        "gid": 999,
        "size": size,
        "mtime": 0,
    }


def head(age_h: int, newest_min: int, name: str = "system.journal") -> dict[str, str]:
    data = bytearray(208)
    data[:8] = b"LPKSHHRH"
    data[152] = 1
    data[184:192] = ((NOW_S - age_h * 3600) * 1_000_000).to_bytes(8, "little")
    data[192:200] = ((NOW_S - newest_min * 60) * 1_000_000).to_bytes(8, "little")
    path = f"/var/log/journal/{MACHINE}/{name}"
    return {"path": path, "status": "ok", "hex": data.hex()}


def answers(
    conf: str = "", files: tuple[str, ...] = (), heads: tuple[Any, ...] = ()
) -> dict[Probe, Answer]:
    given: dict[Probe, Answer] = {}
    for probe in CHECK.probes({}):
        if isinstance(probe, ReadFile):
            given[probe] = Answer("absent")
        elif isinstance(probe, ReadGlob):
            given[probe] = ok([])
    return given | {
        ReadFile("/etc/systemd/journald.conf"): ok(conf),
        MACHINE_ID: ok(MACHINE + "\n"),
        FILES: ok([file(path) for path in files]),
        HEADS: ok(list(heads)),
        NOW: ok({"unix_s": NOW_S}),
    }


ON_DISK = f"/var/log/journal/{MACHINE}/system.journal"
IN_MEMORY = f"/run/log/journal/{MACHINE}/system.journal"


def test_a_kept_and_bounded_journal_is_told_in_full() -> None:
    conf = "[Journal]\nStorage=persistent\nSystemMaxUse=64M\nMaxRetentionSec=90day\n"
    old = f"/var/log/journal/{MACHINE}/system@0001.journal"
    given = answers(
        conf, (ON_DISK, old, old + "~"), (head(2, 1), head(2000, 120, "system@0001.journal"))
    )

    assert values(CHECK, given) == {
        "storage": "persistent",
        "max_use_mib": 64,
        "max_retention_h": 2160,
        "writes_to": "disk",
        "use_mib": 24,
        "set_aside": 1,
        "oldest_age_h": 2000,
        "newest_age_min": 1,
    }


def test_a_journal_that_fell_back_to_memory_is_found_whatever_the_files_wish() -> None:
    told = values(CHECK, answers("[Journal]\nStorage=persistent\n", (IN_MEMORY,)))

    assert (told["storage"], told["writes_to"], told["oldest_age_h"]) == (
        "persistent",
        "memory",
        None,
    )


def test_old_files_on_disk_do_not_hide_a_journal_in_memory() -> None:
    given = answers("[Journal]\nStorage=volatile\n", (ON_DISK, IN_MEMORY), (head(9, 300),))

    assert values(CHECK, given)["writes_to"] == "memory"


def test_files_of_a_cloned_machine_do_not_count() -> None:
    told = values(CHECK, answers("", ("/var/log/journal/" + "0" * 32 + "/system.journal",)))

    assert (told["writes_to"], told["use_mib"]) == ("nowhere", 0)


def test_without_configuration_the_defaults_are_told() -> None:
    told = values(CHECK, answers("", (ON_DISK,), (head(1, 0),)))

    assert (told["storage"], told["max_use_mib"], told["max_retention_h"]) == ("auto", None, None)


@pytest.mark.parametrize(
    "broken",
    [
        {MACHINE_ID: Answer("absent")},
        {MACHINE_ID: ok("uninitialized\n")},
        {FILES: Answer("denied", reason="needs root")},
        {HEADS: ok([head(1, 0) | {"status": "denied", "hex": ""}])},
        {HEADS: ok([head(-5, -5)])},
        {ReadFile("/etc/systemd/journald.conf"): Answer("denied", reason="needs root")},
    ],
)
def test_what_was_not_seen_is_unobservable(broken: dict[Probe, Answer]) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, answers("", (ON_DISK,), (head(1, 0),)) | broken)

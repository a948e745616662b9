from typing import Any

import pytest

from reconciler.checks.linux.lnx_avl_001 import CHECK
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.check import Values
from reconciler.model.probe import StatFilesystem
from tests.support.looking import ok, values

PROBE = StatFilesystem("/srv")
FACTS = {
    "blocks": 1000,
    "free": 300,
    "avail": 250,
    "frsize": 4096,
    "files": 500,
    "files_free": 499,
    "mounted": True,
}


def seen(**changed: Any) -> Values:
    return values(CHECK, {PROBE: ok(FACTS | changed)}, path="/srv")


def test_space_is_counted_as_df_does() -> None:
    # 250 of 700 used + 250 available.
    assert seen() == {
        "mounted": True,
        "free_percent": 26,
        "free_mib": 0,
        "inodes_free_percent": 99,
    }


def test_a_file_system_without_a_limit_of_inodes_has_no_share_of_them() -> None:
    assert seen(files=0, files_free=0)["inodes_free_percent"] is None


def test_a_full_disk_has_nothing_free() -> None:
    assert seen(free=50, avail=0)["free_percent"] == 0


def test_a_missing_mount_point_is_seen_as_not_mounted() -> None:
    told = values(CHECK, {PROBE: Answer("absent")}, path="/srv")

    assert (told["mounted"], told["free_percent"]) == (False, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"blocks": 0, "free": 0, "avail": 0},
        {"free": 2000},
        {"avail": 400},
        {"avail": -1},
        {"files_free": 501},
        {"frsize": None},
        {"mounted": 1},
    ],
)
def test_numbers_that_contradict_each_other_are_unobservable(changed: dict[str, Any]) -> None:
    with pytest.raises(Unobservable):
        seen(**changed)

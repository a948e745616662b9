from pathlib import Path

import pytest

from reconciler.model.probe import ClockState, StatFilesystem
from reconciler.targets.linux.clock import read_timex
from tests.support.asking import ask


class TestThisMachine:
    def test_numbers_make_sense(self, tmp_path: Path) -> None:
        data = ask(StatFilesystem(str(tmp_path))).data
        assert data["mounted"] is False
        assert data["blocks"] >= data["free"] >= data["avail"] >= 0
        for path, mounted in (
            ("/proc", True),
            ("/", True),
            ("/proc/", True),
            ("/proc/self", False),
        ):
            assert ask(StatFilesystem(path)).data["mounted"] is mounted
        (tmp_path / "f").touch()
        (tmp_path / "link").symlink_to("/proc")
        assert ask(StatFilesystem(f"{tmp_path}/f")).data["mounted"] is False
        assert ask(StatFilesystem(f"{tmp_path}/link")).data["mounted"] is True

    def test_absent(self, tmp_path: Path) -> None:
        assert ask(StatFilesystem(f"{tmp_path}/nope")).status == "absent"


class TestClock:
    @pytest.mark.parametrize(
        ("state", "status", "offset", "wanted"),
        [
            (0, 0x0001, 1500, (True, 1500)),
            (0, 0x2001, 1_500_000, (True, 1500)),
            (5, 0x2001, 0, (False, 0)),
            (0, 0x0041, -7, (False, -7)),
            (5, 0x0040, 0, (False, 0)),
        ],
        ids=["microseconds", "nanoseconds", "error", "unsynchronised", "both"],
    )
    def test_bits(self, state: int, status: int, offset: int, wanted: tuple[bool, int]) -> None:
        seen = read_timex(state, status, offset, 16)
        assert (seen["synchronised"], seen["offset_us"]) == wanted

    def test_the_kernel_answers_or_says_why_not(self) -> None:
        answer = ask(ClockState())
        if answer.status == "ok":
            assert set(answer.data) == {"synchronised", "offset_us", "max_error_us"}
            assert answer.data["max_error_us"] >= 0
        else:
            assert answer.status == "denied"

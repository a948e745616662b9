import pytest

from reconciler.checks.parsing.pressure import Pressure, lines
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.probe import ReadFile

CPU = ReadFile("/proc/pressure/cpu", limit=4096)
SOME = "some avg10=2.02 avg60=4.72 avg300=1.71 total=12623743\n"


def read(text: str) -> object:
    return lines(Answers({CPU: Answer("ok", text)}), CPU)


def test_shares_are_hundredths_of_a_percent() -> None:
    full = "full avg10=0.00 avg60=100.00 avg300=0.09 total=0\n"

    assert read(SOME + full) == {"some": Pressure(472, 171), "full": Pressure(10_000, 9)}


def test_older_kernels_have_no_line_full_for_the_processor() -> None:
    assert read(SOME) == {"some": Pressure(472, 171)}


@pytest.mark.parametrize(
    "text",
    ["", "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", SOME + "noise\n", "some avg10=nan\n"],
)
def test_anything_else_is_unobservable(text: str) -> None:
    with pytest.raises(Unobservable):
        read(text)


def test_a_kernel_without_pressure_accounting_is_unobservable() -> None:
    with pytest.raises(Unobservable, match="/proc/pressure/cpu"):
        lines(Answers({CPU: Answer("absent")}), CPU)

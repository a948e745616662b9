import pytest

from benchmarks.stats import paired_ratio, summarize
from benchmarks.table import Table, number


def test_a_summary_is_the_median_and_the_ends() -> None:
    found = summarize([3.0, 1.0, 100.0])
    assert (found.count, found.middle, found.low, found.high) == (3, 3.0, 1.0, 100.0)


def test_nothing_has_no_summary() -> None:
    with pytest.raises(ValueError, match="no samples"):
        summarize([])


def test_a_ratio_pairs_the_rounds_so_load_that_slows_both_does_not_show() -> None:
    quiet_then_busy = [10.0, 40.0, 10.0]
    assert paired_ratio([2 * sample for sample in quiet_then_busy], quiet_then_busy).high == 2.0


@pytest.mark.parametrize(("samples", "base"), [([1.0], [1.0, 2.0]), ([1.0], [0.0]), ([], [])])
def test_what_has_no_ratio_is_refused(samples: list[float], base: list[float]) -> None:
    with pytest.raises(ValueError, match=r"samples|zero"):
        paired_ratio(samples, base)


def test_numbers_are_short_and_have_no_exponent() -> None:
    assert [number(n) for n in (0.123, 1.0, 12.34, 1234.5)] == ["0.12", "1.00", "12.3", "1,234"]


def test_a_table_says_how_many_times_the_base_a_row_costs() -> None:
    rows = {"ours": {"cpu": [1.0, 2.0, 1.0]}, "theirs": {"cpu": [5.0, 10.0, 6.0]}}
    table = Table("n", "t", {"cpu": "CPU ms"}, rows, base="ours", versions={"theirs": "(1.2)"})
    lines = table.markdown().splitlines()
    assert "| **ours** | 1.00 | 1 |" in lines
    assert "| theirs (1.2) | 6.00 | **5.00** [5.00-6.00] |" in lines
    assert table.document()["rows"]["theirs"]["ratio"]["middle"] == 5.0

from fractions import Fraction
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.learn.wilson import lower_bound, reaches


@pytest.mark.parametrize(
    ("successes", "trials", "bound"),
    [(16, 16, 8063), (15, 15, 7961), (1, 1, 2065), (0, 5, 0), (0, 0, 0), (99, 100, 9455)],
)
def test_bound_is_the_published_one_rounded_down(successes: int, trials: int, bound: int) -> None:
    assert lower_bound(successes, trials) == bound


def test_sixteen_of_sixteen_are_the_fewest_that_reach_four_fifths() -> None:
    reached = [n for n in range(40) if reaches(n, n, Fraction(4, 5))]
    assert reached[0] == 16


@given(st.integers(0, 300), st.integers(0, 300))
def test_bound_agrees_with_floats_and_never_rounds_up(won: int, lost: int) -> None:
    trials = won + lost
    bound = lower_bound(won, trials)
    if trials == 0:
        assert bound == 0
        return
    p, z = won / trials, 1.96
    middle = p + z * z / (2 * trials)
    spread = z * sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    exact = (middle - spread) / (1 + z * z / trials) * 10_000
    assert exact - 1.001 <= bound <= exact + 0.001
    assert reaches(won, trials, Fraction(bound, 10_000))
    assert not reaches(won, trials, Fraction(bound + 1, 10_000))


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="3 successes in 2 trials"):
        lower_bound(3, 2)

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.evidence.between_runs import BetweenRuns

MOMENTS = st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=30).map(
    lambda steps: [
        (sum(step for step, _ in steps[: number + 1]), ran) for number, (_, ran) in enumerate(steps)
    ]
)


def slowly(moments: list[tuple[int, bool]]) -> int:
    """The longest time between two of: the first moment, every run, the last moment."""
    points = [moments[0][0], *(at for at, ran in moments[1:] if ran), moments[-1][0]]
    return max(two - one for one, two in pairwise(points))


@given(MOMENTS, st.integers(0, 30))
def test_it_is_the_longest_however_the_history_is_cut(
    moments: list[tuple[int, bool]], cut: int
) -> None:
    found = BetweenRuns().followed(moments[:cut]).followed(moments[cut:])
    longest = found.longest(moments[-1][0])

    assert longest is not None
    begin, end = longest
    assert end - begin == slowly(moments)
    assert found == BetweenRuns().followed(moments)


def test_only_runs_end_a_time_without_a_run() -> None:
    beats = [(0, True), (10, False), (20, False), (90, False)]

    assert BetweenRuns().followed(beats).longest(90) == (0, 90)
    assert BetweenRuns().followed([*beats, (95, True)]).longest(96) == (0, 95)
    assert BetweenRuns().followed([(0, True), (10, True), (12, True)]).longest(12) == (0, 10)


def test_without_moments_there_is_no_time() -> None:
    assert BetweenRuns().longest(None) is None
    assert BetweenRuns().followed([]).longest(7) is None

"""The Wilson score interval at 95 %, in exact arithmetic.

How often something succeeds, as far as a few trials can say. The bound is the lower end of the
interval; 16 successes of 16 give 0.8063, 15 of 15 give 0.7961.

Rule 1: No floats. Whether the bound reaches a threshold is decided by whole numbers, so every
        machine decides alike; what is shown is rounded down, never up.
Rule 2: Nothing tried is nothing known: the bound is 0.
"""

from fractions import Fraction

Z_SQUARED = Fraction(196 * 196, 100 * 100)
"""1.96 squared: two-sided 95 %."""
SCALE = 10_000


def reaches(successes: int, trials: int, threshold: Fraction) -> bool:
    """Whether the lower bound is at least so much.

    With p = successes / trials the bound is
    (p + z²/2n - z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n); the root is never drawn, both sides are
    squared instead.

    Raises:
        ValueError: More successes than trials, or fewer than none.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    if trials == 0:
        return threshold <= 0
    share = Fraction(successes, trials)
    spread = Z_SQUARED * (share * (1 - share) / trials + Z_SQUARED / (4 * trials * trials))
    left = share + Z_SQUARED / (2 * trials) - threshold * (1 + Z_SQUARED / trials)
    return left >= 0 and left * left >= spread


def lower_bound(successes: int, trials: int) -> int:
    """The lower bound in ten-thousandths, rounded down.

    Raises:
        ValueError: As `reaches`.
    """
    low, high = 0, SCALE
    while low < high:
        middle = (low + high + 1) // 2
        if reaches(successes, trials, Fraction(middle, SCALE)):
            low = middle
        else:
            high = middle - 1
    return low

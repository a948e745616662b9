"""A clock that moves only when it is told to, or when somebody waits on it."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FakeClock:
    """A `reconciler.ports.Clock` whose wall and monotonic time can be moved apart.

    Attributes:
        slept: Every wait that was asked for, seconds.
    """

    def __init__(self, start: datetime = EPOCH) -> None:
        self._wall = start
        self._elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Wall time."""
        return self._wall

    def monotonic(self) -> float:
        """Seconds that have passed; never goes back."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed += seconds
        self._wall += timedelta(seconds=seconds)

    def jump(self, by: timedelta) -> None:
        """Set the wall clock, as an administrator would; no time passes."""
        self._wall += by

"""The longest time in which nobody looked, whatever else was signed meanwhile.

Gaps are told from what was promised, and every entry is a sign of life there. A heartbeat says that
the appliance was up and could not look, so here only runs count.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BetweenRuns:
    """Times without a run, up to some moment; all in milliseconds since 1970.

    Attributes:
        since: The newest run, or the first moment of all while there is none; None at the start.
        begin: When the longest time that a run ended began; None if there is none.
        end: The run that ended it.
    """

    since: int | None = None
    begin: int | None = None
    end: int | None = None

    def followed(self, moments: Iterable[tuple[int, bool]]) -> "BetweenRuns":
        """Go on over more of a history.

        Args:
            moments: When something was, oldest first, and whether it was a run.
        """
        since, begin, end = self.since, self.begin, self.end
        for at, ran in moments:
            if since is None:
                since = at
            elif ran:
                if begin is None or end is None or at - since > end - begin:
                    begin, end = since, at
                since = at
        return BetweenRuns(since, begin, end)

    def longest(self, until: int | None) -> tuple[int, int] | None:
        """Begin and end of the longest time without a run, the one that goes on included.

        Args:
            until: The newest moment.
        """
        if self.since is None or until is None:
            return None
        open_end = (self.since, until)
        if self.begin is None or self.end is None or until - self.since > self.end - self.begin:
            return open_end
        return self.begin, self.end

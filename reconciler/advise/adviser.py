"""Who is asked, as a protocol: the endpoint of the settings, or a stand-in of a simulation."""

from typing import Protocol

from reconciler.advise.endpoint import Endpoint
from reconciler.advise.question import Question
from reconciler.advise.reply import NoReply, Reply
from reconciler.guard.advice_budget import Level


class Adviser(Protocol):
    """Somebody who can be asked one question at a time."""

    @property
    def endpoint(self) -> Endpoint:
        """Whose answer it is, for evidence, and what it costs."""
        ...

    def ask(self, question: Question, level: Level, timeout_s: float) -> Reply | NoReply:
        """Ask once, within a time limit; never raises for what an endpoint does.

        Args:
            question: What.
            level: How strictly the form of the answer is asked for.
            timeout_s: Seconds from the first packet to the last.
        """
        ...

"""What touches the world, as protocols. Everything that is not here is pure or an adapter."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from reconciler.model.answer import Answer
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.probe import Probe


class Clock(Protocol):
    """Wall time for records, monotonic time for durations; read by the engine only."""

    def now(self) -> datetime:
        """Wall time, timezone-aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Target(Protocol):
    """A machine that can be looked at and, if it allows, changed."""

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        """Answer every probe, in as few round trips as possible.

        Args:
            probes: Distinct probes.
            deadline_s: Seconds allowed for each probe; a probe that takes longer is answered with
                ``timeout`` and costs nobody else's answer.

        Returns:
            One answer for each probe asked. Never raises for what a machine says.
        """
        ...

    def carry_out(self, operation: Operation) -> OperationResult:
        """Carry out one operation in its time limit; never raises for what a machine says."""
        ...


class ReceiptLike(Protocol):
    """Proof that an entry was appended: what the executor asks for before it starts."""

    @property
    def seq(self) -> int:
        """Sequence number of the entry."""
        ...

    @property
    def kind(self) -> str:
        """Kind of the entry: the executor takes only ``intent``."""
        ...

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the signed statement."""
        ...

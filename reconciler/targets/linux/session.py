"""What the answers of one worker share: the tree, the bus, the commands that were run already.

Each session belongs to one thread. When a probe hangs, its session is left to the thread that hangs
in it and the next worker takes a fresh one, so nothing here needs a lock.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.model.answer import Answer
from reconciler.model.nixos_probe import SetuidFiles
from reconciler.model.probe import Probe, UnitStatus
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.tree import Tree

if TYPE_CHECKING:
    from reconciler.targets.linux.bus import Buses
    from reconciler.targets.linux.nixos.access import SystemAccess
    from reconciler.targets.linux.setuid import Walk

Internal = Callable[[str], Answer]
"""Answers what the engine itself knows, by topic."""

CommandKey = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]
"""What makes two commands the same: arguments and environment."""


UnitState = dict[str, str | int]
"""State of one unit, as `UnitStatus` documents it."""


@dataclass(slots=True)
class Session:
    """What one worker works with.

    Attributes:
        tree: The files.
        allow: Programs that may be started.
        internal: What the engine knows.
        system: Settings for operations on a NixOS system; without them none is carried out.
        deadline: Monotonic time at which the present question stops being waited for.
        buses: D-Bus connections, opened when first needed.
        commands: Answers of this round's commands: the same command is run once.
        units: States of units seen in this round, by name.
        units_ahead: Names of units that this round will ask for.
        owners: Units by socket inode, kept between rounds (an inode number is not reused while
            the socket lives, and each is verified before use).
        walks: How far walks over file systems have come, kept between rounds.
    """

    tree: Tree
    allow: AllowList
    internal: Internal
    system: "SystemAccess | None" = None
    deadline: float = 0.0
    buses: "Buses | None" = None
    commands: dict[CommandKey, Answer] = field(default_factory=dict)
    units: dict[str, UnitState] = field(default_factory=dict)
    units_ahead: frozenset[str] = frozenset()
    owners: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    walks: dict[SetuidFiles, "Walk"] = field(default_factory=dict)

    def remaining(self) -> float:
        """Seconds left for the present question.

        Raises:
            NoAnswer: None.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer("timeout", "did not answer in time")
        return left

    def begin_round(self, probes: Iterable[Probe]) -> None:
        """Before the first question.

        Args:
            probes: What will be asked.
        """
        ahead = [probe.units for probe in probes if isinstance(probe, UnitStatus)]
        self.units_ahead = frozenset(name for units in ahead for name in units)
        if self.buses is not None:
            self.buses.wake()

    def end_round(self) -> None:
        """Forget what is true for one round only."""
        self.commands.clear()
        self.units.clear()
        if self.buses is not None:
            self.buses.rest()

    def close(self) -> None:
        """Close what is open; the session is not used again."""
        if self.buses is not None:
            self.buses.close()

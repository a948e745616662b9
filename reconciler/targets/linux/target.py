"""The Linux target: this machine, or a directory tree of one that is only looked at."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import InputError
from reconciler.model.answer import Answer
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.probe import Probe
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.probes import answer, answer_in_tree
from reconciler.targets.linux.round import Round
from reconciler.targets.linux.session import Internal, Session
from reconciler.targets.linux.tree import HostTree, ImageTree, Tree

if TYPE_CHECKING:
    from reconciler.targets.linux.nixos.access import SystemAccess

_HOST = "/"
_STILL_HANGING = Answer("timeout", reason="an earlier look still waits for the same answer")


def _knows_nothing(topic: str) -> Answer:
    return Answer("unsupported", reason=f"nobody here knows about {topic}")


class LinuxTarget:
    """Implements `reconciler.ports.Target`."""

    def __init__(
        self,
        root: str = _HOST,
        allow: AllowList | None = None,
        internal: Internal = _knows_nothing,
        system: "SystemAccess | None" = None,
    ) -> None:
        """Nothing is looked at yet.

        Args:
            root: ``/`` for this machine; another directory is judged as the files of a machine.
            allow: Programs that may be started.
            internal: Answers what the engine itself knows, by topic.
            system: Where NixOS systems come from, and limits; without it none is activated.

        Raises:
            InputError: ``root`` is no directory.
        """
        if not Path(root).is_dir():
            raise InputError(f"{root}: no such directory", hint="Give the root of a Linux system.")
        # An absolute path without links and dots: the root may not move under our feet.
        self._root = str(Path(root).resolve())
        self._allow = allow or AllowList()
        self._internal = internal
        self._system = system
        self._session = self._fresh()
        self._hanging: dict[Probe, threading.Thread] = {}
        self._asking = threading.Lock()

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        """Answer every probe; see `reconciler.ports.Target.ask`."""
        with self._asking:
            self._hanging = {p: t for p, t in self._hanging.items() if t.is_alive()}
            wanted = dict.fromkeys(probes)
            asked = Round([p for p in wanted if p not in self._hanging], self._answerer, deadline_s)
            self._session.begin_round(wanted)
            self._session = asked.ask(self._session, self._fresh)
            self._session.end_round()
            self._hanging |= asked.hanging
            return {probe: asked.answers.get(probe, _STILL_HANGING) for probe in wanted}

    def carry_out(self, operation: Operation) -> OperationResult:
        """Carry out one operation; see `reconciler.ports.Target.carry_out`."""
        if self._root != _HOST:
            return OperationResult(ok=False, reason="a directory tree is only looked at", ms=0)
        # Imported when the first step runs: most runs change nothing.
        from reconciler.targets.linux.operations import carry_out  # noqa: PLC0415

        return carry_out(operation, self._fresh(), self.ask)

    def close(self) -> None:
        """Close what stays open between rounds; the target may still be asked."""
        with self._asking:
            self._session.close()

    def _answerer(self, probe: Probe, session: Session) -> Answer:
        return answer(probe, session) if self._root == _HOST else answer_in_tree(probe, session)

    def _fresh(self) -> Session:
        tree: Tree = HostTree() if self._root == _HOST else ImageTree(self._root)
        return Session(tree, self._allow, self._internal, self._system)

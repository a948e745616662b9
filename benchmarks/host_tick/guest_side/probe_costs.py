"""Runs inside the guest: what each probe of a tick costs, as JSON.

``probe_costs.py SETTINGS ROUNDS`` asks one probe after the other, so that a cost has an owner.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from resident import looker
from stopwatch import daemons_ms

from reconciler import load_settings, open_appliance
from reconciler.engine.appliance import linux_target
from reconciler.model.answer import Answer
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.probe import Probe
from reconciler.ports import Target

WHOLE = "the whole tick"
JUDGING = "parsing, judging and the rest"
Costs = dict[str, list[float]]


def used_ms() -> float:
    """CPU of this process, its threads and its ended children, and of the system's daemons."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = time.process_time() + children.ru_utime + children.ru_stime
    return float(seconds * 1000 + daemons_ms())


class Metered:
    """A target that notes what each probe costs."""

    def __init__(self, inner: Target, costs: Costs) -> None:
        self._inner = inner
        self._costs = costs

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        """One at a time."""
        answers: dict[Probe, Answer] = {}
        for probe in dict.fromkeys(probes):
            before = used_ms()
            answers |= self._inner.ask((probe,), deadline_s)
            self._costs.setdefault(named(probe), []).append(used_ms() - before)
        return answers

    def carry_out(self, operation: Operation) -> OperationResult:
        """Nothing is carried out here."""
        raise NotImplementedError


def named(probe: Probe) -> str:
    """A short name: the command as typed, or the probe's first words."""
    argv = getattr(probe, "argv", None)
    return " ".join(argv[:4]) if argv else repr(probe)[:72]


def main() -> None:
    """Warm up, tick, print."""
    settings, rounds = Path(sys.argv[1]), int(sys.argv[2])
    costs: Costs = {}
    whole: list[float] = []

    def metered(root: str, internal: Callable[[str], Answer]) -> Target:
        return Metered(linux_target(root, internal), costs)

    with open_appliance(load_settings(settings), make_target=metered) as appliance:
        tick = looker(appliance)
        tick()
        costs.clear()
        for _ in range(rounds):
            before = used_ms()
            tick()
            whole.append(used_ms() - before)
    asked = [sum(values) for values in zip(*costs.values(), strict=True)]
    rest = [total - probes for total, probes in zip(whole, asked, strict=True)]
    json.dump({WHOLE: whole, JUDGING: rest, **costs}, sys.stdout)


if __name__ == "__main__":
    main()

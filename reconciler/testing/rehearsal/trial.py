"""One drift, one mode: what must happen, and what did.

Rule 1: ``honest``: found with the right values, healed in one run, proven by another tool; the next
        run finds nothing to do.
Rule 2: ``lie``: every step says yes and nothing was done: rolled back or failed, never healed, and
        the proof still says no.
Rule 3: ``drop``: the answer to the first operation is lost: no outcome says healed, nothing is sent
        again in that run or the next, which closes the action as interrupted after a fresh look.
Rule 4: ``crash``: killed after the first operation: as ``drop``. Both are healed later.
Rule 5: ``people``: where no runbook may: found with the right values, left alone, taken back by
        people; the next run finds nothing.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.errors import ReconcilerError
from reconciler.testing.drifts.drift import Drift
from reconciler.testing.rehearsal.practice import Practice
from reconciler.testing.rehearsal.told import Told, mismatch
from reconciler.testing.rig.commands import CommandFailed

Mode = Literal["honest", "lie", "drop", "crash", "people"]
LATER_S = 1500
"""Beyond the cooldown of one attempt that went wrong, and within an hour: the rules judge ages."""

_SETTLE = re.compile(r"^settle_s: .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one drift in one mode.

    Attributes:
        problems: Expectations that did not hold; none when the trial was passed.
        healed_s: Whole seconds from drift to verified heal, rounded up; only of ``honest``.
    """

    drift: str
    mode: Mode
    runbooks: tuple[str, ...]
    problems: tuple[str, ...]
    healed_s: int | None = None

    @property
    def held(self) -> bool:
        """Whether every expectation held."""
        return not self.problems


def attempt(drift: Drift, mode: Mode, practice: Practice, known: frozenset[str]) -> Trial:
    """Try one drift in one mode; what cannot be tried is a trial that did not hold.

    Args:
        drift: What to inject.
        mode: How.
        practice: In a machine to which nothing else was done.
        known: Bound rules that fail on the machine without any drift.
    """
    try:
        healed, problems = _MODES[mode](drift, practice, known)
    except (CommandFailed, ReconcilerError) as error:
        healed, problems = None, [f"could not be tried: {error!s:.600}"]
    return Trial(drift.id, mode, drift.heals, tuple(problems), healed)


_Judged = tuple[int | None, list[str]]


def _honest(drift: Drift, practice: Practice, known: frozenset[str]) -> _Judged:
    practice.approve(drift.heals)
    problems = _injected(drift, practice)
    begun = time.monotonic()
    told = practice.run_once()
    healed = int(time.monotonic() - begun) + 1
    problems += _found(drift, told, known)
    wanted = [(runbook, "healed") for runbook in drift.heals]
    if told.results() != wanted:
        problems.append(f"results were {told.results()}, not {wanted}")
    problems += _all_is_well(drift, practice, told)
    if problems:
        return None, problems
    second = practice.run_once()
    left = sorted(second.failing(before=True) - known)
    if not second.document or second.planned() or left:
        problems.append(f"the next run planned {second.planned()} for {left}; {second.error:.200}")
    return healed, [*problems, *_evidence(practice)]


def _lie(drift: Drift, practice: Practice, known: frozenset[str]) -> _Judged:
    # Waiting for a lie to become true would only take time.
    practice.edit_runbooks(lambda text: _SETTLE.sub("settle_s: 0", text))
    practice.approve(drift.heals)
    problems = _injected(drift, practice)
    told = practice.misbehave("lie")
    problems += _found(drift, told, known)
    results = told.results()
    if [runbook for runbook, _result in results] != list(drift.heals):
        problems.append(f"began {results}, not {list(drift.heals)}")
    if {result for _runbook, result in results} - {"rolled_back", "failed"}:
        problems.append(f"a lie ended as {results}")
    if practice.proves(drift.proof):
        problems.append("the proof says yes although nothing was done")
    return None, [*problems, *_evidence(practice)]


def _cut_off(fault: str) -> Callable[[Drift, Practice, frozenset[str]], _Judged]:
    def judged(drift: Drift, practice: Practice, known: frozenset[str]) -> _Judged:
        practice.approve(drift.heals)
        problems = _injected(drift, practice)
        cut = practice.misbehave(fault)
        sent = practice.journal()
        if cut.document or len(sent) != 1:
            problems.append(f"{len(sent)} operations were sent; outcomes {cut.results()}")
        closing = practice.misbehave("none")
        problems += _closed(drift, closing, practice.journal(), sent)
        later = practice.misbehave("none", later_s=LATER_S)
        problems += _all_is_well(drift, practice, later)
        return None, [*problems, *_evidence(practice)]

    return judged


def _closed(drift: Drift, told: Told, again: list[str], sent: list[str]) -> Iterator[str]:
    """What the run after a cut must do: look, close, and not send what was sent."""
    outcomes = told.document.get("outcomes", ())
    closed = [outcome for outcome in outcomes if outcome["result"] == "interrupted"]
    if [outcome["runbook"] for outcome in closed] != list(drift.heals[:1]):
        yield f"the next run closed {[o['runbook'] for o in closed]}; it said: {told.error:.200}"
        return
    action = closed[0]["action"]
    if [outcome["action"] for outcome in outcomes].count(action) > 1:
        yield "the next run began the same action again"
    if set(again) & set(sent):
        yield f"sent again in the next run: {sorted(set(again) & set(sent))}"


def _people(drift: Drift, practice: Practice, known: frozenset[str]) -> _Judged:
    problems = _injected(drift, practice)
    told = practice.run_once()
    problems += _found(drift, told, known)
    if told.results():
        problems.append(f"a machine began {told.results()}")
    if practice.proves(drift.proof):
        problems.append("the proof says yes although nobody put it right")
    practice.shell(drift.undo or "false")
    if not practice.proves(drift.proof):
        problems.append("the undo did not put it right")
    return None, [*problems, *_evidence(practice)]


def _injected(drift: Drift, practice: Practice) -> list[str]:
    problems = []
    if not practice.proves(drift.proof):
        problems.append("the proof says no before anything was injected")
    practice.shell(drift.inject)
    if practice.proves(drift.proof):
        problems.append("the proof says yes while the drift is there")
    return problems


def _found(drift: Drift, told: Told, known: frozenset[str]) -> list[str]:
    if not told.document:
        return [f"the run did not end: exit {told.code}: {told.error:.300}"]
    found = told.failing(before=True) - known
    problems = [
        problem
        for rule, wanted in drift.found.items()
        if (problem := mismatch(told.before(rule), wanted))
    ]
    extra = sorted(found - set(drift.found))
    return [*problems, *([f"also failing: {extra}"] if extra else [])]


def _all_is_well(drift: Drift, practice: Practice, told: Told) -> list[str]:
    if not told.document:
        return [f"the run did not end: exit {told.code}: {told.error:.300}"]
    problems = [
        f"{rule} is {status} in the end"
        for rule in drift.found
        if (status := told.after(rule)["status"]) != "pass"
    ]
    if problems:
        problems += [f"not done: {left['guard']}: {left['reason']}" for left in _left(told)]
    if not practice.proves(drift.proof):
        problems.append("the proof says no in the end")
    return problems


def _left(told: Told) -> list[Mapping[str, str]]:
    return list(told.document.get("not_done", ()))


def _evidence(practice: Practice) -> list[str]:
    said = practice.audited()
    return [said] if said else []


_MODES: Mapping[Mode, Callable[[Drift, Practice, frozenset[str]], _Judged]] = {
    "honest": _honest,
    "lie": _lie,
    "drop": _cut_off("drop"),
    "crash": _cut_off("die"),
    "people": _people,
}

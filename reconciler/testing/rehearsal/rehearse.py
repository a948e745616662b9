"""Which trials there are, and the machines that they happen in.

Every drift is tried honestly, and the first drift of every runbook with each fault as well. A trial
has a machine of its own, because a fix leaves something behind; drifts that people take back share
one. Boot from the main thread: guests halt when that thread ends.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.checks import catalogue as checks
from reconciler.desired.fleet import Fleet
from reconciler.desired.gate.reading import read_work_tree
from reconciler.engine.scaffold.files import templates
from reconciler.errors import InputError
from reconciler.model.runbook import Runbook
from reconciler.steps import catalogue as steps
from reconciler.testing.drifts import catalogue
from reconciler.testing.drifts.drift import Drift
from reconciler.testing.rehearsal.practice import Practice, Subject
from reconciler.testing.rehearsal.trial import Mode, Trial, attempt
from reconciler.testing.rig.commands import CommandFailed
from reconciler.testing.rig.guest import Guest, first_booted
from reconciler.testing.rig.image import Image

Say = Callable[[str], None]
FAULTS: tuple[Mode, ...] = ("lie", "drop", "crash")


@dataclass(frozen=True, slots=True)
class Job:
    """One trial to come."""

    drift: Drift
    mode: Mode
    subject: Subject


@dataclass(frozen=True, slots=True)
class Stage:
    """An image that has nothing to heal, and what fails on it all the same."""

    image: Image
    known: frozenset[str]

    @contextmanager
    def machine(self, name: str) -> Iterator[Guest]:
        """A healthy machine, whose clock follows its sources."""
        with Guest.boot(self.image, name) as guest:
            guest.wait_for_clock()
            yield guest


def jobs(drifts: Iterable[Drift], subject: Subject) -> list[Job]:
    """Trials of drifts, in their order; those for people come last."""
    first: set[str] = set()
    found, left = [], []
    for drift in drifts:
        if not drift.heals:
            left.append(Job(drift, "people", subject))
            continue
        found.append(Job(drift, "honest", subject))
        if drift.heals[0] not in first:
            first.add(drift.heals[0])
            found += [Job(drift, mode, subject) for mode in FAULTS]
    return [*found, *left]


def jobs_of(runbook: str | None, fleet: Path | None) -> list[Job]:
    """Trials of one runbook, or of everything, ours and a fleet's.

    Raises:
        InputError: There is no such runbook, or nothing to rehearse it with.
    """
    ours = [d for d in catalogue.load().values() if runbook is None or runbook in d.heals]
    found = jobs(ours, Subject(fleet))
    for file in catalogue.of_fleet(fleet) if fleet is not None else ():
        if runbook is None or runbook == file.runbook:
            found += jobs(file.drifts, Subject(fleet, file.policies, file.declares))
    if not found:
        raise _nothing(runbook or "", _read(fleet or templates()).runbooks)
    return found


def shipped() -> Fleet:
    """The fleet that is shipped as templates."""
    return _read(templates())


def _read(root: Path) -> Fleet:
    reading = read_work_tree(root, checks.load(), steps.load())
    if reading.fleet is None or not reading.whole:
        raise InputError(
            f"{root}: the fleet has errors, so nothing of it can be rehearsed",
            hint=f"See them: reconciler check {root}",
        )
    return reading.fleet


def _nothing(runbook: str, known: Mapping[str, Runbook]) -> InputError:
    """Why there is nothing to rehearse a runbook with."""
    if runbook not in known:
        hint = f"There are: {', '.join(sorted(known))}."
        return InputError(f"there is no runbook {runbook}", hint=hint)
    if known[runbook].mode == "never":
        hint = "Nothing of it can be rehearsed here."
        return InputError(f"{runbook} is a procedure for people", hint=hint)
    return InputError(
        f"no drift is known that {runbook} heals",
        hint=f"Write {catalogue.FOLDER}/{runbook}.yaml in the fleet: docs/howto/rehearse.md",
    )


@contextmanager
def staged(image: Image, say: Say) -> Iterator[Stage]:
    """Boot once, prove a restore, and see what fails without any drift.

    Raises:
        CommandFailed: The machine does not come up, or a run on it does not come to its end.
    """
    say("booting a machine without drift")
    with first_booted(image) as booted, Guest.boot(booted, "proving") as guest:
        guest.wait_for_clock()
        practice = Practice(guest, "proving", Subject())
        proving = practice.run_once()
        settled = practice.run_once()
        if not settled.document or settled.planned():
            raise CommandFailed(
                f"a machine without drift does not settle: {proving.results()}, then "
                f"{settled.planned()}; {proving.error}{settled.error}"
            )
        practice.shell(f"rm -rf {practice.home}")
        guest.halt()
        yield Stage(booted.with_layer(guest.upper), frozenset(settled.failing(before=False)))


def rehearse(work: Sequence[Job], stage: Stage, say: Say) -> list[Trial]:
    """Try everything, one after the other."""
    trials = []
    alone = [job for job in work if job.mode != "people"]
    for job in alone:
        with stage.machine("stage") as guest:
            trials.append(_try(job, guest, "practice", stage, say))
    together = [job for job in work if job.mode == "people"]
    if together:
        with stage.machine("people") as guest:
            trials += [
                _try(job, guest, f"practice-{number}", stage, say)
                for number, job in enumerate(together)
            ]
    return trials


def _try(job: Job, guest: Guest, name: str, stage: Stage, say: Say) -> Trial:
    say(f"{job.drift.id}: {job.mode}")
    trial = attempt(job.drift, job.mode, Practice(guest, name, job.subject), stage.known)
    for problem in trial.problems:
        say(f"  {problem}")
    return trial

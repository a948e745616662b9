"""One revision, read as an appliance would read it: its documents and the plan of every host.

Rule 1: What an appliance would refuse is an error here, with the same words; nothing is guessed
        of a revision that has one.
Rule 2: The trust files are read by their own parsers, which no other document goes through.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.desired import strict_yaml
from reconciler.desired.directory import read_directory
from reconciler.desired.fleet import Fleet, read_fleet
from reconciler.desired.gate.worktree import named_files
from reconciler.desired.graph import check_fleet
from reconciler.desired.problem import FleetInvalid, Problem
from reconciler.desired.resolve import resolve
from reconciler.desired.validation import validate
from reconciler.errors import InputError, IntentRefused, ReconcilerError, Where
from reconciler.evidence import signers as signers_file
from reconciler.evidence.signers import AllowedSigners
from reconciler.model.check import Check
from reconciler.model.desired import DesiredState
from reconciler.model.review import Remark
from reconciler.model.review import Subject as RemarkSubject
from reconciler.model.step import StepKind
from reconciler.model.trust_policy import TrustPolicy
from reconciler.plan.host_plan import host_plan

SIGNERS = "policies/trust/allowed_signers"
POLICY = "policies/trust/policy.yaml"


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust files of one revision.

    Attributes:
        signers: ``None`` when there is no readable file.
        policy: ``None`` when there is no readable file.
        remarks: What is wrong with them.
    """

    signers: AllowedSigners | None
    policy: TrustPolicy | None
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything one revision says.

    Attributes:
        files: Content by path, of the four roots.
        fleet: Its documents; ``None`` when the tree itself is refused.
        states: The desired state of every host, by target; empty when there is an error.
        plans: `host_plan` of each.
        remarks: What is wrong with it.
    """

    files: Mapping[str, bytes]
    fleet: Fleet | None
    trust: Trust
    states: Mapping[str, DesiredState]
    plans: Mapping[str, dict[str, Any]]
    remarks: tuple[Remark, ...]

    @property
    def whole(self) -> bool:
        """Whether an appliance could use it."""
        return not any(remark.severity == "error" for remark in self.remarks)


def read_revision(
    files: Mapping[str, bytes],
    *,
    commit: str,
    tree: str,
    checks: Mapping[str, Check],
    steps: Mapping[str, StepKind],
) -> Reading:
    """Read, cross-check and resolve the files of a revision.

    Args:
        files: Content by path, of the four roots.
        commit: Hex id.
        tree: Hex id of its tree.
        checks: The catalogue of checks.
        steps: The catalogue of kinds of step.

    Raises:
        InputError: There are more files or bytes than any fleet needs.
    """
    fleet = read_fleet(files)
    trust = read_trust(files)
    remarks = list(remarks_of(check_fleet(fleet, checks, steps), "graph"))
    states: dict[str, DesiredState] = {}
    if not any(remark.severity == "error" for remark in remarks):
        for target in sorted(fleet.hosts):
            client, _, host = target.partition("/")
            try:
                states[target] = resolve(
                    fleet, client, host, commit=commit, tree=tree, checks=checks
                )
            except FleetInvalid as invalid:
                remarks += remarks_of(invalid.problems, "graph")
            except ReconcilerError as error:
                remarks.append(remark_of(error, "graph", f"hosts/{target}.yaml"))
    whole = not any(remark.severity == "error" for remark in (*remarks, *trust.remarks))
    return Reading(
        files=files,
        fleet=fleet,
        trust=trust,
        states=states if whole else {},
        plans={target: host_plan(state) for target, state in states.items()} if whole else {},
        remarks=(*remarks, *trust.remarks),
    )


def read_work_tree(
    directory: Path, checks: Mapping[str, Check], steps: Mapping[str, StepKind]
) -> Reading:
    """A work tree that somebody is about to commit, as `read_revision` would see it.

    Raises:
        InputError: There is no desired state in it, or a link.
        MachineError: A file cannot be read.
    """
    files = {**read_directory(directory), **named_files(directory, (SIGNERS, POLICY))}
    nothing = "0" * 40
    return read_revision(files, commit=nothing, tree=nothing, checks=checks, steps=steps)


def refused(error: IntentRefused) -> Reading:
    """The reading of a revision whose tree an appliance refuses to read."""
    trust = Trust(None, None, ())
    remark = remark_of(error, "graph", "the tree")
    return Reading(files={}, fleet=None, trust=trust, states={}, plans={}, remarks=(remark,))


def read_trust(files: Mapping[str, bytes]) -> Trust:
    """Parse the trust files; a missing policy is the default, missing signers are not."""
    remarks: list[Remark] = []
    signers = policy = None
    try:
        if SIGNERS in files:
            signers = signers_file.parse(files[SIGNERS], SIGNERS)
    except InputError as error:
        remarks.append(remark_of(error, "trust", SIGNERS))
    try:
        if POLICY in files:
            policy = validate(strict_yaml.load(files[POLICY], POLICY), TrustPolicy)
    except FleetInvalid as invalid:
        remarks += remarks_of(invalid.problems, "trust")
    except InputError as error:
        remarks.append(remark_of(error, "trust", POLICY))
    return Trust(signers, policy, tuple(remarks))


def remarks_of(problems: Iterable[Problem], subject: RemarkSubject) -> list[Remark]:
    """Problems of the graph as remarks."""
    return [Remark(p.severity, subject, p.where, p.message, p.hint) for p in problems]


def remark_of(error: ReconcilerError, subject: RemarkSubject, file: str) -> Remark:
    """An error as a remark; about a file when it names no place itself."""
    return Remark("error", subject, error.where or Where(file), error.message, error.hint)

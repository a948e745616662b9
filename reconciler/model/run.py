"""What one run saw, did and could not do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from reconciler.errors import ExitCode
from reconciler.model.finding import Finding
from reconciler.model.incident import Incident
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Action, Plan
from reconciler.model.quotable import NOTHING, Own
from reconciler.model.verdict import Verdict

if TYPE_CHECKING:
    from reconciler.model.system import SystemStatus


@dataclass(frozen=True, slots=True)
class NotDone:
    """An action that no step was taken for, and the guard that said why."""

    action: Action
    result: Literal["deferred", "denied"]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing may be done under a desired state that is in force.

    Attributes:
        reason: Stable code: ``stale``, ``heartbeat-missing`` or ``revoked-content``.
        message: What is wrong, in one sentence; no text that somebody outside chose.
        hint: What is needed, in one sentence.
        since: When this hold began, as far as evidence knows.
        paths: For ``revoked-content``: the paths in question.
    """

    reason: str
    message: str
    hint: str
    since: datetime
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Freshness:
    """What is known of how new the newest desired state is.

    Attributes:
        age_s: Seconds since the newest valid heartbeat; ``None`` if there never was one.
        limit_s: How old it may become; ``None`` if the client promises nothing.
        counter: Of that heartbeat.
        commit: What it named as the newest commit.
    """

    age_s: int | None
    limit_s: int | None
    counter: int | None
    commit: str | None


@dataclass(frozen=True, slots=True)
class Recovered:
    """A signed recovery that was used.

    Attributes:
        statement: Hex SHA-256 of the statement that people signed.
        issued: When they did, by what it says.
        people: Ids of who signed it.
    """

    statement: str
    issued: datetime
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreed:
    """Who agreed with a change besides its authors.

    Attributes:
        rule: Id of the rule that asked for them.
        commit: The step of the branch that they agreed with.
        people: Ids of who counted.
    """

    rule: str
    commit: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What stood behind the acceptance of a desired state.

    Attributes:
        previous: Commit that was in force before; ``None`` at the first one.
        signer: Who signed the newest commit; ``None`` where a branch asks for releases only.
        commits: How many commits are new.
        agreed: Who counted for each rule that asked for approvals, step by step.
        recovery: The recovery that it came by, if it did.
    """

    previous: str | None
    signer: str | None
    commits: int
    agreed: tuple[Agreed, ...] = ()
    recovery: Recovered | None = None


@dataclass(frozen=True, slots=True)
class IntentStatus:
    """The desired state in force, and what became of the newest one.

    Attributes:
        commit: The accepted commit; ``None`` when none was ever accepted.
        counter: How many times a new commit was accepted; only grows.
        fetched: Whether the fleet repository could be reached.
        refused: Stable code of why the newest state is not in force; ``None`` when it is.
        refused_commit: The commit that was refused, if one was seen.
        message: The refusal in words.
        exit_code: The exit code that the refusal stands for.
        holds: Why nothing may be done under what is in force.
        freshness: How new it is known to be; ``None`` before there is a desired state.
        acceptance: What stood behind it, in the run that accepted it.
        system: Which system a NixOS host is meant to run; ``None`` of any other.
    """

    commit: str | None
    counter: int
    fetched: bool
    refused: str | None = None
    refused_commit: str | None = None
    message: str = ""
    exit_code: ExitCode = ExitCode.CLEAN
    holds: tuple[Hold, ...] = ()
    freshness: Freshness | None = None
    acceptance: Acceptance | None = None
    system: "SystemStatus | None" = None

    @property
    def hold(self) -> str | None:
        """The code of the first reason why nothing may be done, if there is one."""
        return self.holds[0].reason if self.holds else None


@dataclass(frozen=True, slots=True)
class UpkeepProblem:
    """Upkeep of the evidence that was due and did not come about; it stops nothing.

    Attributes:
        part: Which: ``push``, ``anchors``, ``witness/hub`` …
        message: What is wrong, in one sentence.
        hint: What to do about it.
    """

    part: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.part}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run.

    Attributes:
        run: Random id of the run, 32 hex digits.
        target: ``<client>/<host>``.
        mode: ``enforce`` when client and host both say so and the tier heals, else ``observe``.
        findings: One for each rule, after healing.
        before: The same, before healing.
        plan: What was planned from ``before``.
        outcomes: Actions that were begun, in order.
        not_done: Actions that were not begun.
        interrupted: Outcomes that closed what an earlier crash left open.
        intent: The desired state in force.
        census: What was loaded, by kind.
        seq: Sequence number of the ``run`` entry; ``None`` for a dry run.
        commit: Commit of the ``run`` entry in the evidence repository; ``None`` for a dry run.
        waits_s: For a run that is on the disk and not in the ledger yet: within how many seconds
            it is sealed, together with others; it has no entry of its own.
        problems: What did not come about of the upkeep after the run.
        own: What the desired state says and evidence may say again.
        notices: Exceptions and approvals that end soon or are over, in words. They move with the
            calendar, so they are told and not recorded.
        incidents: The open incidents after it, the severest first.
    """

    run: str
    target: str
    mode: Literal["observe", "enforce"]
    findings: tuple[Finding, ...]
    before: tuple[Finding, ...]
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    not_done: tuple[NotDone, ...] = ()
    interrupted: tuple[Outcome, ...] = ()
    intent: IntentStatus
    census: Mapping[str, int]
    seq: int | None = None
    commit: str | None = None
    waits_s: int | None = None
    problems: tuple[UpkeepProblem, ...] = ()
    own: Own = NOTHING
    notices: tuple[str, ...] = ()
    incidents: tuple[Incident, ...] = ()

    @property
    def recorded(self) -> bool:
        """Whether the run is evidence; a dry run is not."""
        return self.seq is not None or self.waits_s is not None

    @property
    def exit_code(self) -> ExitCode:
        """Held or refused intent before drift, drift before unknown, unknown before clean.

        A fleet repository that cannot be reached is a finding by its age, not a refusal.
        """
        if self.intent.holds:
            return ExitCode.REFUSED
        unreached = not self.intent.fetched and self.intent.exit_code is ExitCode.MACHINE
        if self.intent.refused is not None and not unreached:
            return self.intent.exit_code
        statuses = {finding.status for finding in self.findings}
        if "fail" in statuses:
            return ExitCode.DRIFT
        return ExitCode.UNKNOWN if "unknown" in statuses else ExitCode.CLEAN

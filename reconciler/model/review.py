"""What a change of the fleet repository means: the answer of the gate, before it is written down.

Values are words, ready to be shown; they come from a repository that nobody has trusted yet, so
whoever writes them into a page escapes them there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from reconciler.errors import Where
from reconciler.model.system import ClosureDiff

Subject = Literal["graph", "guard", "exception", "approval", "trust", "secret"]
Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that somebody should know before a change is merged.

    Attributes:
        severity: An ``error`` fails the gate; a ``warning`` fails it under ``--strict``.
    """

    severity: Literal["error", "warning"]
    subject: Subject
    where: Where
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value, before and after; ``-`` where there is none."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What becomes of one bound rule on one host."""

    rule: str
    change: Change
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookChange:
    """What becomes of one runbook that can run on one host.

    Attributes:
        change: ``added``: it becomes reachable; ``removed``: it no longer is.
        mode: As it will be, or as it was when it is removed; so are the next three.
        digest: Hex SHA-256 of its file.
        approved: Whether the allow-list names exactly this digest.
        rules: Bound rules that lead to it.
    """

    runbook: str
    change: Change
    mode: str
    blast_radius: str
    digest: str
    approved: bool
    rules: tuple[str, ...]
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostChange:
    """What becomes of one host.

    Attributes:
        old_digest: Of its plan, ``None`` when it is added.
        new_digest: Of its plan, ``None`` when it is removed.
        settings: Client, host, tier and kill switches: ``client.mode``, ``kill_switches``.
        exceptions: Exceptions that name this host, by id.
    """

    target: str
    change: Change
    old_digest: str | None
    new_digest: str | None
    settings: tuple[FieldChange, ...]
    rules: tuple[RuleChange, ...]
    runbooks: tuple[RunbookChange, ...]
    exceptions: tuple[RuleChange, ...]


@dataclass(frozen=True, slots=True)
class TrustChange:
    """A change of who may sign, or approve, what.

    Attributes:
        what: ``key``, ``person``, ``machine``, ``rule``, ``identity``, ``branch`` …
        name: Which one.
    """

    what: str
    name: str
    change: Change
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What the trust policy of the base asks of this change, for one of its rules.

    Attributes:
        rule: Id of the rule that owns the paths; ``None`` when no rule does, which is a refusal.
        authors: Roles, one of which the signer of a commit on these paths must hold.
        approvals: How many other people must approve.
        approvers: Roles, one of which each of them must hold.
        client: The client that author and approver must have, for ``{client}`` paths.
        people: Ids of those who could approve, before authors of the change are left out.
        paths: What changes.
    """

    rule: str | None
    authors: tuple[str, ...]
    approvals: int
    approvers: tuple[str, ...]
    client: str | None
    people: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalChange:
    """An approval that begins or ceases to bind.

    Attributes:
        change: ``removed``: it bound under the base and no longer does.
        why: In words.
    """

    approval: str
    change: Change
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How one rule would be judged under the head, from what was last observed.

    Attributes:
        now: Status in the evidence; ``None`` when the rule was not there.
        then: Status under the head; ``None``: not known.
        why: The fields that decide, or why it is not known.
    """

    rule: str
    now: str | None
    then: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionForecast:
    """What the guards would say to one action.

    Attributes:
        ruling: At the time that was asked about.
        guard: The guard that did not allow it; empty when all did.
        runs_at: When it would first be allowed within a day, if it would.
        prechecks: How many conditions of the runbook nobody has looked at; they are taken to hold.
    """

    runbook: str
    rules: tuple[str, ...]
    ruling: Literal["allow", "defer", "deny"]
    guard: str
    reason: str
    runs_at: datetime | None
    prechecks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostForecast:
    """What evidence lets us expect of one host.

    Attributes:
        why_not: Why nothing can be said; empty when something can.
        observed_at: When a run with findings was last recorded.
        confirmed_at: When a run last found the same.
        seq: Entry that the values come from.
        turns: Rules whose status would change, or is not known.
        stays: How many rules keep their status.
    """

    target: str
    why_not: str = ""
    observed_at: datetime | None = None
    confirmed_at: datetime | None = None
    seq: int | None = None
    turns: tuple[Turn, ...] = ()
    stays: int = 0
    actions: tuple[ActionForecast, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemChange:
    """What a NixOS host would run, once it follows.

    Attributes:
        old: Store path that releases name under the base; ``None`` if none does.
        new: Store path under the head.
        release: Commit that the release is of.
        diff: What differs, where the release speaks of these two.
    """

    target: str
    old: str | None
    new: str
    release: str
    diff: ClosureDiff | None


@dataclass(frozen=True, slots=True)
class Named:
    """A revision: how it was asked for, and what it is (hex ids)."""

    name: str
    commit: str
    tree: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Two revisions, compared.

    Attributes:
        digest: Hex SHA-256 over the plans of all hosts of the head; ``None`` when it has errors.
        hosts: Plan digest of every host of the head.
        compared: Whether the base could be read; without it nothing is said about changes.
        at: The moment that dates and guards are judged at.
        older: How many warnings the base has, too; they are not among the remarks.
        paths: Every path that differs.
        systems: NixOS hosts whose system changes, as far as releases of both revisions say.
        forecast: ``None`` when no evidence was given.
    """

    base: Named
    head: Named
    at: datetime
    digest: str | None
    hosts: Mapping[str, str]
    compared: bool
    remarks: tuple[Remark, ...] = ()
    older: int = 0
    changes: tuple[HostChange, ...] = ()
    trust: tuple[TrustChange, ...] = ()
    needs: tuple[Need, ...] = ()
    approvals: tuple[ApprovalChange, ...] = ()
    paths: tuple[str, ...] = ()
    systems: tuple[SystemChange, ...] = ()
    forecast: tuple[HostForecast, ...] | None = field(default=None)

    @property
    def errors(self) -> int:
        """How many remarks fail the gate."""
        return sum(remark.severity == "error" for remark in self.remarks)

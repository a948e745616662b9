"""The files of a fleet repository, read as documents. Pure over bytes.

Nothing stops at the first problem: a fleet carries everything that is wrong with its files, and
`resolve` refuses one that carries an error.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler.desired import layout, problem, strict_yaml
from reconciler.desired.layout import Kind, Slot
from reconciler.desired.page import Page, Path
from reconciler.desired.problem import Problem
from reconciler.desired.validation import read
from reconciler.errors import InputError, Where
from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.approval import Approval
from reconciler.model.approved import Approved
from reconciler.model.baseline import Baseline
from reconciler.model.client import Client, KillSwitch
from reconciler.model.document import Document
from reconciler.model.exemption import PolicyException
from reconciler.model.fleet_wide import FleetBreakers, Rollout
from reconciler.model.framework import Control, Framework
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.healing_rule import HealingRule
from reconciler.model.host import Host
from reconciler.model.rings import Promotions, Rings
from reconciler.model.rule import Rule
from reconciler.model.runbook import Runbook
from reconciler.model.tier import Tier
from reconciler.model.trust_policy import TrustPolicy
from reconciler.model.vulnerabilities import Vulnerabilities

D = TypeVar("D", bound=Document)

MAX_FILES = 20_000
MAX_TOTAL_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Every document of a fleet repository.

    Attributes:
        hosts: By ``<client>/<host>``.
        exceptions: By ``<client>/<id>``.
        approvals: By ``<client>/<id>``.
        acknowledgements: By ``<client>/<id>``.
        vulnerabilities: What scanners found, by ``<client>/<host>``.
        healing: By id.
        guards: The numbers of guards; the defaults when there is no such file.
        trust: Who may do what; ``None`` if there is no such file, or it cannot be read. Who
            verifies commits judges it; here it only says who signs heartbeats.
        pages: Every file that is YAML, by path, with the places of its values.
        digests: Hex SHA-256 of every policy file, by path, whether it could be read or not.
        problems: What is wrong with the files themselves.
    """

    clients: Mapping[str, Client]
    hosts: Mapping[str, Host]
    rules: Mapping[str, Rule]
    baselines: Mapping[str, Baseline]
    frameworks: Mapping[str, Framework]
    tiers: Mapping[str, Tier]
    exceptions: Mapping[str, PolicyException]
    approvals: Mapping[str, Approval]
    acknowledgements: Mapping[str, Acknowledgement]
    vulnerabilities: Mapping[str, Vulnerabilities]
    healing: Mapping[str, HealingRule]
    guards: GuardSettings
    breakers: FleetBreakers
    rollout: Rollout
    rings: Rings
    promotions: Promotions
    runbooks: Mapping[str, Runbook]
    approved: Approved | None
    kill_switch: KillSwitch | None
    trust: TrustPolicy | None
    pages: Mapping[str, Page]
    digests: Mapping[str, str]
    problems: tuple[Problem, ...]

    def where(self, kind: Kind, key: str, *path: str | int) -> Where:
        """The place of a field of a document."""
        file = layout.file_of(kind, key)
        page = self.pages.get(file)
        return page.where(path) if page else Where(file)

    def has(self, kind: Kind, key: str) -> bool:
        """Whether there is a file for a document, even one that could not be read."""
        return layout.file_of(kind, key) in self.digests

    def controls(self) -> dict[str, Control]:
        """Every control of every framework, by ``<framework>:<control>``."""
        return {
            f"{framework.id}:{control.id}": control
            for framework in self.frameworks.values()
            for control in framework.controls
        }

    def controls_of(self, client: str) -> dict[str, Control]:
        """The controls of a client's frameworks; of every framework when it cannot be read."""
        known = self.clients.get(client)
        return {
            name: control
            for name, control in self.controls().items()
            if known is None or name.partition(":")[0] in known.frameworks
        }

    def hosts_of(self, client: str) -> dict[str, Host]:
        """The hosts of a client, by id."""
        return {host.id: host for key, host in self.hosts.items() if key.split("/", 1)[0] == client}


def read_fleet(files: Mapping[str, bytes]) -> Fleet:
    """Read a fleet repository.

    Args:
        files: Content by path relative to the repository, with forward slashes. Files that are
            not desired state are passed over.

    Returns:
        Everything that could be read, and every problem found.

    Raises:
        InputError: There are more files or bytes than any fleet needs.
    """
    policy = {path: data for path, data in sorted(files.items()) if layout.is_policy(path)}
    if len(policy) > MAX_FILES or sum(map(len, policy.values())) > MAX_TOTAL_BYTES:
        raise InputError(
            f"the fleet has more than {MAX_FILES:,} files or {MAX_TOTAL_BYTES // 2**20} MiB",
            hint="Split it into several fleet repositories.",
        )
    reader = _Reader()
    for path, data in policy.items():
        reader.take(path, data)
    reader.take_trust(files.get(layout.TRUST_POLICY))
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in policy.items()}
    return reader.fleet(digests)


class _Reader:
    """Collects documents and problems."""

    def __init__(self) -> None:
        self._documents: dict[Kind, dict[str, Any]] = {kind: {} for kind in layout.MODELS}
        self._pages: dict[str, Page] = {}
        self._problems: list[Problem] = []
        self._trust: TrustPolicy | None = None

    def take(self, path: str, data: bytes) -> None:
        slot = layout.slot(path)
        if slot is None:
            self._problems.append(
                problem.error(
                    Where(path),
                    "no policy file belongs here",
                    "See the layout in policies/README.md; YAML files end in .yaml.",
                )
            )
            return
        try:
            page = strict_yaml.load(data, path)
        except InputError as refused:
            self._problems.append(problem.of(refused))
            return
        self._pages[path] = page
        document, problems = read(page, layout.MODELS[slot.kind])
        self._problems.extend(problems)
        if document is not None:
            self._problems.extend(_misnamed(page, slot, document))
            self._documents[slot.kind][slot.key] = document

    def take_trust(self, data: bytes | None) -> None:
        if data is None:
            return
        try:
            page = strict_yaml.load(data, layout.TRUST_POLICY)
        except InputError:
            return
        self._trust, _problems = read(page, TrustPolicy)

    def fleet(self, digests: Mapping[str, str]) -> Fleet:
        documents = self._documents
        return Fleet(
            clients=documents["client"],
            hosts=documents["host"],
            rules=documents["rule"],
            baselines=documents["baseline"],
            frameworks=documents["framework"],
            tiers=documents["tier"],
            exceptions=documents["exception"],
            approvals=documents["approval"],
            acknowledgements=documents["acknowledgement"],
            vulnerabilities=documents["vulnerabilities"],
            healing=documents["healing"],
            guards=documents["guards"].get("guards", GuardSettings()),
            breakers=documents["breakers"].get("breakers", FleetBreakers()),
            rollout=documents["rollout"].get("rollout", Rollout()),
            rings=documents["rings"].get("rings", Rings()),
            promotions=documents["promotions"].get("promotions", Promotions()),
            runbooks=documents["runbook"],
            approved=documents["approved"].get("approved"),
            kill_switch=documents["kill switch"].get("kill-switch"),
            trust=self._trust,
            pages=self._pages,
            digests=digests,
            problems=tuple(self._problems),
        )


def _misnamed(page: Page, slot: Slot, document: Document) -> Iterator[Problem]:
    """A document found by its path must be what it says it is; otherwise two could claim one id."""
    if slot.id is not None and getattr(document, "id", None) != slot.id:
        path: Path = ("id",)
        yield problem.error(
            page.where(path),
            f"is {getattr(document, 'id', None)}, but its path says {slot.id}",
            "Rename the file (for a client: its folder) or correct the id.",
        )

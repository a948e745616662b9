"""Small fleets in two revisions, for tests of the gate."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from reconciler.desired.gate.reading import POLICY, SIGNERS, Reading, read_revision
from reconciler.desired.gate.review import Catalogues, Compared, compare
from reconciler.desired.gate.revision import Revisions
from tests.support.fleet_git import FleetRepo, signers_text
from tests.support.policy import CHECKS, STEPS, approved, base_files

AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
CATALOGUES = Catalogues(CHECKS, STEPS)

Texts = Mapping[str, str | None]
"""Changes of the small fleet: content by path, ``None`` takes a file away."""

DESK = "hosts/clinic/desk.yaml"
CLIENT = "hosts/clinic/client.yaml"
ROOT_LOGIN = "policies/rules/root-login.yaml"
UNIT_RUNS = "policies/rules/unit-runs.yaml"
RUNBOOK = "runbooks/RB-UNIT-001.yaml"
EXCEPTION = "policies/exceptions/clinic/long-idle.yaml"

TRUST = """\
format: 1
people:
  - {id: alice, principals: [alice@msp.example], roles: [security, engineer], clients: [clinic]}
  - {id: bob, principals: [bob@msp.example], roles: [engineer], all_clients: true}
  - {id: carol, principals: [carol@msp.example], roles: [security]}
rules:
  - {id: trust, paths: ["policies/trust/**"], authors: [security], approvals: 1}
  - {id: runbooks, paths: ["runbooks/**"], authors: [engineer], approvals: 1}
  - id: clients
    paths: ["hosts/{client}/**", "approvals/{client}/**"]
    authors: [engineer]
    approvals: 0
  - {id: rest, paths: ["policies/**"], authors: [engineer], approvals: 1}
recovery: {roles: [security], people: 2}
"""
PEOPLE = ("alice", "bob", "carol")


def everywhere(*names: str) -> str:
    """An allowed signers file whose keys sign commits and attestations."""
    return signers_text(*names).replace(
        'namespaces="git"', 'namespaces="git,reconciler-attestation"'
    )


def files(changes: Texts | None = None, *, trust: str | None = TRUST) -> dict[str, bytes]:
    """The small fleet with changes; its allow-list fits its runbooks unless one is given."""
    found = base_files()
    found[SIGNERS] = everywhere(*PEOPLE).encode()
    if trust is not None:
        found[POLICY] = trust.encode()
    given = dict(changes or {})
    if "runbooks/approved.yaml" not in given:
        del found["runbooks/approved.yaml"]
    for path, content in given.items():
        if content is None:
            del found[path]
        else:
            found[path] = content.encode()
    return approved(found)


def text(path: str) -> str:
    """A file of the small fleet."""
    return base_files()[path].decode()


def edited(path: str, old: str, new: str) -> dict[str, str]:
    """One file of the small fleet with some words in place of others."""
    before = text(path)
    assert old in before
    return {path: before.replace(old, new)}


def reading(changes: Texts | None = None, *, trust: str | None = TRUST) -> Reading:
    """The small fleet with changes, read as a revision."""
    nothing = "0" * 40
    return read_revision(
        files(changes, trust=trust), commit=nothing, tree=nothing, checks=CHECKS, steps=STEPS
    )


class TwoRevisions:
    """A real repository: ``main`` holds the small fleet, ``change`` what is proposed."""

    def __init__(self, root: Path, base: Texts | None = None, **options: str | None) -> None:
        self.repo = FleetRepo(root)
        self.options = options
        self.base = dict(base or {})
        self.repo.commit(None, dict(files(base, **options)))
        self.repo.branch("change", "main")

    @property
    def path(self) -> Path:
        return self.repo.work

    def propose(self, changes: Texts, extra: Texts | None = None) -> str:
        """Commit a change of the small fleet, and files beside it, on ``change``."""
        now = files({**self.base, **changes}, **self.options)
        before = {path for path in files(self.base, **self.options) if path not in now}
        return self.repo.commit(None, {**now, **dict.fromkeys(before), **(extra or {})})

    def compare(self, base: str = "main", head: str = "change", at: datetime = AT) -> Compared:
        revisions = Revisions(self.path)
        one, other = revisions.resolve(base), revisions.resolve(head)
        return compare(revisions, one, other, CATALOGUES, at=at)

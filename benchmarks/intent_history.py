"""Long histories of a fleet repository under a trust policy, every commit signed."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from benchmarks import git_peer
from benchmarks.installed import PROJECT
from benchmarks.scratch import directory
from reconciler.desired.directory import read_directory
from reconciler.evidence.signers import AllowedSigners, parse
from tests.support import trust_signing as signing
from tests.support.fleet_git import SIGNERS, START
from tests.support.trust_fleet import POLICY, TrustFleet, line, signers_text

_POLICY = """\
format: 1
people:
  - {{id: alice, principals: [alice@msp.example], roles: [engineer, security], all_clients: true}}
  - {{id: bob, principals: [bob@msp.example], roles: [engineer, security], all_clients: true}}
  - {{id: carol, principals: [carol@msp.example], roles: [engineer], all_clients: true}}
rules:
  - {{id: trust, paths: ["policies/trust/**"], authors: [security], approvals: 1}}
  - {{id: runbooks, paths: ["runbooks/**"], authors: [engineer], approvals: 1}}
  - id: clients
    paths: ["hosts/{{client}}/**", "policies/exceptions/{{client}}/**", "approvals/{{client}}/**"]
    authors: [engineer]
    approvals: {approvals}
  - {{id: rest, paths: ["**"], authors: [engineer], approvals: {approvals}}}
"""
_AUTHORS = ("alice", "bob", "carol")
_CLIENTS = 20


@dataclass(frozen=True, slots=True)
class History:
    """A branch of one repository, and what is known of it before.

    Attributes:
        repository: Bare; packed.
        accepted: The first commit.
        head: So many commits later.
        commits: That many.
        each: Commit of the attestations with an approval for each commit; None if there are none.
        whole: Commit of the attestations with one approval for all of them.
        signers: File for `git verify-commit`.
        now: A moment after all that.
    """

    repository: Path
    accepted: str
    head: str
    commits: int
    each: str | None
    whole: str | None
    signers: Path
    now: datetime

    @property
    def pinned(self) -> AllowedSigners:
        """The signer of the first commit."""
        return parse(line("alice").encode(), "pinned")


def history(commits: int, *, approvals: int | None) -> History:
    """A history in which each commit changes one file of one client.

    Args:
        commits: How many follow the first one.
        approvals: How many other people must approve a change; None: there is no trust policy.
    """
    place = directory()
    # Tens of thousands of loose objects: only the packed repository has to be on a disk.
    loose = Path(tempfile.mkdtemp(prefix="reconciler-bench-", dir="/dev/shm"))
    try:
        fleet = TrustFleet(loose / "fleet.git")
        accepted = fleet.begin(files=_template(), policy=_policy(approvals))
        approved = dict(_grown(fleet, commits))
        each, whole = _attested(fleet, accepted, approved) if approvals else (None, None)
        git_peer.git(
            loose, "clone", "-q", "--mirror", "--no-local", "fleet.git", str(place / "git")
        )
    finally:
        shutil.rmtree(loose)
    now = START + timedelta(minutes=fleet.minutes + 10)
    signers = _configured(place / "git")
    return History(place / "git", accepted, fleet.head, commits, each, whole, signers, now)


def _attested(
    fleet: TrustFleet, accepted: str, approved: dict[str, bytes]
) -> tuple[str | None, str | None]:
    """Attestations with an approval for each commit, and with two people's for all of them."""
    fleet.put_all(approved)
    each = fleet.attestations
    fleet.put_all(dict.fromkeys(approved))
    fleet.put_all(dict(_approval(fleet, by, accepted) for by in ("alice", "bob")))
    return each, fleet.attestations


def _configured(repository: Path) -> Path:
    signers = repository.with_name("allowed_signers")
    signers.write_text(signers_text())
    for name, value in (("gpg.format", "ssh"), ("gpg.ssh.allowedSignersFile", str(signers))):
        git_peer.git(repository, "config", name, value)
    return signers


def _policy(approvals: int | None) -> str | None:
    return None if approvals is None else _POLICY.format(approvals=approvals)


def _template() -> dict[str, str]:
    files = {path: data.decode() for path, data in read_directory(PROJECT).items()}
    hosts = {
        f"hosts/clinic-{number}/desk.yaml": f"id: desk\nnumber: {number}\n"
        for number in range(_CLIENTS)
    }
    return {path: text for path, text in (files | hosts).items() if path not in (SIGNERS, POLICY)}


def _grown(fleet: TrustFleet, commits: int) -> Iterator[tuple[str, bytes]]:
    """Append commits; for each, an approval by somebody else."""
    index = pygit2.Index()
    index.read_tree(fleet.repository[fleet.head].peel(pygit2.Tree))
    for number in range(commits):
        path = f"hosts/clinic-{number % _CLIENTS}/desk.yaml"
        blob = fleet.repository.create_blob(f"id: desk\nnumber: {number + _CLIENTS}\n".encode())
        index.add(pygit2.IndexEntry(path, blob, FileMode.BLOB))
        tree = str(index.write_tree(fleet.repository))
        before = fleet.head
        fleet.head = fleet.commit(_AUTHORS[number % 3], tree=tree, move=False)
        yield _approval(fleet, _AUTHORS[(number + 1) % 3], before)
    fleet.move(fleet.head)


def _approval(fleet: TrustFleet, by: str, base: str) -> tuple[str, bytes]:
    tree = fleet.tree_id(fleet.head)
    predicate = {
        "branch": fleet.branch,
        "base": base,
        "tree": tree,
        "plan": None,
        "approver": f"{by}@msp.example",
        "issued": fleet.moment(None),
        "expires": None,
    }
    payload = signing.statement("fleet-approval", signing.of_tree(tree), predicate)
    data = signing.envelope(payload, by)
    return f"approvals/{tree}/{hashlib.sha256(data).hexdigest()}.dsse.json", data

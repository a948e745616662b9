"""A fleet repository with people, a trust policy and attestations, made object by object.

On top of `tests.support.fleet_git`: the same people (their test keys), the same clock (minutes
after ``START``), the same paths. Commits are raw objects and not processes of git, so that a test
can afford hundreds, with any parents, tree, signer and time.

    fleet = TrustFleet(tmp_path / "fleet.git")
    root = fleet.begin()                                  # POLICY, SIGNERS, a clinic, a runbook
    tip = fleet.commit("alice", {"runbooks/RB-X-001.yaml": "id: RB-X-001\n"})
    fleet.approve("bob", tip)                             # base: what `tip` follows
    fleet.heartbeat("ci", tip, counter=1)

A name is a key: ``alice`` is `test_key`, ``bob-sk`` a hardware key that software plays. The
principal of a name is ``<name>@msp.example`` unless a line says otherwise.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.desired.attestations import Attestations
from reconciler.desired.trust.acceptance import Acceptance
from reconciler.desired.trust.verify import verify_new
from reconciler.evidence import signers
from tests.support import trust_signing as signing
from tests.support.fleet_git import NOW, SIGNERS, at
from tests.support.trust_objects import RawRepository, Tree, well_formed
from tests.support.trust_signing import ATTESTATION, GIT

POLICY = "policies/trust/policy.yaml"
POLICY_TEXT = """\
format: 1
people:
  - {id: alice, principals: [alice@msp.example], roles: [engineer, security], all_clients: true}
  - id: bob
    principals: [bob@msp.example, bob-sk@msp.example]
    roles: [engineer, security]
    clients: [example-clinic]
  - {id: carol, principals: [carol@msp.example], roles: [engineer, owner], all_clients: true}
  - {id: erin, principals: [erin@msp.example], roles: [engineer], clients: [elm-street]}
  - {id: frank, principals: [frank@msp.example], roles: [auditor]}
machines:
  - {id: ci, principals: [ci@msp.example], roles: [heartbeat, release]}
  - {id: bot, principals: [bot@msp.example], roles: [engineer], all_clients: true}
rules:
  - id: trust
    paths: ["policies/trust/**"]
    authors: [security]
    approvals: 1
    approvers: [security, engineer]
  - {id: runbooks, paths: ["runbooks/**"], authors: [engineer], approvals: 1}
  - id: clients
    paths: ["hosts/{client}/**", "policies/exceptions/{client}/**", "approvals/{client}/**"]
    authors: [engineer]
    approvals: 0
  - {id: docs, paths: ["*.md", "docs/**"], authors: [engineer, auditor], approvals: 0}
  - {id: policies, paths: ["policies/**"], authors: [engineer], approvals: 1}
recovery: {roles: [security, owner], people: 2}
"""
"""No rule for what lies elsewhere: there a change is refused."""

PEOPLE = ("alice", "bob", "bob-sk", "carol", "erin", "frank")


def line(
    name: str,
    *,
    principal: str | None = None,
    namespaces: Sequence[str] = (GIT, ATTESTATION),
    after: str | None = None,
    before: str | None = None,
) -> str:
    """A line of allowed signers; times as ``20260301Z``."""
    options = [f'namespaces="{",".join(namespaces)}"']
    options += [f'valid-after="{after}"'] if after else []
    options += [f'valid-before="{before}"'] if before else []
    owner = principal or f"{name}@msp.example"
    return f"{owner} {','.join(options)} {signing.public_text(name)}\n"


def signers_text(*names: str) -> str:
    """Allowed signers: people for both namespaces, ``ci`` for attestations alone."""
    chosen = names or (*PEOPLE, "bot", "ci")
    return "".join(
        line(name, namespaces=(ATTESTATION,) if name == "ci" else (GIT, ATTESTATION))
        for name in chosen
    )


class TrustFleet(RawRepository):
    """A repository, and the branch that people work on.

    Attributes:
        head: Commit of the branch.
    """

    def __init__(self, path: Path, branch: str = "main", attestations: str = "attestations"):
        """Open a repository, or make a bare one."""
        super().__init__(path, branch)
        self.branch = branch
        self._attestations = f"refs/heads/{attestations}"
        self._minutes = 0.0
        found = self.repository.references.get(f"refs/heads/{branch}")
        self.head = "" if found is None else str(found.target)

    def begin(
        self,
        by: str = "alice",
        *,
        policy: str | None = POLICY_TEXT,
        signers: str | None = None,
        files: Mapping[str, str] | None = None,
    ) -> str:
        """The first commit: trust, a clinic, a runbook, a text that is no desired state."""
        content = {
            SIGNERS: signers or signers_text(),
            "hosts/example-clinic/client.yaml": "id: example-clinic\n",
            "policies/rules/ssh.yaml": "id: ssh\n",
            "runbooks/RB-A-001.yaml": "id: RB-A-001\n",
            "README.md": "not desired state\n",
            **(files or {}),
        }
        if policy is not None:
            content[POLICY] = policy
        return self.commit(by, content, parents=())

    def commit(
        self,
        by: str | None,
        changes: Mapping[str, str | bytes | None] | None = None,
        *,
        parents: Sequence[str] | None = None,
        tree: Tree | str | None = None,
        minutes: float | None = None,
        namespace: str = GIT,
        move: bool = True,
    ) -> str:
        """A commit, signed by a name or by nobody.

        Args:
            by: Whose key.
            changes: Content by path, None removes; on top of the tree or the first parent's.
            parents: Default: the branch's head.
            tree: Start from this and not from the first parent; an id is taken as it is.
            minutes: Committer time after ``START``; default: one later than the last.
            namespace: Of the signature.
            move: Whether the branch follows; False leaves a commit on a side.
        """
        follows = tuple((self.head,) if parents is None else parents)
        if isinstance(tree, str):
            oid = tree
        else:
            base = tree if tree is not None else self.tree(follows[0]) if follows else {}
            oid = self.write_tree(well_formed(self.changed(base, changes or {})))
        self._minutes = self._minutes + 1 if minutes is None else minutes
        made = self.store(self.raw(by, oid, follows, namespace))
        if move:
            self.move(made)
        return made

    def merge(
        self,
        by: str | None,
        *others: str,
        changes: Mapping[str, str | bytes | None] | None = None,
        into: str | None = None,
        minutes: float | None = None,
        move: bool = True,
    ) -> str:
        """Merge path by path as git does where no text conflicts; ours where both changed.

        Args:
            by: Whose key.
            others: Further parents.
            changes: What the merge changes besides.
            into: First parent; default: the branch's head.
            minutes: As for `commit`.
            move: As for `commit`.
        """
        ours = into or self.head
        merged = self.tree(ours)
        for other in others:
            found = self.repository.merge_base(ours, other)
            base = self.tree(str(found)) if found is not None else {}
            merged = _three_way(merged, self.tree(other), base)
        parents = (ours, *others)
        return self.commit(by, changes, parents=parents, tree=merged, minutes=minutes, move=move)

    def approve(
        self,
        by: str,
        commit: str | None = None,
        *,
        base: str | None = "",
        tree: str | None = None,
        branch: str | None = None,
        approver: str | None = None,
        issued: float | None = None,
        expires: float | None = None,
        plan: str | None = None,
        namespace: str = ATTESTATION,
    ) -> str:
        """Approve the tree of a commit; returns the file's path on the attestations branch.

        Args:
            by: Whose key.
            commit: Whose tree; default: the head.
            base: What it follows; default: its first parent.
            tree: Another tree.
            branch: Another branch.
            approver: Another principal.
            issued: Minutes after ``START``; default: the last commit's.
            expires: Minutes, None for never.
            plan: Digest of the plan.
            namespace: Of the signature.
        """
        chosen = commit or self.head
        oid = tree or self.tree_id(chosen)
        parents = self.parents(chosen)
        predicate = {
            "branch": branch or self.branch,
            "base": (parents[0] if parents else None) if base == "" else base,
            "tree": oid,
            "plan": plan,
            "approver": approver or f"{by}@msp.example",
            "issued": self.moment(issued),
            "expires": None if expires is None else self.moment(expires),
        }
        payload = signing.statement("fleet-approval", signing.of_tree(oid), predicate)
        return self._attest(f"approvals/{oid}", payload, by, namespace)

    def heartbeat(
        self,
        by: str,
        commit: str | None = None,
        *,
        counter: int = 1,
        time: float | None = None,
        branch: str | None = None,
        place: str | None = None,
    ) -> str:
        """Say that a commit is the newest; ``place`` is the folder if another than the branch's."""
        chosen = commit or self.head
        name = branch or self.branch
        predicate = {
            "branch": name,
            "commit": chosen,
            "counter": counter,
            "time": self.moment(time),
        }
        subject = signing.of_commit(self.read(chosen))
        data = signing.envelope(signing.statement("fleet-heartbeat", subject, predicate), by)
        path = f"heartbeats/{place or name}/heartbeat.dsse.json"
        self.put(path, data)
        return path

    def release(
        self,
        by: str,
        commit: str | None = None,
        *,
        time: float | None = None,
        branch: str | None = None,
        place: str | None = None,
        **other: object,
    ) -> str:
        """Attest a release of a commit; ``other`` replaces fields of the statement."""
        chosen = commit or self.head
        predicate = {
            "branch": branch or self.branch,
            "commit": chosen,
            "tree": self.tree_id(chosen),
            "files_sha256": signing.files_sha256(self.desired(chosen)),
            "time": self.moment(time),
            "systems": {},
            **other,
        }
        subject = signing.of_commit(self.read(chosen))
        payload = signing.statement("fleet-release", subject, predicate)
        return self._attest(f"releases/{place or chosen}", payload, by)

    def recover(
        self,
        by: Iterable[str],
        replaces: Iterable[str],
        to: str | None = None,
        *,
        branch: str | None = None,
        issued: float | None = None,
        reason: str = "rewritten-history",
        place: str | None = None,
    ) -> tuple[str, ...]:
        """One envelope a name over the same bytes: the branch goes on from another commit."""
        chosen = to or self.head
        predicate = {
            "branch": branch or self.branch,
            "replaces": sorted(replaces),
            "to": chosen,
            "tree": self.tree_id(chosen),
            "issued": self.moment(issued),
            "reason": reason,
        }
        subject = signing.of_commit(self.read(chosen))
        payload = signing.statement("fleet-recovery", subject, predicate)
        return tuple(self._attest(f"recoveries/{place or chosen}", payload, name) for name in by)

    def put(self, path: str, data: bytes | None) -> None:
        """Put a file on the attestations branch, or remove it; nobody signs that commit."""
        self.put_all({path: data})

    def put_all(self, files: Mapping[str, bytes | None]) -> None:
        """Put many files on the attestations branch in one commit."""
        before = self.attestations
        tree = self.write_tree(self.changed(self.tree(before) if before else {}, files))
        made = self.store(self.raw(None, tree, (before,) if before else (), GIT))
        self.repository.references.create(self._attestations, made, force=True)

    def verify(
        self,
        accepted: str | None,
        head: str | None = None,
        *,
        pinned: bytes | None = None,
        now: datetime = NOW,
        branch: str | None = None,
        **options: Any,
    ) -> Acceptance:
        """`verify_new` on this repository; the head is the branch's, alice is pinned."""
        return verify_new(
            self.repository,
            accepted,
            head or self.head,
            signers.parse(line("alice").encode() if pinned is None else pinned, "pinned"),
            now,
            branch=branch or self.branch,
            attestations=Attestations(self.repository, self.attestations),
            **options,
        )

    def new_since(self, accepted: str) -> set[str]:
        """Commits of the head that an accepted one does not have."""
        walker = self.repository.walk(self.head)
        walker.hide(accepted)
        return {str(commit.id) for commit in walker}

    @property
    def attestations(self) -> str | None:
        """Newest commit of the attestations branch."""
        found = self.repository.references.get(self._attestations)
        return None if found is None else str(found.target)

    def move(self, commit: str) -> None:
        """Put the branch onto a commit, as a push, forced or not, does."""
        self.repository.references.create(f"refs/heads/{self.branch}", commit, force=True)
        self.head = commit

    def raw(self, by: str | None, tree: str, parents: Sequence[str], namespace: str) -> bytes:
        """The bytes of a commit at the present minute."""
        person = f"A <a@msp.example> {int(at(self._minutes).timestamp())} +0000"
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        head = "\n".join([*lines, f"author {person}", f"committer {person}"])
        payload = f"{head}\n\nm\n".encode()
        if by is None:
            return payload
        armor = signing.armored(signing.sshsig(by, payload, namespace)).replace("\n", "\n ")
        return f"{head}\ngpgsig {armor}\n\nm\n".encode()

    def moment(self, minutes: float | None) -> str:
        """A time of a statement; default: now, as far as commits go."""
        return signing.moment(at(self._minutes if minutes is None else minutes))

    @property
    def minutes(self) -> float:
        """Committer time of the newest commit, after ``START``."""
        return self._minutes

    def later(self, **time: float) -> None:
        """Let time pass before the next commit."""
        self._minutes += timedelta(**time) / timedelta(minutes=1)

    def _attest(self, folder: str, payload: bytes, by: str, namespace: str = ATTESTATION) -> str:
        data = signing.envelope(payload, by, namespace=namespace)
        path = f"{folder}/{hashlib.sha256(data).hexdigest()}.dsse.json"
        self.put(path, data)
        return path


def _three_way(ours: Tree, theirs: Tree, base: Tree) -> Tree:
    """What only they changed is theirs; the rest is ours."""
    result = dict(ours)
    for path in {*ours, *theirs, *base}:
        if ours.get(path) == base.get(path) and path in theirs:
            result[path] = theirs[path]
        elif ours.get(path) == base.get(path):
            result.pop(path, None)
    return well_formed(result)

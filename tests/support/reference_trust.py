"""Whether a new desired state is trusted, decided slowly: a second opinion on `verify_new`.

Written from the rules (docs/trust.md) and not from the code that it checks. A reader should be able
to hold each function against its rule. Every commit's whole tree is a dictionary, reachability is
a set, nothing is remembered between questions. Without keyless signatures.

    decide(Question(...)) -> Accepted | Refused
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tests.support.reference_documents import (
    Attested,
    Broken,
    Line,
    Member,
    Policy,
    Rule,
    dearmor,
    principal_of,
    read_attested,
    read_policy,
    read_signers,
    verify_sshsig,
)
from tests.support.reference_git import Files, History, RefCommit
from tests.support.trust_signing import files_sha256

SIGNERS, POLICY, TRUST = (
    "policies/trust/allowed_signers",
    "policies/trust/policy.yaml",
    "policies/trust/",
)
ROOTS = ("acknowledgements/", "approvals/", "hosts/", "policies/", "runbooks/")
TOLERANCE = timedelta(minutes=5)
LOOK_BACK = 1000
FOLDER = 256
"""So many files of a folder of attestations are read, by name."""
SSH = frozenset({"ssh"})
T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """What an appliance knows when it decides.

    Attributes:
        history: The fleet repository.
        head: What is offered.
        accepted: What was accepted last.
        pin: What settings name in its place when nothing was.
        pinned: Allowed signers of the enrolment, a file's content.
        now: Wall time.
        branch: The branch that is followed.
        attestations: Commit of the attestations branch.
        last_recovery: When the newest recovery that was used was issued.
    """

    history: History
    head: str
    accepted: str | None
    pinned: bytes
    now: datetime
    branch: str = "main"
    pin: str | None = None
    attestations: str | None = None
    last_recovery: datetime | None = None


@dataclass(frozen=True)
class Accepted:
    """Yes; ``base`` is what it was held against, ``recovered`` whether a recovery chose that."""

    base: str | None
    recovered: bool
    new: frozenset[str]


@dataclass(frozen=True)
class Refused(Exception):
    """No, with the code and the commit that fails.

    Attributes:
        code: Why.
        commit: Which.
        others: What may be named instead: where the rules fix no order among commits or paths.
    """

    code: str
    commit: str | None
    others: frozenset[tuple[str, str | None]] = field(default=frozenset(), compare=False)

    @property
    def all(self) -> set[tuple[str, str | None]]:
        """Every code and commit that a right refusal may name."""
        return {(self.code, self.commit), *self.others}


def decide(question: Question) -> Accepted | Refused:
    """The decision."""
    try:
        return Decision(question).decide()
    except Refused as refused:
        return refused


class Decision:
    """One question, thought through."""

    def __init__(self, question: Question) -> None:
        self.q = question
        self.history = question.history
        self.commits = question.history.commits
        # In what follows, A is what was accepted, or the pin.
        self.A = question.accepted or question.pin
        self.new: set[str] = set()

    def decide(self) -> Accepted:
        recovered = self.recovery()
        if recovered is not None:
            self.head(recovered, ssh="ssh" in self.required())
            self.A = recovered
        self.fast_forward()
        reach_a = self.history.reach(self.A) if self.A else set()
        self.new = self.history.reach(self.q.head) - reach_a
        answer = Accepted(self.A, recovered is not None, frozenset(self.new))
        self.branch()
        required = self.required()
        self.history_holds("ssh" in required)
        if not self.new and recovered is None and self.q.accepted is not None:
            return answer
        self.head(self.q.head, ssh="ssh" in required)
        if "release" in required:
            self.release()
        return answer

    def history_holds(self, ssh: bool) -> None:
        commits = [self.commits[oid] for oid in self.history.parents_first(self.new)]
        for_each(commits, lambda commit: self.times_and_signature(commit, ssh))
        if ssh:
            for_each(commits, self.authors)
            self.steps()

    def times_and_signature(self, commit: RefCommit, ssh: bool) -> None:
        if ssh:
            self.key(commit)
        self.times(commit)
        if ssh:
            self.signature(commit)

    # --- what a tree says -----------------------------------------------------------------------

    def policy(self, commit: str | None, asked: str | None = None) -> Policy | None:
        """P(commit); a policy that does not read refuses whoever needs it."""
        entry = self.history.files(commit).get(POLICY) if commit else None
        if entry is None:
            return None
        try:
            return read_policy(self.history.blob(entry[1]))
        except Broken as error:
            raise Refused("trust-policy-broken", asked or commit) from error

    def signers(self, commit: str, asked: str) -> list[Line]:
        entry = self.history.files(commit).get(SIGNERS)
        if entry is None or entry[0] not in ("100644", "100755"):
            raise Refused("signers-missing", asked)
        return self.read_signers(self.history.blob(entry[1]), asked)

    def read_signers(self, data: bytes, asked: str) -> list[Line]:
        try:
            return read_signers(data)
        except (Broken, ValueError, IndexError) as error:
            raise Refused("signers-missing", asked) from error

    def key(self, commit: RefCommit) -> bytes:
        """Whose signature a commit carries."""
        if commit.armor is None:
            raise Refused("unsigned", commit.oid)
        try:
            return verify_sshsig(dearmor(commit.armor), commit.payload, "git")
        except (Broken, ValueError) as error:
            raise Refused("bad-signature", commit.oid) from error

    # --- R0: only forward, and time with it -----------------------------------------------------

    def fast_forward(self) -> None:
        if self.A is None:
            return
        if self.A not in self.commits:
            raise Refused("not-fast-forward", self.q.head)
        if self.A not in self.history.reach(self.q.head):
            older = self.q.head in self.history.reach(self.A)
            raise Refused("rewound" if older else "not-fast-forward", self.q.head)

    def times(self, commit: RefCommit) -> None:
        if commit.time > self.q.now + TOLERANCE:
            raise Refused("from-the-future", commit.oid)
        if any(commit.time < self.commits[parent].time for parent in commit.parents):
            raise Refused("time-went-back", commit.oid)

    # --- R1: signatures -------------------------------------------------------------------------

    def signature(self, commit: RefCommit) -> None:
        key = self.key(commit)
        authorities = [self.signers(parent, commit.oid) for parent in commit.parents]
        for lines in authorities or [self.read_signers(self.q.pinned, commit.oid)]:
            self.allowed(commit, key, lines)
        if self.A and self.outside(commit):
            self.listed(commit, key, self.signers(self.A, commit.oid))
        for authority in (*commit.parents, self.A):
            policy = self.policy(authority, commit.oid)
            if policy and policy.is_revoked(key, commit.time):
                raise Refused("signer-revoked", commit.oid)

    def allowed(self, commit: RefCommit, key: bytes, lines: list[Line]) -> str:
        principal, why = principal_of(lines, key, "git", commit.time)
        if principal is None:
            raise Refused(why, commit.oid)
        return principal

    def listed(self, commit: RefCommit, key: bytes, lines: list[Line]) -> str:
        if all(line.key != key for line in lines):
            raise Refused("signer-revoked", commit.oid)
        return self.allowed(commit, key, lines)

    def outside(self, commit: RefCommit) -> bool:
        """Whether it grew from before A: a root, or with a parent that is not new."""
        return not commit.parents or not self.new.issuperset(commit.parents)

    # --- own changes ----------------------------------------------------------------------------

    def own_changes(self, commit: RefCommit, parent: str | None) -> set[str]:
        """Paths that the signer of a commit changed against one parent; None: the empty tree."""
        mine = self.history.files(commit.oid)
        theirs = self.history.files(parent) if parent else {}
        differing = {x for x in {*mine, *theirs} if mine.get(x) != theirs.get(x)}
        others = [q for q in commit.parents if q != parent]
        return {
            x for x in differing if not any(self.clean(x, mine, theirs, parent, q) for q in others)
        }

    def clean(self, x: str, mine: Files, p: Files, parent: str | None, other: str) -> bool:
        """Whether a three-way merge would have taken x from the other parent by itself."""
        if mine.get(x) != self.history.files(other).get(x):
            return False
        bases = self.history.merge_bases(parent, other) if parent else set()
        if not bases:
            return x not in p
        return all(self.history.files(b).get(x) == p.get(x) for b in bases)

    def all_own_changes(self, commit: RefCommit) -> set[str]:
        """Against any parent; a root changed everything that it has."""
        parents = commit.parents or (None,)
        return set().union(*(self.own_changes(commit, parent) for parent in parents))

    # --- R2: authors ----------------------------------------------------------------------------

    def authors(self, commit: RefCommit) -> None:
        for parent in commit.parents:
            policy = self.policy(parent, commit.oid)
            if policy:
                self.author(commit, policy, parent, self.own_changes(commit, parent))
        if self.A and self.outside(commit):
            policy = self.policy(self.A, commit.oid)
            if policy:
                self.author(commit, policy, self.A, self.all_own_changes(commit))

    def author(self, commit: RefCommit, policy: Policy, where: str, changes: set[str]) -> None:
        """Whether policy and signers of one tree let the signer make these changes."""
        lines = self.signers(where, commit.oid)
        member = policy.member(self.listed(commit, self.key(commit), lines))
        owned = [policy.owner(x) for x in changes]
        if None in owned:
            raise Refused("path-unowned", commit.oid)
        if member is None:
            raise Refused("wrong-role", commit.oid)
        if not all(member.may(found[0].authors, found[1]) for found in owned if found):
            raise Refused("wrong-role", commit.oid)

    # --- R3: thresholds, step by step along the first-parent line -------------------------------

    def steps(self) -> None:
        line = self.history.line(self.q.head)
        steps = [i for i in range(1, len(line)) if line[i] in self.new]
        if self.A and self.policy(self.A, self.q.head) and self.A not in line:
            raise Refused("not-first-parent", self.q.head)
        for i in steps:
            self.held_to_line(line, i)
        for i in steps:
            self.threshold(line, i)

    def brought(self, line: list[str], i: int) -> set[str]:
        """The commits that a step brings into the line."""
        return self.history.reach(line[i]) - self.history.reach(line[i - 1])

    def held_to_line(self, line: list[str], i: int) -> None:
        """Trust grows along this line alone: what a side branch made of it counts for nobody."""
        before = line[i - 1]
        policy = self.policy(before, line[i])
        if policy is not None:
            commits = self.history.parents_first(self.brought(line, i) & self.new)
            for_each(commits, lambda oid: self.held_to(self.commits[oid], policy, before))

    def held_to(self, commit: RefCommit, policy: Policy, before: str) -> None:
        lines = self.signers(before, commit.oid)
        self.listed(commit, self.key(commit), lines)
        if policy.is_revoked(self.key(commit), commit.time):
            raise Refused("signer-revoked", commit.oid)
        self.author(commit, policy, before, self.all_own_changes(commit))

    def threshold(self, line: list[str], i: int) -> None:
        before, after = line[i - 1], self.commits[line[i]]
        policy = self.policy(before, after.oid)
        if policy is None:
            return
        brought = self.brought(line, i)
        old, new = self.history.files(before), self.history.files(after.oid)
        changed = sorted({x for x in {*old, *new} if old.get(x) != new.get(x)})
        for_each(changed, lambda x: self.agreed(x, line, i, policy, brought))

    def agreed(self, x: str, line: list[str], i: int, policy: Policy, brought: set[str]) -> None:
        """Whether enough others agree to the change of one path in a step."""
        before, after = line[i - 1], line[i]
        found = policy.owner(x)
        if found is None:
            raise Refused("path-unowned", after)
        rule, client = found
        counted = {
            person.id
            for person in self.agreeing(line, i, policy, rule)
            if person.may(rule.approvers, client)
        }
        counted -= self.authors_of(brought, policy, before, rule)
        if len(counted) < rule.approvals:
            raise Refused("approvals-missing", after)

    def member_of(self, key: bytes, namespace: str, at: datetime, p: Policy, where: str) -> Member:
        principal, _ = principal_of(self.signers(where, where), key, namespace, at)
        return p.member(principal) or Member("", (), frozenset(), frozenset(), False, person=False)

    def authors_of(self, brought: set[str], policy: Policy, before: str, rule: Rule) -> set[str]:
        """People who changed anything that a rule owns in this step."""
        found = set()
        for oid in brought:
            commit = self.commits[oid]
            if self.touches(commit, policy, rule):
                who = self.member_of(self.key(commit), "git", commit.time, policy, before)
                found.add(who.id)
        return found

    def touches(self, commit: RefCommit, policy: Policy, rule: Rule) -> bool:
        owners = [policy.owner(x) for x in self.all_own_changes(commit)]
        return any(found is not None and found[0] == rule for found in owners)

    def agreeing(self, line: list[str], i: int, policy: Policy, rule: Rule) -> list[Member]:
        """People who agree to a step: who merged it as it was, and who approved its outcome."""
        people = [*self.merging(line, i, policy, rule), *self.approving(line, i, policy)]
        return [member for member in people if member.person]

    def merging(self, line: list[str], i: int, policy: Policy, rule: Rule) -> list[Member]:
        after = self.commits[line[i]]
        if len(after.parents) < 2 or self.touches(after, policy, rule):
            return []
        return [self.member_of(self.key(after), "git", after.time, policy, line[i - 1])]

    def approving(self, line: list[str], i: int, policy: Policy) -> list[Member]:
        before, after = line[i - 1], self.commits[line[i]]
        people = []
        for approval in self.attested("approvals", "fleet-approval"):
            if self.covers(approval, line, i) and self.holds(approval, policy, before, after):
                at = approval.time("issued")
                people.append(
                    self.member_of(approval.key, "reconciler-attestation", at, policy, before)
                )
        return people

    def covers(self, approval: Attested, line: list[str], i: int) -> bool:
        """Whether a step lies between an approval's base and the first commit with its tree."""
        said = approval.predicate
        if said["branch"] != self.q.branch or said["base"] not in line:
            return False
        b = line.index(said["base"])
        lowest = line.index(self.A) - LOOK_BACK if self.A in line else 0
        trees = [self.commits[c].tree for c in line]
        if not max(0, lowest) <= b <= i - 1 or said["tree"] not in trees[b:]:
            return False
        j = b + trees[b:].index(said["tree"])
        return j >= i and self.sees_trust(line, i, j)

    def sees_trust(self, line: list[str], i: int, j: int) -> bool:
        """A change of trust counts as approved only if the approved tree shows it."""
        before, after, approved = (self.trust_files(line[k]) for k in (i - 1, i, j))
        return after in (before, approved)

    def trust_files(self, commit: str) -> Files:
        found = self.history.files(commit).items()
        return {path: entry for path, entry in found if path.startswith(TRUST)}

    def holds(self, approval: Attested, policy: Policy, before: str, after: RefCommit) -> bool:
        """Whether its key, times and approver are right for a step."""
        issued, expires = approval.time("issued"), approval.predicate["expires"]
        if issued > self.q.now + TOLERANCE:
            return False
        if expires is not None and approval.time("expires") < after.time:
            return False
        lines = self.signers(before, before)
        for at in (issued, after.time):
            principal, _ = principal_of(lines, approval.key, "reconciler-attestation", at)
            if principal is None or principal != approval.predicate["approver"]:
                return False
        return not any(
            p.is_revoked(approval.key, issued, after.time)
            for p in (policy, self.policy(self.A))
            if p is not None
        )

    # --- R5: what the head leaves behind --------------------------------------------------------

    def head(self, oid: str, *, ssh: bool) -> None:
        if ssh:
            self.head_signer(self.commits[oid])
        policy = self.policy(oid)
        if policy is None:
            if self.policy(self.A, oid):
                raise Refused("trust-policy-dropped", oid)
            return
        lines = self.signers(oid, oid)
        listed = {line.principal for line in lines}
        names = {name for member in policy.members for name in member.principals}
        if locked_out(policy) or not names <= listed:
            raise Refused("trust-policy-broken", oid)

    def head_signer(self, commit: RefCommit) -> None:
        lines, key = self.signers(commit.oid, commit.oid), self.key(commit)
        if self.A is None:
            pinned = self.read_signers(self.q.pinned, commit.oid)
            self.allowed(commit, key, pinned)
            self.allowed(replace(commit, time=self.q.now), key, pinned)
        self.listed(commit, key, lines)

    # --- R6: branches and releases --------------------------------------------------------------

    def authority(self) -> str:
        return self.A or self.q.head

    def required(self) -> frozenset[str]:
        policy = self.policy(self.authority(), self.q.head)
        if policy is None or not policy.branches:
            return SSH
        # A head that nothing was accepted before does not excuse itself from signatures.
        return policy.branches.get(self.q.branch, SSH) | (SSH if self.A is None else frozenset())

    def branch(self) -> None:
        policy = self.policy(self.authority(), self.q.head)
        if policy and policy.branches and self.q.branch not in policy.branches:
            raise Refused("branch-untrusted", self.q.head)

    def release(self) -> None:
        offered = self.attested(f"releases/{self.q.head}", "fleet-release")
        if not offered:
            raise Refused("release-missing", self.q.head)
        if not any(self.release_holds(one) for one in offered):
            raise Refused("release-refused", self.q.head)

    def release_holds(self, one: Attested) -> bool:
        head, said = self.commits[self.q.head], one.predicate
        desired = [
            (path, self.history.blob(oid))
            for path, (_, oid) in self.history.files(head.oid).items()
            if path.startswith(ROOTS)
        ]
        fits = (
            (said["branch"], said["commit"]) == (self.q.branch, head.oid)
            and said["tree"] == head.tree
            and said["files_sha256"] == files_sha256(desired)
            and one.subject["digest"]["sha256"] == hashlib.sha256(head.raw).hexdigest()
        )
        return fits and self.machine_holds(one, "release")

    def machine_holds(self, one: Attested, role: str) -> bool:
        """Whether a key may attest in a role: at its own time, and now."""
        where = self.authority()
        policy, lines = self.policy(where), self.signers(where, where)
        if one.time("time") > self.q.now + TOLERANCE:
            return False
        if policy is None or policy.is_revoked(one.key, one.time("time"), self.q.now):
            return False
        for at in (one.time("time"), self.q.now):
            principal, _ = principal_of(lines, one.key, "reconciler-attestation", at)
            member = policy.member(principal)
            if member is None or role not in member.roles:
                return False
        return True

    # --- R7: recovery ---------------------------------------------------------------------------

    def recovery(self) -> str | None:
        """Where a recovery puts A, if one holds: the newest."""
        if self.A is None or self.A not in self.commits:
            return None
        policy = self.policy(self.A, self.q.head)
        if policy is None or policy.recovery is None:
            return None
        holding = [one for one in self.attested("recoveries", "fleet-recovery") if self.may(one)]
        for payload in sorted({o.payload for o in holding}, key=lambda p: _issued(holding, p))[
            ::-1
        ]:
            signed = [one for one in holding if one.payload == payload]
            people = {self.recoverer(policy, one) for one in signed} - {None}
            if len(people) >= policy.recovery[1]:
                return str(signed[0].predicate["to"])
        return None

    def may(self, one: Attested) -> bool:
        """Whether a recovery is about this situation."""
        said, to = one.predicate, self.commits.get(one.predicate["to"])
        last = self.q.last_recovery or datetime.min.replace(tzinfo=UTC)
        return (
            to is not None
            and self.A in said["replaces"]
            and to.oid in self.history.reach(self.q.head)
            and said["branch"] == self.q.branch
            and said["tree"] == to.tree
            and one.subject["digest"]["sha256"] == hashlib.sha256(to.raw).hexdigest()
            and last < one.time("issued") <= self.q.now + TOLERANCE
        )

    def recoverer(self, policy: Policy, one: Attested) -> str | None:
        """The person who signed a recovery, if that person's signature counts."""
        assert self.A is not None
        assert policy.recovery is not None
        lines = self.signers(self.A, self.A)
        if policy.is_revoked(one.key, one.time("issued"), self.q.now):
            return None
        for at in (one.time("issued"), self.q.now):
            principal, _ = principal_of(lines, one.key, "reconciler-attestation", at)
            member = policy.member(principal)
            if member is None or not member.person or not member.roles & policy.recovery[0]:
                return None
        return member.id if member else None

    # --- the attestations branch ----------------------------------------------------------------

    def attested(self, folder: str, kind: str) -> list[Attested]:
        """Everything of a kind that reads."""
        if self.q.attestations is None:
            return []
        found = []
        taken: dict[str, int] = {}
        for path, (_, oid) in sorted(self.history.files(self.q.attestations).items()):
            place = path.rsplit("/", 1)[0]
            taken[place] = taken.get(place, 0) + 1
            if path.startswith(f"{folder}/") and taken[place] <= FOLDER:
                try:
                    one = read_attested(self.history.blob(oid))
                except Broken:
                    continue
                found += [one] if one.kind == kind else []
        return found


def for_each(items: Iterable[T], check: Callable[[T], None]) -> None:
    """Check all; the refusal of the first also tells those of the others."""
    refusals = []
    for item in items:
        try:
            check(item)
        except Refused as refused:
            refusals.append(refused)
    if refusals:
        others = frozenset((one.code, one.commit) for one in refusals)
        raise replace(refusals[0], others=others)


def _issued(some: list[Attested], payload: bytes) -> datetime:
    return next(one.time("issued") for one in some if one.payload == payload)


def locked_out(policy: Policy) -> bool:
    """Whether nobody could change the policy, or too few could recover, any more."""
    found = policy.owner(POLICY)
    if found is None:
        return True
    rule, client = found
    people = [member for member in policy.members if member.person]
    authors = [one for one in people if one.may(rule.authors, client)]
    approvers = {one.id for one in people if one.may(rule.approvers, client)}
    if not any(len(approvers - {author.id}) >= rule.approvals for author in authors):
        return True
    if policy.recovery is None:
        return False
    roles, needed = policy.recovery
    return len([one for one in people if one.roles & roles]) < needed

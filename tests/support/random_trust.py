"""Random fleets: people, policies, histories, approvals and what an appliance accepted of them.

The same for the same seed. Mostly honest, because a history in which everything is wrong says only
that the first check works; every kind of mistake and attack occurs a little.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.support.fleet_git import SIGNERS, at
from tests.support.reference_documents import (
    Broken,
    Policy,
    principal_of,
    read_policy,
    read_signers,
)
from tests.support.reference_git import History
from tests.support.reference_trust import Question
from tests.support.trust_fleet import POLICY, TrustFleet, line
from tests.support.trust_objects import well_formed
from tests.support.trust_signing import ATTESTATION, GIT, fingerprint, key_blob, moment

FILES = (
    "runbooks/a.yaml",
    "runbooks/b.yaml",
    "hosts/elm/x.yaml",
    "hosts/oak/y.yaml",
    "policies/rules/r.yaml",
    "README.md",
    "docs/guide.md",
    "flake.nix",
)
ROLES = ("engineer", "security", "owner")
PEOPLE = ("alice", "bob", "carol", "dave", "erin")
MACHINES = ("bot", "ci")
KEYS = (*PEOPLE, "bob-sk", *MACHINES)
RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("trust", ("policies/trust/**",)),
    ("runbooks", ("runbooks/**",)),
    ("clients", ("hosts/{client}/**",)),
    ("policies", ("policies/**",)),
    ("docs", ("*.md", "docs/**")),
    ("rest", ("**",)),
)
BROKEN = (
    "format: 1\n",
    "format: 2\npeople: []\nrules: []\n",
    "no: [yaml",
    '{"format": 1, "people": [], "rules": [], "surprise": 1}',
)

STEPS = 5
"""So many single steps are asked about."""

Json = dict[str, Any]


def random_questions(seed: int, folder: Path) -> list[Question]:
    """A fleet in a folder, and what to ask about it: the newest steps one by one, and jumps."""
    author = _Author(random.Random(seed), TrustFleet(folder / "fleet.git"))
    jump = author.question()
    line_of_main = author.line()[: STEPS + 1]
    steps = [
        replace(jump, accepted=before, head=after, pin=None)
        for after, before in pairwise(line_of_main)
    ]
    jumps = [replace(jump, accepted=one, pin=None) for one in line_of_main[2:4]]
    return [jump, *steps, *jumps]


class _Author:
    def __init__(self, chance: random.Random, fleet: TrustFleet) -> None:
        self.chance = chance
        self.fleet = fleet
        self.policy = self.some_policy()
        self.lines = {name: self.some_line(name) for name in KEYS}
        self.sides: list[str] = []
        self.accepted_line: list[str] = []

    # --- chance ---------------------------------------------------------------------------------

    def maybe(self, likely: float) -> bool:
        return self.chance.random() < likely

    def some(self, *names: str) -> list[str]:
        return self.chance.sample(names, self.chance.randint(1, len(names)))

    # --- documents ------------------------------------------------------------------------------

    def some_policy(self) -> Json:
        pick = self.chance
        people = [self.some_member(name, ROLES) for name in PEOPLE]
        people[0] |= {"roles": ["engineer", "security"], "all_clients": True}
        people[1] |= {"principals": ["bob@msp.example", "bob-sk@msp.example"]}
        ci = {"id": "ci", "principals": ["ci@msp.example"], "roles": ["heartbeat", "release"]}
        bot = {"id": "bot", "principals": ["bot@msp.example"], "roles": ["engineer"]}
        policy: Json = {
            "format": 1,
            "people": people,
            "machines": [ci, bot | {"all_clients": True}],
            "rules": [
                self.some_rule(*rule) for rule in RULES if rule[0] != "rest" or pick.random() < 0.8
            ],
        }
        if self.maybe(0.75):
            policy["recovery"] = {"roles": self.some("security", "owner"), "people": 2}
        if self.maybe(0.15):
            require = pick.choice([["ssh"], ["ssh", "release"], ["release"]])
            name = "main" if self.maybe(0.9) else "elsewhere"
            policy["branches"] = [{"name": name, "require": require}]
        return policy

    def some_member(self, name: str, roles: tuple[str, ...]) -> Json:
        member: Json = {"id": name, "principals": [f"{name}@msp.example"]}
        member["roles"] = sorted({*self.some(*roles), *(["engineer"] if self.maybe(0.7) else [])})
        if self.maybe(0.5):
            member["all_clients"] = True
        elif self.maybe(0.7):
            member["clients"] = self.some("elm", "oak")
        return member

    def some_rule(self, name: str, paths: tuple[str, ...]) -> Json:
        authors = ["engineer"] if self.maybe(0.6) else self.some(*ROLES)
        if name == "trust" and self.maybe(0.7):
            authors = ["security"]
        approvals = self.chance.choices([0, 1, 2], [3, 6, 1])[0]
        rule: Json = {"id": name, "paths": list(paths), "authors": authors, "approvals": approvals}
        return rule | ({"approvers": self.some(*ROLES)} if self.maybe(0.4) else {})

    def some_line(self, name: str) -> str:
        spaces: tuple[str, ...] = (ATTESTATION,) if name == "ci" else (GIT, ATTESTATION)
        if self.maybe(0.04):
            spaces = self.chance.choice([(GIT,), (ATTESTATION,)])
        window: dict[str, str] = {}
        if name != "alice" and self.maybe(0.08):
            end = self.chance.choice(["before", "before", "after"])
            window = {end: f"{at(self.chance.randint(0, 60)):%Y%m%d%H%MZ}"}
        return line(name, namespaces=spaces, **window)

    def signers(self) -> str:
        return "".join(self.lines.values())

    def policy_of(self, commit: str) -> Policy | None:
        entry = self.fleet.tree(commit).get(POLICY)
        try:
            return read_policy(self.fleet.read(entry[1])) if entry else None
        except Broken:
            return None

    # --- who signs ------------------------------------------------------------------------------

    def signer(self, parent: str, paths: Mapping[str, object]) -> str | None:
        if self.maybe(0.04):
            return self.chance.choice([None, "mallory", *KEYS, *KEYS])
        policy = self.policy_of(parent)
        if policy is None:
            return self.chance.choice([*PEOPLE])
        owned = [policy.owner(path) for path in paths]
        able = [
            name
            for name in KEYS
            if (member := policy.member(f"{name}@msp.example"))
            and (self.maybe(0.08) or self.listed(name, parent))
            and all(o is not None and member.may(o[0].authors, o[1]) for o in owned)
        ]
        return self.chance.choice(able or ["alice"])

    def listed(self, name: str, parent: str) -> bool:
        entry = self.fleet.tree(parent).get(SIGNERS)
        try:
            lines = read_signers(self.fleet.read(entry[1])) if entry else []
        except Broken:
            return False
        return principal_of(lines, key_blob(name), GIT, at(self.fleet.minutes + 1))[0] is not None

    # --- what changes ---------------------------------------------------------------------------

    def edit(self) -> dict[str, str | bytes | None]:
        if self.maybe(0.15):
            return self.trust_edit()
        chosen = self.chance.sample(FILES, self.chance.choice([1, 1, 1, 2]))
        return {path: self.chance.choice("0123") + "\n" for path in chosen}

    def trust_edit(self) -> dict[str, str | bytes | None]:
        act = self.chance.choice([self.edit_policy] * 6 + [self.edit_signers] * 4 + [self.spoil])
        return act()

    def edit_policy(self) -> dict[str, str | bytes | None]:
        pick, policy = self.chance, json.loads(json.dumps(self.policy))
        kind = pick.choice(["member", "rule", "revoke", "approvals", "branch"])
        if kind == "member":
            place = pick.randrange(1, len(PEOPLE))
            policy["people"][place]["roles"] = self.some(*ROLES)
        if kind == "rule":
            place = pick.randrange(len(policy["rules"]))
            old = policy["rules"][place]
            policy["rules"][place] = self.some_rule(old["id"], tuple(old["paths"]))
        if kind == "approvals":
            pick.choice(policy["rules"])["approvals"] = pick.choice([0, 1])
        if kind == "revoke":
            effective = moment(at(self.fleet.minutes + pick.randint(-20, 20)))
            key = fingerprint(pick.choice(KEYS))
            policy.setdefault("revoked", []).append(
                {"key": key, "effective": effective, "reason": "laptop-stolen"}
            )
            policy["revoked"] = list({one["key"]: one for one in policy["revoked"]}.values())
        if kind == "branch" and self.maybe(0.3):
            policy["branches"] = [{"name": pick.choice(["main", "main", "other"])}]
        self.policy = policy
        return {POLICY: json.dumps(policy)}

    def edit_signers(self) -> dict[str, str | bytes | None]:
        name = self.chance.choice(KEYS[1:])
        if name in self.lines and self.maybe(0.3):
            del self.lines[name]
        else:
            self.lines[name] = self.some_line(name)
        return {SIGNERS: self.signers()}

    def spoil(self) -> dict[str, str | bytes | None]:
        locked = json.loads(json.dumps(self.policy))
        locked["recovery"] = {"roles": ["nobody"], "people": 2}
        owned = json.loads(json.dumps(self.policy))
        owned["rules"] = [rule for rule in owned["rules"] if rule["id"] in ("runbooks", "docs")]
        options: list[dict[str, str | bytes | None]] = [
            {POLICY: self.chance.choice(BROKEN)},
            {POLICY: json.dumps(locked)},
            {POLICY: json.dumps(owned)},
            {SIGNERS: "# nobody\n"},
            {SIGNERS: line("alice")},
        ]
        if self.maybe(0.4) and POLICY in self.fleet.tree(self.fleet.head):
            return {POLICY: None}
        return self.chance.choice(options)

    # --- history --------------------------------------------------------------------------------

    def write(self) -> None:
        content: dict[str, str] = {path: "0\n" for path in FILES if self.maybe(0.8)}
        content[SIGNERS] = self.signers()
        self.with_policy = self.maybe(0.92)
        if self.with_policy:
            content[POLICY] = json.dumps(self.policy)
        self.fleet.commit("alice", content, parents=())
        acts: list[Callable[[], object]] = [
            *(6 * [self.on_main] + 4 * [self.on_side] + 4 * [self.merge_side]),
            *(self.squash, self.restore, self.fast_forward, self.evil, self.ours, self.octopus),
            *(self.criss_cross, self.unrelated, self.cherry, self.mode, self.folder, self.oddity),
            *(self.forth_and_back, self.merge_side, self.empty, self.revoke_late, self.revoke_late),
            *(self.rollback, self.hidden_trust, self.foxtrot),
        ]
        for _ in range(self.chance.randrange(2, 9)):
            if self.maybe(0.4):
                self.fleet.later(minutes=self.chance.randint(0, 8))
            latest = self.fleet.minutes
            self.chance.choice(acts)()
            # A clock that was wrong for one commit is right again.
            self.fleet.later(minutes=max(0, latest - self.fleet.minutes))

    def step(self, made: str) -> None:
        """Who agrees to the newest commit of main: all of them rightly, or all with one mistake."""
        first = self.fleet.parents(made)[0] if self.fleet.parents(made) else None
        if first is None or self.maybe(0.1) or self.policy_of(first) is None:
            return
        wrong = self.mistake() if self.maybe(0.35) else {}
        if not wrong:
            if self.fleet.parents(first) and self.maybe(0.2):
                wrong["base"] = self.fleet.parents(first)[0]
            if self.maybe(0.15):
                wrong["expires"] = self.fleet.minutes + self.chance.randint(0, 90)
        for by in self.chance.sample([*PEOPLE, "bob-sk"], self.chance.choice([1, 3, 4, 4])):
            self.fleet.approve(by, made, **wrong)
        if self.maybe(0.05):
            self.fleet.approve(self.chance.choice(["bot", "mallory", "ci"]), made)

    def mistake(self) -> dict[str, Any]:
        anywhere = self.chance.choice(self.everything())
        return self.chance.choice(
            [
                {"branch": "other"},
                {"base": None},
                {"base": anywhere},
                {"tree": self.fleet.tree_id(anywhere)},
                {"expires": self.fleet.minutes - 1},
                {"expires": self.fleet.minutes},
                {"issued": self.fleet.minutes + self.chance.choice([1, 600])},
                {"issued": self.fleet.minutes - 30},
                {"approver": "carol@msp.example"},
                {"namespace": GIT},
            ]
        )

    def everything(self) -> list[str]:
        found, waiting = [], [self.fleet.head, *self.sides]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.append(one)
                waiting += self.fleet.parents(one)
        return found

    def minutes(self) -> dict[str, float]:
        return (
            {"minutes": self.fleet.minutes - self.chance.randint(2, 9)} if self.maybe(0.01) else {}
        )

    def on_main(self) -> None:
        changes, head = self.edit(), self.fleet.head
        namespace = "file" if self.maybe(0.01) else GIT
        by = self.signer(head, changes)
        self.step(self.fleet.commit(by, changes, namespace=namespace, **self.minutes()))

    def on_side(self) -> None:
        start = self.chance.choice([self.fleet.head, *self.sides, *self.everything()])
        changes = self.edit()
        changes = {p: c for p, c in changes.items() if c is not None or p in self.fleet.tree(start)}
        made = self.fleet.commit(
            self.signer(start, changes), changes, parents=[start], move=False, **self.minutes()
        )
        self.sides = [side for side in self.sides if side != start] + [made]

    def side(self) -> str:
        if not self.sides or self.maybe(0.1):
            self.on_side()
        return self.chance.choice(self.sides)

    def merge_side(self) -> None:
        side = self.side()
        self.step(self.fleet.merge(self.signer(self.fleet.head, {}), side))

    def evil(self) -> None:
        side, changes = self.side(), self.edit()
        by = self.signer(self.fleet.head, changes)
        changes = {path: content for path, content in changes.items() if content is not None}
        made = self.fleet.merge(by, side, changes=changes)
        if self.maybe(0.5):
            self.step(made)

    def ours(self) -> None:
        side, head = self.side(), self.fleet.head
        tree = self.fleet.tree(self.chance.choice([head, head, side]))
        by = self.signer(head, {})
        self.step(self.fleet.commit(by, parents=[head, side], tree=tree))

    def octopus(self) -> None:
        sides = list(dict.fromkeys([self.side(), self.side(), self.side()]))
        self.step(self.fleet.merge(self.signer(self.fleet.head, {}), *sides))

    def criss_cross(self) -> None:
        side, head = self.side(), self.fleet.head
        back = self.fleet.merge(self.signer(side, {}), head, into=side, move=False)
        self.step(self.fleet.merge(self.signer(head, {}), side))
        self.sides = [one for one in self.sides if one != side] + [back]

    def foxtrot(self) -> None:
        """A merge the wrong way round: the side becomes the first parent."""
        side, head = self.side(), self.fleet.head
        made = self.fleet.merge(self.signer(side, {}), head, into=side)
        for by in self.chance.sample(PEOPLE, 4):
            self.fleet.approve(by, made)

    def squash(self) -> None:
        side, head = self.side(), self.fleet.head
        found = self.fleet.repository.merge_base(head, side)
        before = self.fleet.tree(str(found)) if found else {}
        after, tree = self.fleet.tree(side), self.fleet.tree(head)
        changed = [p for p in {*before, *after} if before.get(p) != after.get(p)]
        for path in changed:
            tree.pop(path, None)
            if path in after:
                tree[path] = after[path]
        by = self.signer(head, dict.fromkeys(changed))
        self.step(self.fleet.commit(by, tree=well_formed(tree)))

    def restore(self) -> None:
        old, head = self.chance.choice(self.everything()), self.fleet.head
        one, two = self.fleet.tree(old), self.fleet.tree(head)
        changed = {p: None for p in {*one, *two} if one.get(p) != two.get(p)}
        made = self.fleet.commit(self.signer(head, changed), tree=one)
        if self.maybe(0.5):
            self.step(made)

    def rollback(self) -> None:
        """What was approved, and replaced since, comes back without a word."""
        path = self.chance.choice(FILES[:5])
        for content in ("4\n", "5\n"):
            made = self.fleet.commit(self.signer(self.fleet.head, {path: None}), {path: content})
            for by in PEOPLE:
                self.fleet.approve(by, made)
        old = self.fleet.tree(self.fleet.parents(self.fleet.head)[0])
        self.fleet.commit(self.signer(self.fleet.head, {path: None}), tree=old)

    def hidden_trust(self) -> None:
        """Trust is loosened, used and tightened again below approvals of what it comes to."""
        base = self.fleet.head
        kept = self.fleet.tree(base).get(POLICY)
        who = self.signer(base, {POLICY: None})
        loose = json.loads(json.dumps(self.policy))
        for rule in loose["rules"]:
            rule["approvals"] = 0
        path = self.chance.choice(FILES[:5])
        if self.maybe(0.7):
            self.fleet.commit(who, {POLICY: json.dumps(loose)})
        self.fleet.commit(self.signer(base, {path: None}), {path: "6\n"})
        if kept is not None:
            self.fleet.commit(who, {POLICY: self.fleet.read(kept[1]), "hosts/elm/x.yaml": "6\n"})
        for by in self.chance.sample(PEOPLE, 4):
            self.fleet.approve(by, base=base)

    def fast_forward(self) -> None:
        side = self.side()
        if self.fleet.repository.descendant_of(side, self.fleet.head):
            self.fleet.move(side)
            self.step(side)

    def cherry(self) -> None:
        """The same change on both sides."""
        changes = {self.chance.choice(FILES): self.chance.choice("0123") + "\n"}
        head = self.fleet.head
        side = self.fleet.commit(self.signer(head, changes), changes, move=False)
        self.step(self.fleet.commit(self.signer(head, changes), changes))
        self.sides.append(side)

    def unrelated(self) -> None:
        content: dict[str, str | bytes | None] = {self.chance.choice(FILES): "9\n"}
        if self.maybe(0.6):
            content |= {SIGNERS: self.signers()}
        by = self.chance.choice(["alice", "alice", "bob", "erin"])
        root = self.fleet.commit(by, content, parents=(), move=False)
        self.sides.append(root)
        if self.maybe(0.6):
            self.step(self.fleet.merge(self.signer(self.fleet.head, {}), root))

    def forth_and_back(self) -> None:
        """Trust that changes on a side branch, is used there, and changes back before the merge."""
        start = self.fleet.head
        who = self.signer(start, {POLICY: None, SIGNERS: None})
        puppet = {SIGNERS: self.signers() + line("mallory")}
        policy = json.loads(json.dumps(self.policy))
        policy["people"].append(
            {
                "id": "x",
                "principals": ["mallory@msp.example"],
                "roles": ["engineer"],
                "all_clients": True,
            }
        )
        begun = self.fleet.commit(who, puppet | {POLICY: json.dumps(policy)}, move=False)
        used = self.fleet.commit(
            "mallory", {self.chance.choice(FILES): "7\n"}, parents=[begun], move=False
        )
        trust = {
            path: self.fleet.read(self.fleet.tree(start)[path][1])
            if path in self.fleet.tree(start)
            else None
            for path in (POLICY, SIGNERS)
        }
        back = self.fleet.commit(who, trust, parents=[used], move=False)
        self.step(self.fleet.merge(who, back))

    def revoke_late(self) -> None:
        """A key turns out to have been stolen some time ago."""
        policy = json.loads(json.dumps(self.policy))
        effective = moment(at(self.fleet.minutes - self.chance.randint(0, 30)))
        thief = self.chance.choice(KEYS[1:-1])
        key = fingerprint(thief)
        policy["revoked"] = [{"key": key, "effective": effective, "reason": "laptop-stolen"}]
        self.policy, change = policy, {POLICY: json.dumps(policy)}
        made = self.fleet.commit(self.signer(self.fleet.head, change), change)
        for name in ("alice", "carol", "dave"):
            self.fleet.approve(name, made)
        if self.maybe(0.6):
            path = self.chance.choice(FILES[:5])
            made = self.fleet.commit(thief, {path: "8\n"})
            for name in self.chance.sample(PEOPLE, 3):
                self.fleet.approve(name, made)

    def mode(self) -> None:
        head = self.fleet.head
        tree = self.fleet.tree(head)
        path = self.chance.choice([path for path in tree if "trust" not in path])
        tree[path] = ("100755", tree[path][1])
        self.step(self.fleet.commit(self.signer(head, {path: None}), tree=tree))

    def folder(self) -> None:
        """A file becomes a folder."""
        head = self.fleet.head
        tree = self.fleet.tree(head)
        path = self.chance.choice(["README.md", "docs/guide.md"])
        if path in tree:
            entry = tree.pop(path)
            tree[f"{path}/inner"] = entry
            by = self.signer(head, {path: None, f"{path}/inner": None})
            self.step(self.fleet.commit(by, tree=well_formed(tree)))

    def empty(self) -> None:
        self.step(self.fleet.commit(self.signer(self.fleet.head, {}), {}))

    def oddity(self) -> None:
        """A signature that does not fit, or is a copy of another commit's."""
        raw = self.fleet.raw("alice", self.fleet.tree_id(self.fleet.head), [self.fleet.head], GIT)
        if self.maybe(0.3):
            self.fleet.move(self.fleet.store(raw.replace(b"author A", b"author B")))

    # --- the question ---------------------------------------------------------------------------

    def question(self) -> Question:
        self.write()
        line_of_main = self.line()
        accepted = self.some_accepted(line_of_main)
        head = self.some_head(accepted)
        chance = self.chance
        self.attest(head, accepted)
        now = at(self.fleet.minutes + chance.choice([0, 3, 60, 600]))
        if self.maybe(0.02):
            now = at(self.fleet.minutes - 30)
        last = at(self.fleet.minutes - chance.randint(0, 60)) if self.maybe(0.2) else None
        pin = None
        if accepted is not None and self.maybe(0.1):
            accepted, pin = None, accepted
        return Question(
            history=History(self.fleet.path),
            head=head,
            accepted=accepted,
            pin=pin,
            pinned=(line("alice") + line("bob")).encode(),
            now=now,
            attestations=self.fleet.attestations,
            last_recovery=last,
        )

    def line(self) -> list[str]:
        found = [self.fleet.head]
        while parents := self.fleet.parents(found[-1]):
            found.append(parents[0])
        return found

    def some_accepted(self, line_of_main: list[str]) -> str | None:
        if self.maybe(0.08):
            return None
        if self.maybe(0.08):
            return self.chance.choice(self.everything())
        return self.chance.choice(line_of_main[self.chance.random() > 0.04 :][:5] or line_of_main)

    def some_head(self, accepted: str | None) -> str:
        if self.maybe(0.06) and self.sides:
            return self.chance.choice(self.sides)
        if self.maybe(0.03):
            return self.chance.choice(self.everything())
        return self.fleet.head

    def attest(self, head: str, accepted: str | None) -> None:
        """Releases where they are asked for, and now and then a recovery."""
        policy = self.policy_of(accepted or head)
        if policy and any("release" in need for need in policy.branches.values()):
            self.attest_release(head)
        if accepted and self.maybe(0.25):
            self.attest_recovery(head, accepted)

    def attest_release(self, head: str) -> None:
        wrong: dict[str, Any] = self.chance.choice(
            [{"branch": "other"}, {"tree": "0" * 40}, {"files_sha256": "0" * 64}, {"time": -9000}]
        )
        for kind in self.chance.choice(["", "w", "r", "r", "rw"]):
            by = self.chance.choice(["ci", "ci", "ci", "ci", "alice"])
            self.fleet.release(by, head, **(wrong if kind == "w" else {}))

    def attest_recovery(self, head: str, accepted: str) -> None:
        one, *some = self.chance.sample(PEOPLE, 3)
        by = self.chance.choice([[one], some, some, list(PEOPLE), ["bob", "bob-sk"], [one, "bot"]])
        to = self.chance.choice([head, head, *self.everything()])
        replaces = {self.chance.choice([accepted, accepted, accepted, head])}
        other: dict[str, Any] = self.chance.choice(
            [{}, {}, {}, {"branch": "other"}, {"issued": self.fleet.minutes + 600}]
        )
        self.fleet.recover(by, replaces, to, **other)

"""A ledger in memory that can be forged: every part of an append can be replaced by a wrong one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.errors import EvidenceError
from reconciler.evidence import commit, dsse, layout, signers, slim, sshsig, statement
from reconciler.evidence.audit import AuditReport, audit
from reconciler.evidence.canonical import digest
from reconciler.evidence.entry import UNKNOWN_CLOCK
from reconciler.evidence.key_change import (
    Action,
    Announcement,
    KeyChange,
    Reason,
    authorize,
    prove,
)
from reconciler.evidence.merkle import Frontier, leaf_hash
from reconciler.evidence.note import Checkpoint, sign_checkpoint
from reconciler.evidence.planting import plant
from reconciler.evidence.record import Branch
from reconciler.evidence.source import object_id
from reconciler.evidence.statement import Entry, Kind, Reference, Subject
from reconciler.evidence.tree import Trees
from tests.support.evidence_keys import test_key

START = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
STEP = timedelta(minutes=20)
CLIENT, HOST = "smile", "desk"
KEY = test_key("smile/desk")


def signer_line(principal: str, key: Ed25519PrivateKey, options: str = "") -> str:
    namespaces = ",".join(filter(None, ('namespaces="git"', options)))
    return f"{principal} {namespaces} {sshsig.public_text(sshsig.raw_public(key))}\n"


def allowed(*lines: str) -> signers.AllowedSigners:
    return signers.parse("".join(lines).encode(), "allowed_signers")


HONEST = allowed(signer_line("smile/desk", KEY))


@dataclass
class Parts:
    """One append, before it is put together; attacks replace parts of it."""

    entry: Entry
    commit_key: Ed25519PrivateKey
    dsse_key: Ed25519PrivateKey
    parents: tuple[str, ...]
    base: str | None
    path: str
    person: commit.Person
    message: bytes
    payload: Callable[[bytes], bytes] = lambda payload: payload
    envelope: Callable[[bytes], bytes] = lambda envelope: envelope
    root: Callable[[str], str] = lambda root: root
    raw: Callable[[bytes], bytes] = lambda raw: raw


@dataclass
class Forge:
    """Objects and references; an `ObjectSource`."""

    client: str = CLIENT
    host: str = HOST
    key: Ed25519PrivateKey = KEY
    objects: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    last: Entry | None = None
    last_digest: str | None = None
    base: int | None = None
    commits: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def read(self, oid: str) -> tuple[str, bytes]:
        if oid not in self.objects:
            raise EvidenceError(f"object {oid} is missing", hint="none")
        kind, raw = self.objects[oid]
        if object_id(kind, raw) != oid:
            raise EvidenceError(f"object {oid} does not hash to its name", hint="none")
        return kind, raw

    def ref(self, name: str) -> str | None:
        return self.names.get(name)

    def refs(self) -> Mapping[str, str]:
        return self.names

    def put(self, kind: str, raw: bytes) -> str:
        oid = object_id(kind, raw)
        self.objects[oid] = (kind, raw)
        return oid

    @property
    def branch(self) -> str:
        return layout.ref_name(self.client, self.host)

    def next_entry(self, kind: Kind, body: Mapping[str, Any], **changes: Any) -> Entry:
        last = self.last
        still_open = [] if last is None else list(last.open)
        if last is not None and last.kind is Kind.INTENT:
            still_open.append(Reference(last.seq, self.last_digest or ""))
        closes = changes.get("closes")
        entry = Entry(
            kind=kind,
            seq=0 if last is None else last.seq + 1,
            previous=self.last_digest,
            ref=self.branch,
            client=self.client,
            host=self.host,
            recorded_at=statement.stamp(START if last is None else last.time + STEP),
            clock=UNKNOWN_CLOCK,
            base=None,
            boot_id="11111111-2222-3333-4444-555555555555",
            tool={"reconciler": "0.1.0"},
            subject=None if last is None else Subject("c" * 40, "d" * 64),
            log=self.log(changes.get("seq", len(self.digests))),
            closes=None,
            open=tuple(reference for reference in still_open if reference != closes),
            body=body,
        )
        return replace(entry, **changes)

    def slim_entry(self, kind: Kind, body: Mapping[str, Any], **changes: Any) -> Entry:
        """The next entry without a file: what it leaves out is as in its base."""
        left_out = {"boot_id": None, "tool": {}, "subject": None, "log": None, "open": ()}
        return self.next_entry(kind, body, **{"base": self.base, **left_out, **changes})

    def log(self, size: int) -> Frontier:
        """The log of the entries so far, cut or filled to a size."""
        digests = [*self.digests, *["0" * 64] * (size - len(self.digests))][:size]
        return Frontier.empty().extend(leaf_hash(bytes.fromhex(digest)) for digest in digests)

    def announcement(self, key: Ed25519PrivateKey, action: Action) -> Announcement:
        """What is signed to have another key take over with the next entry."""
        public = sshsig.raw_public(key)
        return Announcement(self.branch, len(self.digests), self.digests[-1], public, action)

    def rotate(self, key: Ed25519PrivateKey, proof: str | None = None) -> str:
        """Announce another key, which signs from the next entry on."""
        announcement = self.announcement(key, Action.ROTATE)
        proof = proof or prove(announcement, key)
        change = KeyChange(Action.ROTATE, announcement.public, proof, None, Reason.SCHEDULED)
        oid = self.append(Kind.KEY_CHANGE, change.to_body())
        self.key = key
        return oid

    def replace_key(self, key: Ed25519PrivateKey, person: Ed25519PrivateKey) -> str:
        """Have another key take over with the next entry, as a person authorizes."""
        announcement = self.announcement(key, Action.REPLACE)
        by = authorize(announcement, person)
        change = KeyChange(
            Action.REPLACE, announcement.public, prove(announcement, key), by, Reason.LOST
        )
        self.key = key
        return self.append(Kind.KEY_CHANGE, change.to_body())

    def note(self, size: int | None = None, root: bytes | None = None) -> str:
        """A checkpoint of the log so far, or of something else, signed."""
        size = len(self.digests) if size is None else size
        origin = layout.origin(self.client, self.host)
        checkpoint = Checkpoint(origin, size, root or self.log(size).root())
        return sign_checkpoint(checkpoint, self.key)

    def genesis_body(self) -> dict[str, Any]:
        return {"memory": {}, "key": sshsig.public_text(sshsig.raw_public(self.key))}

    def append(
        self,
        kind: Kind = Kind.RUN,
        body: Mapping[str, Any] | None = None,
        spoil: Callable[[Parts], None] = lambda _parts: None,
        **changes: Any,
    ) -> str:
        usual = self.genesis_body() if kind is Kind.GENESIS else {"pass": 30, "fail": 0}
        return self._add(self.next_entry(kind, body or usual, **changes), spoil)

    def append_slim(
        self,
        kind: Kind = Kind.RUN,
        body: Mapping[str, Any] | None = None,
        spoil: Callable[[Parts], None] = lambda _parts: None,
        **changes: Any,
    ) -> str:
        usual = {"like": self.base, "reached": True, "took_ms": 900}
        said = usual if body is None else body
        return self._add(self.slim_entry(kind, said, **changes), spoil)

    def _add(self, entry: Entry, spoil: Callable[[Parts], None]) -> str:
        tip = self.names.get(self.branch)
        line = slim.to_line(entry) if entry.slim else b""
        parts = Parts(
            entry=entry,
            commit_key=self.key,
            dsse_key=self.key,
            parents=() if tip is None else (tip,),
            base=None if tip is None else commit.tree_of(self.read(tip)[1]),
            path=layout.entry_path(entry),
            person=layout.committer(entry),
            message=layout.commit_message(entry, line),
        )
        spoil(parts)
        return self._write(parts)

    def _write(self, parts: Parts) -> str:
        entry = parts.entry
        plain = slim.to_line(entry) if entry.slim else statement.to_payload(entry)
        payload = parts.payload(plain)
        root = parts.root(self._planted(parts, payload))
        message = parts.message.replace(plain, payload) if entry.slim else parts.message
        person = parts.person
        to_sign = commit.unsigned(root, parts.parents, person, person, message)
        armor = sshsig.sign(parts.commit_key, to_sign, "git")
        oid = self.put("commit", parts.raw(commit.with_signature(to_sign, armor)))
        self.names[self.branch] = oid
        self.last, self.last_digest = entry, digest(payload)
        self.base = self.base if entry.slim else entry.seq
        self.commits.append(oid)
        self.digests.append(self.last_digest)
        return oid

    def _planted(self, parts: Parts, payload: bytes) -> str:
        """The tree with the file of an entry, or as it was for one without a file."""
        if parts.entry.slim:
            return parts.base or ""
        envelope = parts.envelope(dsse.seal(payload, dsse.PAYLOAD_TYPE, parts.dsse_key))
        planted = plant(Trees(self), parts.base, parts.path, envelope)
        for kind, raw in planted.objects:
            self.put(kind, raw)
        return planted.root

    def audit(self, who: signers.AllowedSigners = HONEST, **options: Any) -> AuditReport:
        return audit(self, Branch(self.client, self.host, who), **options)


def honest(runs: int = 6, **options: Any) -> Forge:
    """Genesis, then runs with one healed intent among them; crosses midnight."""
    forge = Forge(**options)
    forge.append(Kind.GENESIS)
    for number in range(1, runs):
        if number == 2:
            forge.append(Kind.INTENT, {"action": "RB-TIME-001"})
        elif number == 3:
            closes = Reference(2, forge.digests[2])
            forge.append(Kind.OUTCOME, {"result": "healed"}, closes=closes)
        else:
            forge.append()
    return forge

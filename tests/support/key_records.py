"""Proven entries without a repository: what the fold over keys sees."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.evidence import key_change, signers, sshsig
from reconciler.evidence.entry import UNKNOWN_CLOCK, Entry, Kind, stamp
from reconciler.evidence.key_change import Action, Announcement, KeyChange, Reason
from reconciler.evidence.record import Record
from tests.support.evidence_keys import test_key

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND, THIRD = (test_key(f"elm/front {name}") for name in ("first", "second", "third"))
ROGUE, OTHER_APPLIANCE, WITNESS = map(test_key, ("mallory", "elm/back", "witness/hub"))
PERSON = test_key("recovery@msp.example")


def public(key: Ed25519PrivateKey) -> bytes:
    return sshsig.raw_public(key)


def line(principal: str, key: Ed25519PrivateKey, options: str = "", comment: str = "") -> str:
    words = (principal, options, sshsig.public_text(public(key)), comment)
    return " ".join(word for word in words if word) + "\n"


RECOVERY = 'namespaces="reconciler-key-recovery"'
TRUSTED = "".join(
    (
        line("elm/front", FIRST, 'namespaces="git"'),
        line("elm/front", SECOND, 'namespaces="git"'),
        line("elm/front", THIRD, 'namespaces="git"'),
        line("elm/back", OTHER_APPLIANCE, 'namespaces="git"'),
        line("witness/hub", WITNESS),
        line("recovery@msp.example", PERSON, RECOVERY),
    )
)


def trusted(*more: str) -> signers.AllowedSigners:
    return signers.parse((TRUSTED + "".join(more)).encode(), "evidence_signers")


class Branch:
    """A branch of records, each by the key it is given."""

    def __init__(self, key: Ed25519PrivateKey = FIRST, place: str = "elm/front") -> None:
        self.client, self.host = place.split("/")
        self.key = key
        self.records: list[Record] = []
        self.add(Kind.GENESIS, {"key": sshsig.public_text(public(key))})

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.client}/{self.host}"

    def entry(self, kind: Kind, body: Mapping[str, Any]) -> Entry:
        seq = len(self.records)
        return Entry(
            kind=kind,
            seq=seq,
            previous=self.records[-1].digest if self.records else None,
            ref=self.ref,
            client=self.client,
            host=self.host,
            recorded_at=stamp(START + timedelta(minutes=seq)),
            clock=UNKNOWN_CLOCK,
            base=None,
            boot_id=None,
            tool={},
            subject=None,
            log=None,
            closes=None,
            open=(),
            body=body,
        )

    def add(
        self,
        kind: Kind = Kind.RUN,
        body: Mapping[str, Any] | None = None,
        key: Ed25519PrivateKey | None = None,
        **changes: Any,
    ) -> Record:
        entry = replace(self.entry(kind, body or {}), **changes)
        record = Record(
            f"{entry.seq:040x}", entry, f"{entry.seq + 1:064x}", public(key or self.key)
        )
        self.records.append(record)
        return record

    def announcement(self, new: Ed25519PrivateKey, action: Action) -> Announcement:
        """What is signed for a change that comes next."""
        seq, previous = len(self.records), self.records[-1].digest
        return Announcement(self.ref, seq, previous, public(new), action)

    def rotate(self, new: Ed25519PrivateKey, **spoiled: Any) -> Record:
        proof = key_change.prove(self.announcement(new, Action.ROTATE), new)
        body = {**rotation(new, proof), **spoiled}
        record = self.add(Kind.KEY_CHANGE, body)
        self.key = new
        return record

    def replace(
        self, new: Ed25519PrivateKey, person: Ed25519PrivateKey = PERSON, **spoiled: Any
    ) -> Record:
        announcement = self.announcement(new, Action.REPLACE)
        change = KeyChange(
            Action.REPLACE,
            public(new),
            key_change.prove(announcement, new),
            key_change.authorize(announcement, person),
            Reason.LOST,
        )
        self.key = new
        return self.add(Kind.KEY_CHANGE, {**change.to_body(), **spoiled})


def rotation(new: Ed25519PrivateKey, proof: str) -> dict[str, Any]:
    return KeyChange(Action.ROTATE, public(new), proof, None, Reason.SCHEDULED).to_body()

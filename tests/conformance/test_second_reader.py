"""Mutated statements, trees and notes, random histories: both verifiers refuse the same ones.

What the document leaves open, two readers of it would fill differently; this is how that is found.
"""

import json
import random
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import note, slim, statement, tree
from reconciler.evidence.audit import audit
from reconciler.evidence.record import Branch
from reconciler.evidence.testimony import hear
from tests.support import second_verifier as second
from tests.support.evidence_vectors import FOLDERS, load
from tests.support.forge import Forge
from tests.support.random_history import LINES, SIGNERS, random_history

pytestmark = pytest.mark.conformance

EVERY_SIZE = frozenset(range(20))
VALUES = (
    *(None, True, False, 0, 1, -1, 2**53 - 1, 2**53, 99_999_999, 100_000_000, [], {}, [None]),
    *("", "a", "a" * 64, "A" * 64, "0" * 40, "é", "\u0663", "kernel", "run", "gap", "genesis"),
    *("key-change", "checkpoint", "ledger", "fleet", "urn:reconciler:attestation:run:v1"),
    *("refs/heads/smile/desk", "refs/heads/a/b", "9999-12-31T23:59:59.999Z"),
    *("0000-01-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z", "2026-03-01T24:00:00.000Z"),
)


def contents(kind: str) -> Iterator[bytes]:
    for folder in FOLDERS:
        for found, raw in load(folder).objects.values():
            if found == kind:
                yield raw


def payloads() -> list[bytes]:
    return [
        b64decode(json.loads(raw)["payload"])
        for raw in set(contents("blob"))
        if raw.startswith(b'{"payload":"') and b'","payloadType"' in raw
    ]


def lines() -> list[bytes]:
    messages = (raw.partition(b"\n\n")[2].partition(b"\n\n")[2] for raw in set(contents("commit")))
    return [text.removesuffix(b"\n") for text in messages if text.startswith(b'{"at"')]


def slots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((*path, key))
        if isinstance(item, dict | list):
            found += slots(item, (*path, key))
    return found


def changed(data: bytes, chance: random.Random) -> bytes:
    """A statement with one value changed, or one character of its text."""
    try:
        whole = json.loads(data)
    except ValueError:
        return data
    *parents, last = chance.choice(slots(whole))
    inner = whole
    for key in parents:
        inner = inner[key]
    if chance.random() < 0.8:
        inner[last] = chance.choice(VALUES)
    elif isinstance(inner, dict):
        inner[chance.choice(["zz", "é", "seq", "sha256"])] = inner.pop(last)
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return (
        flipped(text, chance, ' \t"\\u1,{}[]e.-').encode()
        if chance.random() < 0.1
        else text.encode()
    )


def flipped(text: str, chance: random.Random, by: str) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice(by) + text[at + chance.choice([0, 1]) :]


def holds(act: Callable[[], object], *refusals: type[Exception]) -> bool:
    try:
        act()
    except refusals:
        return False
    return True


def agreed(ours: Callable[[], object], theirs: Callable[[], object]) -> bool:
    """Whether both accept; they must say the same."""
    accepted = holds(ours, EvidenceError)
    assert holds(theirs, second.Refused) == accepted
    return accepted


def test_statements_with_a_file() -> None:
    chance, sources = random.Random(1), sorted(payloads())
    for _ in range(1500):
        data = changed(chance.choice(sources), chance)
        agreed(lambda: statement.from_payload(data), lambda: second.with_file(data))  # noqa: B023
    assert agreed(lambda: statement.from_payload(sources[0]), lambda: second.with_file(sources[0]))


def test_slim_statements() -> None:
    chance, sources = random.Random(2), sorted(lines())
    for _ in range(1500):
        data = changed(chance.choice(sources), chance)
        agreed(lambda: slim.from_line(data), lambda: second.slim(data))  # noqa: B023
    assert agreed(lambda: slim.from_line(sources[0]), lambda: second.slim(sources[0]))


class OneTree(second.Git):
    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def read(self, _kind: str, _oid: str) -> bytes:
        return self.raw


def test_trees() -> None:
    chance, sources = random.Random(3), sorted(set(contents("tree")))
    for _ in range(1000):
        raw = bytearray(chance.choice(sources))
        raw[chance.randrange(len(raw))] = chance.choice(b"0/1.a\0\xff4 ")
        agreed(lambda: tree.parse(bytes(raw)), lambda: OneTree(bytes(raw)).tree(""))  # noqa: B023


class InMemory(second.Git):
    def __init__(self, forge: Forge) -> None:
        self.refs, self.forge = forge.names, forge

    def read(self, _kind: str, oid: str) -> bytes:
        return self.forge.read(oid)[1]


def faults_of(forge: Forge, signers: list[second.Signer]) -> list[tuple[str, str]]:
    ledger = second.Ledger(InMemory(forge), forge.branch, signers)
    if ledger.whole:
        second.Testimony(ledger, [ledger], signers)
    return ledger.faults


def test_whole_histories() -> None:
    listed, verdicts = second.trusted(LINES), []
    for seed in range(1000, 1150):
        forge = random_history(seed)
        report = audit(forge, Branch(forge.client, forge.host, SIGNERS), sizes=EVERY_SIZE)
        heard = hear(report, forge.client, forge.host, SIGNERS, ())
        ok = report.ok and not heard.faults
        assert ok == (not faults_of(forge, listed)), seed
        verdicts.append(ok)
    assert 20 <= sum(verdicts) <= 130


def test_notes() -> None:
    chance = random.Random(4)
    bodies = [json.loads(line)["body"] for line in sorted(lines()) if b'"note"' in line]
    for _ in range(1000):
        text = flipped(chance.choice(bodies)["note"], chance, "0A\n \u2014\u00a0+=\x07\r")
        agreed(lambda: note.read_checkpoint(text), lambda: second.read_note(text))  # noqa: B023

"""A long linear history in the form of a ledger, made fast: signed commits, most without a file.

Its statements say nothing; what counts is how objects look to whoever packs and reads them.
"""

import hashlib
import json
import random
import subprocess
import zlib
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.evidence import sshsig
from reconciler.evidence.commit import Person, unsigned, with_signature
from reconciler.evidence.planting import plant
from reconciler.evidence.source import framed, object_id
from reconciler.evidence.tree import Trees
from reconciler.ledger.objects import ObjectStore
from tests.support.evidence_keys import test_key

REF = "refs/heads/elm-street/front-desk"
WHO = "elm-street/front-desk"


def git(path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Stock git, without anybody's settings but the repository's."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "TZ": "UTC",
    }
    return subprocess.run(
        ["git", "-C", str(path), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def make_history(path: Path, entries: int, *, full_every: int = 10) -> list[str]:
    """A bare repository with loose objects; its commits, oldest first.

    Args:
        path: Where; must not exist.
        entries: How many commits.
        full_every: Every n-th adds a file, the others are slim.
    """
    assert git(path.parent, "init", "-q", "--bare", path.name).returncode == 0
    return lengthen(path, [], entries, full_every=full_every)


def lengthen(path: Path, commits: list[str], entries: int, *, full_every: int = 10) -> list[str]:
    """More commits on top of those that are there; all of them."""
    commits = list(commits)
    store = ObjectStore(path)
    root = _tree(store, commits[-1]) if commits else None
    trees = Trees(store)
    for seq in range(len(commits), len(commits) + entries):
        made: list[tuple[str, bytes]] = []
        if root is None or seq % full_every == 0:
            planted = plant(trees, root, _path(seq), _document(seq))
            root, made = planted.root, list(planted.objects)
        made.append(("commit", _commit(seq, root, commits)))
        for kind, raw in made:
            put(path, kind, raw)
        commits.append(object_id(*made[-1]))
    tip = path / REF
    tip.parent.mkdir(parents=True, exist_ok=True)
    tip.write_text(f"{commits[-1]}\n")
    (path / "HEAD").write_text(f"ref: {REF}\n")
    return commits


def put(path: Path, kind: str, raw: bytes) -> str:
    """A loose object, not synced."""
    oid = object_id(kind, raw)
    file = path / "objects" / oid[:2] / oid[2:]
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(zlib.compress(framed(kind, raw), 1))
    return oid


def _tree(store: ObjectStore, commit: str) -> str:
    return store.read(commit)[1][5:45].decode()


def _at(seq: int) -> datetime:
    return datetime(2026, 3, 1, 12, 5, tzinfo=UTC) + timedelta(minutes=seq)


def _path(seq: int) -> str:
    return f"entries/{_at(seq):%Y/%m/%d}/{seq:08d}.dsse.json"


def _noise(seq: int) -> random.Random:
    return random.Random(seq)


def _document(seq: int) -> bytes:
    """About as long as an envelope around the findings of some thirty checks."""
    source = _noise(seq)
    checks = [
        {
            "id": f"lnx.check.{number:03d}",
            "outcome": "pass" if source.random() < 0.97 else "fail",
            "observed": hashlib.sha256(bytes((number, source.randrange(2)))).hexdigest(),
        }
        for number in range(30)
    ]
    statement = {"at": f"{_at(seq):%FT%TZ}", "checks": checks, "seq": seq}
    payload = b64encode(json.dumps(statement).encode()).decode()
    signature = b64encode(source.randbytes(64)).decode()
    envelope = {
        "payload": payload,
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"keyid": "ab" * 32, "sig": signature}],
    }
    return json.dumps(envelope, separators=(",", ":")).encode()


def _line(seq: int) -> str:
    source = _noise(seq)
    base = seq // 60 * 60
    statement = {
        "at": f"{_at(seq):%FT%T}.{source.randrange(1000):03d}Z",
        "base": base,
        "body": {"like": base, "reached": True, "took_ms": source.randrange(60, 190)},
        "clock": {
            "offset_us": source.randrange(-40, 40),
            "source": "kernel",
            "synchronised": True,
            "uptime_s": 86400 + 60 * seq,
        },
        "kind": "run",
        "previous": hashlib.sha256(b"%d" % seq).hexdigest(),
        "ref": REF,
        "seq": seq,
    }
    return json.dumps(statement, separators=(",", ":"))


def _commit(seq: int, root: str, before: list[str]) -> bytes:
    email = "reconciler@front-desk.elm-street.invalid"
    person = Person(WHO, email, int(_at(seq).timestamp()), "+0000")
    message = f"run {seq} on {WHO}\n\n{_line(seq)}\n".encode()
    to_sign = unsigned(root, tuple(before[-1:]), person, person, message)
    return with_signature(to_sign, sshsig.sign(test_key(WHO), to_sign, sshsig.GIT_NAMESPACE))


def read_all(store: ObjectStore, commits: list[str]) -> Iterator[tuple[str, bytes]]:
    """Every commit, newest first, as a walk reads them."""
    for oid in reversed(commits):
        yield store.read(oid)

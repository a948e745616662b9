"""Reads ``tests/vectors/evidence`` back, and says what a verification found as the cases do."""

import hashlib
import json
import zlib
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.evidence.audit import AuditReport
from reconciler.evidence.entry import stamp
from reconciler.evidence.fault import Fault
from reconciler.evidence.testimony import Testimony
from reconciler.evidence.whole import Gap

ROOT = Path(__file__).parents[1] / "vectors" / "evidence"
FOLDERS = sorted(ROOT.iterdir())


@dataclass(frozen=True)
class Stored:
    """One case as it is stored."""

    folder: Path
    refs: Mapping[str, str]
    objects: Mapping[str, tuple[str, bytes]]
    signers: bytes
    expected: Mapping[str, Any]

    @property
    def fails(self) -> bool:
        return self.folder.name.endswith("_fail")


def load(folder: Path) -> Stored:
    stored = json.loads((folder / "repository.json").read_text())
    objects = {oid: (one["type"], _content(one)) for oid, one in stored["objects"].items()}
    signers = (folder / "allowed_signers").read_bytes()
    expected = json.loads((folder / "expected.json").read_text())
    return Stored(folder, stored["refs"], objects, signers, expected)


def _content(one: Mapping[str, str]) -> bytes:
    return one["text"].encode("ascii") if "text" in one else b64decode(one["base64"])


def materialize(stored: Stored, directory: Path) -> None:
    """A bare repository as git itself lays it out: loose objects, loose references."""
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (directory / name).mkdir(parents=True)
    (directory / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    branches = [name for name in stored.refs if name.startswith("refs/heads/smile/")]
    (directory / "HEAD").write_text(f"ref: {branches[0]}\n")
    for oid, (kind, raw) in stored.objects.items():
        framed = b"%b %d\x00%b" % (kind.encode(), len(raw), raw)
        assert hashlib.sha1(framed).hexdigest() == oid
        file = directory / "objects" / oid[:2] / oid[2:]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(framed, 1))
    for name, oid in stored.refs.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(f"{oid}\n")


def found(
    reports: Iterable[AuditReport], heard: Iterable[Testimony], faults: Iterable[Fault]
) -> dict[str, Any]:
    """What was found, in the form of ``expected.json``."""
    reports, faults = list(reports), list(faults)
    if faults or not reports:
        return {"ok": False, "faults": in_order(map(_fault, faults))}
    return {
        "ok": all(report.ok for report in reports),
        "branches": {report.ref: _branch(report) for report in reports},
        "cosigned": [
            {"witness": one.witness, "size": one.size, "time": one.time}
            for testimony in heard
            for one in testimony.cosigned
        ],
        "faults": [],
    }


def in_order(faults: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The order in which a verifier meets faults is its own business."""
    return sorted(faults, key=lambda fault: json.dumps(fault, sort_keys=True))


def _fault(fault: Fault) -> dict[str, Any]:
    place = fault.place
    return {
        "code": fault.code.value,
        "commit": place.commit,
        "seq": place.seq,
        "path": place.path,
    }


def _branch(report: AuditReport) -> dict[str, Any]:
    assert report.newest is not None
    assert report.log is not None
    return {
        "entries": report.entries,
        "runs": report.runs,
        "newest_statement_sha256": report.newest.digest,
        "log_root": report.log.root().hex(),
        "open_intents": [intent.seq for intent in report.open_intents],
        "gaps": [_gap(gap) for gap in report.gaps],
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "seq": gap.seq,
        "from": _time(gap.begin),
        "until": _time(gap.end),
        "promise_s": gap.promise_s,
        "declared": gap.declared,
    }


def _time(milliseconds: int) -> str:
    return stamp(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds))

"""Makes ``tests/vectors/evidence``: python -m tests.support.make_evidence_vectors

Everything in it is deterministic: published test keys, fixed times, Ed25519. What each case expects
is written by hand in `tests.support.evidence_cases`, so a verifier that changes its mind is found.
"""

import json
import shutil
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.evidence.follow import open_after
from reconciler.evidence.record import Record
from tests.support.evidence_cases import CASES, History
from tests.support.forge import Forge

ROOT = Path(__file__).parents[1] / "vectors" / "evidence"


def files() -> dict[str, bytes]:
    """Path below `ROOT` and content of every file."""
    found = {}
    for name, build in sorted(CASES.items()):
        for file, content in _case(build(), (build.__doc__ or "").strip()).items():
            found[f"{name}/{file}"] = content
    return found


def main() -> None:
    """Write every case anew; what is not made here is removed."""
    made = files()
    for folder in ROOT.iterdir():
        if folder.name not in CASES:
            shutil.rmtree(folder)
    for name, content in made.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _case(history: History, why: str) -> Mapping[str, bytes]:
    return {
        "README": "\n".join(line.strip() for line in why.split("\n")).encode() + b"\n",
        "allowed_signers": history.lines.encode(),
        "repository.json": _json(repository(history.forge)),
        "expected.json": _json(_expected(history)),
    }


def repository(forge: Forge) -> dict[str, Any]:
    """References and objects; commits and files as text, trees as base64."""
    return {
        "refs": dict(sorted(forge.names.items())),
        "objects": {oid: _object(*forge.objects[oid]) for oid in sorted(forge.objects)},
    }


def _object(kind: str, raw: bytes) -> dict[str, str]:
    if kind != "tree" and raw.isascii():
        return {"type": kind, "text": raw.decode("ascii")}
    return {"type": kind, "base64": b64encode(raw).decode("ascii")}


def _expected(history: History) -> dict[str, Any]:
    if history.faults:
        return {"ok": False, "faults": list(history.faults)}
    branches = {forge.branch: _branch(forge) for forge in (history.forge, *history.more)}
    branches[history.forge.branch] |= {"runs": history.runs, "gaps": list(history.gaps)}
    return {"ok": True, "branches": branches, "cosigned": list(history.cosigned), "faults": []}


def _branch(forge: Forge) -> dict[str, Any]:
    """What is known of a branch by who wrote it."""
    newest = forge.last
    assert newest is not None
    record = Record(forge.commits[-1], newest, forge.digests[-1], b"")
    return {
        "entries": len(forge.digests),
        "runs": 0,
        "newest_statement_sha256": forge.digests[-1],
        "log_root": forge.log(len(forge.digests)).root().hex(),
        "open_intents": [reference.seq for reference in open_after(record)],
        "gaps": [],
    }


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=True).encode() + b"\n"


if __name__ == "__main__":
    main()

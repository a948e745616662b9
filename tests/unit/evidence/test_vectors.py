"""Whole histories as data, so that any other verifier can be held against the same cases.

A folder is a case; ``_fail`` at the end of its name says that it must not verify, its README why.
"""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from reconciler.evidence.audit import audit
from reconciler.evidence.record import Branch
from reconciler.evidence.signers import parse
from tests.support.forge import Forge

CASES = sorted((Path(__file__).parents[2] / "vectors/evidence").iterdir())


def loaded(case: Path) -> Forge:
    stored = json.loads((case / "repository.json").read_text())
    _, _, client, host = stored["branch"].split("/")
    objects = {
        oid: (entry["type"], b64decode(entry["content"]))
        for oid, entry in stored["objects"].items()
    }
    return Forge(client=client, host=host, objects=objects, names=stored["refs"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_audit_says_what_the_case_expects(case: Path) -> None:
    assert (case / "README").read_text().strip()
    signers = parse((case / "allowed_signers").read_bytes(), str(case))
    forge = loaded(case)
    report = audit(forge, Branch(forge.client, forge.host, signers))
    assert {
        "ok": report.ok,
        "entries": report.entries,
        "open_intents": [intent.seq for intent in report.open_intents],
        "newest_statement_sha256": None if report.newest is None else report.newest.digest,
        "faults": [
            {
                "code": fault.code.value,
                "commit": fault.place.commit,
                "seq": fault.place.seq,
                "path": fault.place.path,
            }
            for fault in report.faults
        ],
    } == json.loads((case / "expected.json").read_text())
    assert report.ok != case.name.endswith("_fail")


def test_there_are_cases_of_both_kinds() -> None:
    failing = [case.name for case in CASES if case.name.endswith("_fail")]
    assert len(failing) >= 10
    assert len(CASES) - len(failing) >= 3

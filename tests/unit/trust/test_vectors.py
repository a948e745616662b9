"""Every case under ``tests/vectors/trust/envelopes``, and that they are what we would write."""

import json
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import sshsig
from reconciler.trust import envelope, statements
from tests.support import make_trust_vectors

CASES = sorted(make_trust_vectors.FOLDER.iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_judged_as_it_says(case: Path) -> None:
    data = (case / "envelope.dsse.json").read_bytes()
    expected = json.loads((case / "expected.json").read_text())
    if case.name.endswith("_fail"):
        assert expected == {"refused": True}
        with pytest.raises(EvidenceError):
            statements.read(envelope.open_envelope(data).payload)
        return
    opened = envelope.open_envelope(data)
    assert sshsig.public_text(opened.public) == expected["key"]
    assert json.loads(opened.payload) == expected["statement"]
    assert statements.write(statements.read(opened.payload)) == opened.payload


def test_the_cases_are_what_is_written_today(tmp_path: Path) -> None:
    make_trust_vectors.write(tmp_path)
    for folder in (tmp_path, make_trust_vectors.FOLDER):
        assert {path.name for path in folder.iterdir()} == {case.name for case in CASES}
    for file in tmp_path.rglob("*.json"):
        kept = make_trust_vectors.FOLDER / file.relative_to(tmp_path)
        assert kept.read_bytes() == file.read_bytes(), f"{kept} was edited"

"""Two verifiers, one written from the document alone, and every vector as a real repository.

What a short verifier leaves out is said in docs/evidence-format.md; no vector rests on it.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.ledger.verify import load_signers, verify
from tests.support import second_verifier
from tests.support.evidence_vectors import FOLDERS, found, in_order, load, materialize
from tests.support.ledger_rig import filled

pytestmark = pytest.mark.conformance

SECOND = Path(second_verifier.__file__)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_both_verifiers_say_of_a_repository_what_its_case_expects(
    folder: Path, tmp_path: Path
) -> None:
    stored = load(folder)
    materialize(stored, tmp_path / "case.git")
    ours = verify(tmp_path / "case.git", load_signers(folder / "allowed_signers"))
    expected = {**stored.expected, "faults": in_order(stored.expected["faults"])}
    assert found(ours.branches, ours.testimonies.values(), ours.faults) == expected

    theirs = second_verifier.verify(tmp_path / "case.git", stored.signers.decode())
    # It names the first thing that is wrong with a commit, ours all of them.
    assert {code for code, _ in theirs} <= {fault["code"] for fault in stored.expected["faults"]}
    assert ours.ok == (not theirs) == (not stored.fails)


def test_the_second_verifier_reads_a_ledger_that_git_packed(tmp_path: Path) -> None:
    rig = filled(tmp_path)
    assert rig.git("gc", "-q").returncode == 0
    run = [sys.executable, "-I", str(SECOND), str(rig.path), str(rig.signers_file)]
    result = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "verifies\n", "")

    rig.signers_file.write_text(rig.signers_file.read_text().replace("smile/desk", "smile/xray"))
    result = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 1
    assert "principal at " in result.stdout


def test_the_second_verifier_shares_nothing_with_ours() -> None:
    names = set()
    for node in ast.walk(ast.parse(SECOND.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert names - set(sys.stdlib_module_names) == {"cryptography"}

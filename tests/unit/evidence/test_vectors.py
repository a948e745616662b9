"""Whole histories as data, so that any other verifier can be held against the same cases.

A folder is a case; ``_fail`` at the end of its name says that it must not verify, its README why,
``expected.json`` where. They are made by ``python -m tests.support.make_evidence_vectors``.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.evidence import layout
from reconciler.evidence.audit import AuditReport, audit
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault
from reconciler.evidence.record import Branch
from reconciler.evidence.signers import AllowedSigners, parse
from reconciler.evidence.testimony import WITNESS, gone, hear, sayings, sizes_of
from reconciler.ledger.anchored import weigh
from reconciler.ledger.anchors.judge import Trust
from tests.support import make_evidence_vectors
from tests.support.evidence_vectors import FOLDERS, ROOT, Stored, found, in_order, load
from tests.support.forge import Forge

DOCUMENT = Path(__file__).parents[3] / "docs" / "evidence-format.md"
BRANCH = re.compile(r"refs/heads/([a-z0-9-]+)/([a-z0-9-]+)")


def judged(stored: Stored) -> dict[str, Any]:
    """What the pure core says of a case: every branch, its log, its witnesses, its anchors."""
    signers = parse(stored.signers, str(stored.folder))
    source = Forge(objects=dict(stored.objects), names=dict(stored.refs))
    branches = [Branch(*m.groups(), signers) for m in map(BRANCH.fullmatch, stored.refs) if m]
    refs = frozenset(branch.ref for branch in branches)
    marks = [mark for branch in branches for mark in audit(source, branch).marks]
    reports, heard, faults = [], [], []
    for branch in branches:
        sizes = sizes_of(layout.origin(branch.client, branch.host), marks, sayings(marks))
        report = audit(source, branch, other_refs=refs, sizes=sizes)
        reports.append(report)
        faults += report.faults
        testimony, wrong = heard_of(report, branch, signers, marks)
        faults += wrong
        if branch.client != WITNESS:
            heard.append(testimony)
    faults += gone(sayings(marks), {layout.origin(one.client, one.host) for one in branches})
    return found(reports, heard, dict.fromkeys(faults))


def heard_of(
    report: AuditReport, branch: Branch, signers: AllowedSigners, marks: list[Any]
) -> tuple[Any, list[Fault]]:
    testimony = hear(report, branch.client, branch.host, signers, sayings(marks), marks)
    own = [mark for mark in report.marks if mark.entry.kind is Kind.ANCHOR]
    weighed = weigh(own, testimony.checkpoints, Trust(), own=True)
    return testimony, [*testimony.faults, *weighed.faults]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_audit_says_what_the_case_expects(folder: Path) -> None:
    stored = load(folder)
    expected = {**stored.expected, "faults": in_order(stored.expected["faults"])}
    assert judged(stored) == expected
    assert stored.expected["ok"] != stored.fails


def test_the_generator_makes_the_files_that_are_here_byte_for_byte() -> None:
    here = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in ROOT.rglob("*")
        if path.is_file()
    }
    made = make_evidence_vectors.files()
    assert sorted(made) == sorted(here)
    assert [name for name in made if made[name] != here[name]] == []


def test_every_case_says_why() -> None:
    for folder in FOLDERS:
        assert len((folder / "README").read_text().strip()) > 20


def test_every_kind_of_entry_and_most_faults_have_a_case() -> None:
    """What no case has needs more than a history: broken files, a cache, copies, libraries."""
    kinds, codes = set(), set()
    for folder in FOLDERS:
        stored = load(folder)
        codes |= {fault["code"] for fault in stored.expected["faults"]}
        kinds |= set(kinds_of(stored))
    assert {kind.value for kind in Kind} - kinds == {"copy", "refusal"}
    outside = {"no-ledger", "too-many-faults", "copy", "cache", "file", "stray-file"}
    assert {code.value for code in Code} - codes <= outside | {"tree"}


def kinds_of(stored: Stored) -> Iterator[str]:
    for kind, raw in stored.objects.values():
        if kind == "commit":
            yield raw.partition(b"\n\n")[2].split(b" ")[0].decode()


def test_the_document_names_every_fault_and_every_kind() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [code.value for code in Code if f"`{code.value}`" not in text] == []
    assert [kind.value for kind in Kind if f"`{kind.value}`" not in text] == []
    assert [
        name for name in ("reconciler-key-change", "reconciler-key-recovery") if name not in text
    ] == []

"""`evidence export`: what other tools read, verified by securesystemslib where it is signed."""

import hashlib
import json
from pathlib import Path
from typing import Any

import click
import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from reconciler.cli import evidence_export
from reconciler.errors import EvidenceError, ExitCode, InputError, KeyMissing, MachineError
from reconciler.evidence import dsse
from reconciler.ledger import keys
from reconciler.report.svr import LEDGER_VERIFIED, NO_OPEN_INTENT
from tests.support.evidence_reading import Story, call, tell

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return tell(tmp_path_factory.mktemp("story"))


@pytest.fixture
def story(told: Story, tmp_path: Path) -> Story:
    return Story(told.drill, tmp_path)


def export(story: Story, form: str, *args: str) -> tuple[bytes, object]:
    out = story.directory / f"{form}.out"
    code = call(evidence_export.command, form, *story.options(), *args, "--out", str(out))
    assert [f.name for f in story.directory.iterdir() if "partial" in f.name] == []
    return out.read_bytes(), code


def day(story: Story) -> str:
    return story.records()[0].entry.recorded_at[:10]


def their_key(public: bytes) -> SSlibKey:
    return SSlibKey(dsse.key_id(public), "ed25519", "ed25519", {"public": public.hex()})


def test_envelopes_leave_byte_for_byte_and_others_verify_them(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    data, code = export(story, "intoto", "--period", day(story))

    lines = data.splitlines()
    filed = [r for r in story.records() if r.path and r.entry.recorded_at[:10] == day(story)]
    slim = [r for r in story.records() if not r.path]
    assert code == 0
    assert len(lines) == len(filed)
    for line, record in zip(lines, filed, strict=True):
        envelope = Envelope.from_dict(json.loads(line))
        assert len(envelope.verify([their_key(record.public)], 1)) == 1
        assert hashlib.sha256(envelope.payload).hexdigest() == record.digest
        assert json.loads(envelope.payload)["_type"] == "https://in-toto.io/Statement/v1"
    said = capsys.readouterr().err
    assert f"{len(filed)} entries" in said
    assert f"{len(slim)} entries without a file are not in it" in said


def test_a_verification_result_names_what_was_verified_by_what(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    data, code = export(story, "svr")
    statement: dict[str, Any] = json.loads(data)

    predicate = statement["predicate"]
    assert code == 0
    assert statement["predicateType"] == "https://in-toto.io/attestation/svr/v0.2"
    assert statement["subject"] == [
        {"name": story.branch.ref, "digest": {"sha256": story.records()[0].digest}}
    ]
    assert predicate["properties"] == [LEDGER_VERIFIED, NO_OPEN_INTENT]
    assert predicate["verifier"]["policies"] == [
        {
            "name": "allowed_signers",
            "digest": {"sha256": hashlib.sha256(story.signers.read_bytes()).hexdigest()},
        }
    ]
    assert "entries from" in capsys.readouterr().err


def test_a_verification_result_can_be_signed(story: Story) -> None:
    key = story.directory / "auditor"
    public = keys.public(keys.generate(key, "auditor"))

    data, _ = export(story, "svr", "--key", str(key))

    envelope = Envelope.from_dict(json.loads(data))
    assert len(envelope.verify([their_key(public)], 1)) == 1
    assert json.loads(envelope.payload)["predicate"]["properties"]
    with pytest.raises(KeyMissing):
        export(story, "svr", "--key", str(story.directory / "none"))


def test_a_damaged_ledger_has_no_property_and_an_exit_code(tmp_path: Path) -> None:
    story = tell(tmp_path / "story")
    blob = max((story.repository / "objects").rglob("??/*"), key=lambda f: f.stat().st_size)
    blob.unlink()

    data, code = export(story, "svr")
    assert json.loads(data)["predicate"]["properties"] == []
    assert code == ExitCode.EVIDENCE
    for object_file in (story.repository / "objects").rglob("??/*"):
        object_file.unlink()
    with pytest.raises(EvidenceError, match="nothing to make a statement of"):
        export(story, "svr")


def test_a_file_appears_whole_or_not_at_all(story: Story) -> None:
    with pytest.raises(MachineError):
        call(
            evidence_export.command, "intoto", *story.options(), "--period", day(story),
            "--out", str(story.directory / "no" / "where"),
        )  # fmt: skip
    with pytest.raises(InputError):
        export(story, "oscal", "--period", "2026-99")
    with pytest.raises(click.UsageError, match="--period"):
        call(evidence_export.command, "oscal", *story.options())
    assert list(story.directory.iterdir()) == []


def test_a_pipe_gets_nothing_but_the_document(
    story: Story, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    call(evidence_export.command, "oscal", *story.options(), "--period", day(story))
    captured = capfdbinary.readouterr()
    document = json.loads(captured.out)["assessment-results"]
    assert document["metadata"]["oscal-version"] == "1.2.1"
    assert b"runs," in captured.err


def test_the_controls_of_the_fleet_are_reported_on_the_appliance(story: Story) -> None:
    out = story.directory / "out"
    call(
        evidence_export.command, "oscal", "--config", story.drill.site.settings,
        "--period", day(story), "--out", str(out),
    )  # fmt: skip
    (result,) = json.loads(out.read_bytes())["assessment-results"]["results"]
    states = {f["title"]: f["target"]["status"]["state"] for f in result["findings"]}
    assert len([name for name in states if name.startswith("hipaa:")]) == 70
    assert states["hipaa:164.312(b)"] == "not-satisfied"
    assert "satisfied" in states.values()

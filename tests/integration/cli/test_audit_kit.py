"""`reconciler audit-kit`: what a person types, what comes back."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from reconciler.cli import audit_kit
from reconciler.errors import ExitCode, InputError
from reconciler.ledger.verify import load_signers, verify
from tests.support.evidence_reading import Story, call, tell
from tests.support.kit_rig import AUDIT, KitRig, copied, full, hub_of, told

pytestmark = pytest.mark.integration

_BARE = """
import sys
for name in ("pydantic", "pygit2", "yaml", "typst", "boto3", "httpx", "rfc3161_client"):
    sys.modules[name] = None
from reconciler.cli.audit_kit import command
from reconciler.errors import ReconcilerError
try:
    command.main(args={arguments!r}, standalone_mode=False)
except ReconcilerError as error:
    print(error, error.hint)
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> KitRig:
    return told(tmp_path_factory.mktemp("plain"))


def make(
    kit: KitRig, out: Path, *args: str, period: tuple[str, str] = ("2026-03", "2026-03")
) -> object:
    return call(
        audit_kit.command,
        *(str(kit.path), "--signers", str(kit.rig.signers_file), "--out", str(out)),
        *("--from", period[0], "--to", period[1], "--jobs", "1", *args),
    )


def test_a_kit_is_made_and_said_to_be_made(
    plain: KitRig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = make(plain, tmp_path / "kit", "--control", AUDIT, "--control", "hipaa:164.310(c)")
    assert code == 0
    said = capsys.readouterr()
    assert said.out.startswith("VERIFIED")
    assert "begin with HOW-TO-CHECK.md and DISCLOSURES.md" in said.out
    assert "nothing in the period names hipaa:164.310(c)" in said.err
    assert (tmp_path / "kit/controls/hipaa-164.312.b.pdf").exists()


def test_a_request_in_a_file_is_added_to_what_is_named(
    plain: KitRig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter").write_text(f"# of 3 March\n{AUDIT}\n")
    ask = ("--ask", str(tmp_path / "letter"), "--control", "x:1", "--no-pdf", "--json")
    assert make(plain, tmp_path / "kit", *ask) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True and document["empty"] == ["x:1"]
    tables = [name for name in document["files"] if name.startswith("controls/")]
    assert tables == ["controls/hipaa-164.312.b.csv", "controls/x-1.csv"]
    assert document["verification"]["ok"] is True


def test_disclosures_come_from_the_repository_or_from_a_file(plain: KitRig, tmp_path: Path) -> None:
    kit = copied(plain, tmp_path / "elsewhere")
    (kit.path / "DISCLOSURES.md").write_text("# D\n\n## 2026-03-01 One\nwords of one\n")
    (tmp_path / "other").write_text("## 2026-03-02 Two\nwords of two\n")
    make(kit, tmp_path / "one")
    make(kit, tmp_path / "two", "--disclosures", str(tmp_path / "other"))
    one, two = ((tmp_path / name / "DISCLOSURES.md").read_text() for name in ("one", "two"))
    assert "### 2026-03-01 One\n\nwords of one" in one and "words of two" not in one
    assert "### 2026-03-02 Two\n\nwords of two" in two and "words of one" not in two
    (kit.path / "DISCLOSURES.md").write_text("## no date\nx\n")
    with pytest.raises(InputError, match="has no date"):
        make(kit, tmp_path / "three")
    assert not (tmp_path / "three").exists()


def test_roots_and_notes_that_are_given_go_along(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kit = full(tmp_path / "full")
    assert make(kit, tmp_path / "kit", "--roots", str(kit.roots)) == 0
    assert "1 independent time proof" in capsys.readouterr().out
    assert (tmp_path / "kit/roots/tsa/alpha.pem").exists()
    # Without them nothing is lost and nothing is claimed.
    assert make(kit, tmp_path / "bare") == 0
    assert "no certificates of alpha are at hand" in capsys.readouterr().out
    page = (tmp_path / "bare/HOW-TO-CHECK.md").read_text()
    assert "could not be checked with what was given" in page


def test_a_note_that_is_given_is_held_against_the_log(plain: KitRig, tmp_path: Path) -> None:
    kit = copied(plain, tmp_path / "elsewhere")
    hub = hub_of(kit)
    kit.enrol(hub)
    with hub.memory() as memory:
        hub.witness(memory).look(kit.path)
    (note,) = (str(body["note"]) for kind, body in hub.entries() if kind.value == "cosignature")
    (tmp_path / "note").write_text(note)
    assert make(kit, tmp_path / "kit", "--seen", str(tmp_path / "note")) == 0
    (held,) = (tmp_path / "kit/checkpoints").rglob("*witness-hub.note")
    assert held.read_text() == note
    (tmp_path / "note").write_text(note.replace("\n11\n", "\n12\n"))
    assert make(kit, tmp_path / "bad", "--seen", str(tmp_path / "note")) == ExitCode.EVIDENCE
    assert "does NOT verify" in (tmp_path / "bad/DISCLOSURES.md").read_text()
    (tmp_path / "note").write_bytes(b"\xff")
    with pytest.raises(InputError, match="cannot be read as a checkpoint"):
        make(kit, tmp_path / "none", "--seen", str(tmp_path / "note"))


def test_a_repository_that_does_not_verify_has_an_exit_code(
    plain: KitRig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kit = copied(plain, tmp_path / "elsewhere")
    tip = kit.rig.git("rev-parse", "smile/desk").stdout.strip()
    kit.rig.git("update-ref", "refs/tags/x", tip)
    assert make(kit, tmp_path / "kit") == ExitCode.EVIDENCE
    assert "the repository does not verify: unknown-ref" in capsys.readouterr().err


def test_the_small_install_makes_a_kit_without_pages(plain: KitRig, tmp_path: Path) -> None:
    """An auditor has click and cryptography; pages for paper need one package more."""
    arguments = [str(plain.path), "--signers", str(plain.rig.signers_file)]
    arguments += ["--from", "2026-03", "--to", "2026-03", "--control", AUDIT, "--jobs", "1"]
    for name, options, said in (
        ("kit", ["--no-pdf"], "VERIFIED"),
        ("paper", [], "reconciler[pdf]"),
    ):
        code = _BARE.format(arguments=[*arguments, "--out", str(tmp_path / name), *options])
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100
        )
        assert said in result.stdout, result.stderr
    assert (tmp_path / "kit/controls/hipaa-164.312.b.csv").exists()
    assert not (tmp_path / "paper").exists()


@pytest.mark.parametrize(
    ("args", "period", "error"),
    [
        (["--host", "desk"], ("2026-03", "2026-03"), click.UsageError),
        ([], ("2026-04", "2026-03"), InputError),
        ([], ("2026-03-32", "2026-04"), InputError),
        (["--control", "164.312(b)"], ("2026-03", "2026-03"), InputError),
        (["--ask", "/nonexistent"], ("2026-03", "2026-03"), InputError),
        (["--disclosures", "/nonexistent"], ("2026-03", "2026-03"), InputError),
        (["--roots", "/nonexistent"], ("2026-03", "2026-03"), InputError),
        (["--seen", "/nonexistent"], ("2026-03", "2026-03"), InputError),
        (["--client", "oak"], ("2026-03", "2026-03"), InputError),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_made(
    plain: KitRig,
    tmp_path: Path,
    args: list[str],
    period: tuple[str, str],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        make(plain, tmp_path / "kit", *args, period=period)
    assert list(tmp_path.iterdir()) == []


def test_a_kit_of_real_runs_is_evidence_by_itself(tmp_path: Path) -> None:
    story: Story = tell(tmp_path / "story")
    first, last = story.records()[-1].entry.recorded_at, story.records()[0].entry.recorded_at
    code = call(
        audit_kit.command,
        *(str(story.repository), "--signers", str(story.signers), "--out", str(tmp_path / "kit")),
        *("--from", first[:10], "--to", last[:10], "--control", AUDIT, "--jobs", "1"),
    )
    assert code == 0
    from reconciler.ledger.packing.unpack import unpack_bundle

    unpack_bundle([tmp_path / "kit/evidence.bundle"], tmp_path / "evidence.git")
    result = verify(tmp_path / "evidence.git", load_signers(tmp_path / "kit/keys/allowed_signers"))
    assert result.ok
    (report,) = result.branches
    assert report.entries == len(story.records())

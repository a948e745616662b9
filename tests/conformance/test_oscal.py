"""compliance-trestle, the reference implementation of OSCAL in Python, accepts what we write."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import evidence_export
from reconciler.ledger.reader import newest_first
from reconciler.ledger.stored import Shelf
from reconciler.report.oscal import oscal
from reconciler.report.period import parse
from reconciler.report.survey import Survey, survey
from tests.support.drill import CLIENT, HOST
from tests.support.entries import again, finding, intent_body, outcome_body, record, run
from tests.support.evidence_reading import Story, call, tell

pytestmark = [pytest.mark.conformance, pytest.mark.integration]

HIPAA = Path(__file__).parents[2] / "policies" / "frameworks" / "hipaa.yaml"
READ_BACK = """
import sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from trestle.oscal.assessment_results import AssessmentResults as Model
for name in sys.argv[1:]:
    read = Model.oscal_read(Path(name))
    again = Path(name).with_suffix(".again.json")
    read.oscal_write(again)
    assert Model.oscal_read(again) == read, name
"""


def trestle(directory: Path, *argv: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("trestle")), *argv]
    return subprocess.run(
        command, cwd=directory, capture_output=True, text=True, check=False, timeout=100
    )


def validated(directory: Path, documents: dict[str, bytes]) -> str:
    """Let `trestle validate` judge documents in a workspace of its own."""
    started = trestle(directory, "init")
    assert started.returncode == 0, started.stderr
    for name, data in documents.items():
        place = directory / "assessment-results" / name
        place.mkdir()
        (place / "assessment-results.json").write_bytes(data)
    done = trestle(directory, "validate", "-a")
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return tell(tmp_path_factory.mktemp("story"))


def day(story: Story) -> str:
    return story.records()[0].entry.recorded_at[:10]


def exported(story: Story, out: Path, *args: str, config: bool = False) -> bytes:
    evidence = ("--config", story.drill.site.settings) if config else story.options()
    call(evidence_export.command, "oscal", *evidence, *args, "--out", str(out))
    return out.read_bytes()


def synthetic() -> Survey:
    """Every kind of observation and event, with text that no machine should have."""
    nasty = "x \x1b[2J\n\u202e<b> \u00e9 "
    records = [
        record(0, "genesis", {}),
        run(1, finding("a", "pass"), finding("b", "unknown", reason=nasty)),
        again(2, 1),
        record(3, "gap", {"from": "x", "until": "y", "promise_s": 300, "rebooted": True}),
        record(4, "intent", intent_body(finding("a", "fail"))),
        record(5, "outcome", outcome_body("a", "rolled_back", "fail", nasty), closes=4),
        run(6, finding("a", "fail", observed={"n": nasty}), finding("b", "not_applicable"),
            finding("c", "excepted", exception="E-1", controls=["soc2:CC6.1", "pci:8.3.1"])),
        record(7, "annotation", {"about": {"seq": 4, "sha256": "0" * 64}, "text": "t", "by": "b"}),
        record(8, "refusal", {"reason": "unsigned", "commit": None, "message": nasty}),
    ]  # fmt: skip
    return survey(reversed(records), "smile", "desk", parse("2026-03-01"))


def test_trestle_says_valid_and_reads_back_the_same(story: Story, tmp_path: Path) -> None:
    month = day(story)[:7]
    documents = {
        "of-the-appliance": exported(
            story, tmp_path / "a.json", "--period", day(story), config=True
        ),
        "of-the-auditor": exported(
            story, tmp_path / "b.json", "--period", month, "--framework", str(HIPAA)
        ),
        "without-a-framework": exported(story, tmp_path / "c.json", "--period", month),
        "without-a-run": exported(story, tmp_path / "d.json", "--period", "2020-01"),
        "of-every-kind": oscal(synthetic(), [], lambda _where: "0" * 64),
    }
    (tmp_path / "e.json").write_bytes(documents["of-every-kind"])
    workspace = tmp_path / "workspace"
    workspace.mkdir()

    said = validated(workspace, documents)

    for name in documents:
        assert f"VALID: Model {workspace}/assessment-results/{name}/" in said, said[-3000:]
    assert "INVALID" not in said
    files = [str(tmp_path / f"{name}.json") for name in "abcde"]
    done = subprocess.run(
        [sys.executable, "-c", READ_BACK, *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def twice(results: dict[str, Any]) -> None:
    first, second = results["results"][0]["observations"][:2]
    second["uuid"] = first["uuid"]


def maybe(results: dict[str, Any]) -> None:
    results["results"][0]["findings"][0]["target"]["status"]["state"] = "maybe"


def test_trestle_would_have_said_no(story: Story, tmp_path: Path) -> None:
    """The oracle is awake: the same document, spoiled, is refused."""
    whole = exported(story, tmp_path / "a.json", "--period", day(story))
    documents = {}
    for spoil in (twice, maybe):
        document = json.loads(whole)
        spoil(document["assessment-results"])
        documents[spoil.__name__] = json.dumps(document).encode()
    workspace = tmp_path / "workspace"
    workspace.mkdir()

    for name, document in documents.items():
        (workspace / name).mkdir()
        said = validated(workspace / name, {name: document})
        assert name in said
        assert "VALID: Model" not in said.replace("INVALID: Model", "")


def test_the_same_history_gives_the_same_bytes(story: Story, tmp_path: Path) -> None:
    first = exported(story, tmp_path / "a.json", "--period", day(story))
    assert exported(story, tmp_path / "b.json", "--period", day(story)) == first
    records = newest_first(story.repository, CLIENT, HOST, story.branch.signers)
    found = survey(records, CLIENT, HOST, parse(day(story)))
    assert oscal(found, [], Shelf(story.repository, story.branch).sha256) == first

"""The hub records what CI signed, and an auditor finds the time that it proves."""

import json
import shutil
from pathlib import Path

import pytest

from reconciler.cli import execute as run
from reconciler.errors import ExitCode
from reconciler.evidence import sshsig
from reconciler.evidence.entry import Kind
from reconciler.ledger import keys
from reconciler.ledger.anchors.sigstore import sign_note
from tests.support.ledger_rig import Rig, filled
from tests.support.sigstore import TestSigstore

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

WORKFLOW = "https://github.com/smile/fleet/.github/workflows/checkpoint.yml@refs/heads/main"
CLAIMS = {
    "job_workflow_ref": WORKFLOW.removeprefix("https://github.com/"),
    "repository": "smile/fleet",
}


class Hub:
    """A repository with a signed checkpoint, and a witness with roots."""

    def __init__(self, directory: Path, sigstore: TestSigstore) -> None:
        self.directory = directory
        self.rig: Rig = filled(directory)
        with self.rig.open() as ledger:
            self.note, self.size = ledger.note(), ledger.tip.seq + 1
            ledger.append_slim(Kind.CHECKPOINT, {"note": self.note}, at=self.rig.tick())
        self.key = directory / "witness.key"
        public = sshsig.public_text(keys.public(keys.generate(self.key, "witness/hub")))
        line = f'witness/hub namespaces="git" {public}\n'
        self.rig.signers_file.write_text(self.rig.signers_file.read_text() + line)
        self.roots = directory / "roots"
        (self.roots / "sigstore").mkdir(parents=True)
        shutil.copy(sigstore.trusted_root, self.roots / "sigstore/trusted_root.json")
        self.identities(sigstore.issuer, WORKFLOW)
        self.bundle = directory / f"smile--desk--{self.size}.sigstore.json"
        config = sigstore.client_trust_config(rekor=2)
        token = sigstore.identity_token("repo:smile/fleet:ref:refs/heads/main", **CLAIMS)
        self.bundle.write_text(
            sign_note(self.note.encode(), trust_config=config, identity_token=token)
        )

    def identities(self, issuer: str, identity: str) -> None:
        listed = [{"name": "ci", "issuer": issuer, "identity": identity}]
        (self.roots / "sigstore/identities.json").write_text(json.dumps(listed))

    def witness(self, *more: str) -> int:
        place = ["--ledger", str(self.directory / "witness.git"), "--name", "hub"]
        who = ["--key", str(self.key), "--signers", str(self.rig.signers_file)]
        return run([*more[:1], *more[1:], *place, *who])

    def record(self, bundle: Path | None = None) -> int:
        return self.witness(
            "evidence",
            "anchor",
            str(bundle or self.bundle),
            "--repository",
            str(self.rig.path),
            "--roots",
            str(self.roots),
        )

    def time_claim(self, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, str]:
        capsys.readouterr()
        signers = str(self.rig.signers_file)
        code = run(["verify", str(self.rig.path), "--signers", signers, "--json", *options])
        document = json.loads(capsys.readouterr().out)
        assert code == 0, document["sentence"]
        (claim,) = [one for one in document["claims"] if one["subject"] == "time"]
        return dict(claim)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    directory = tmp_path_factory.mktemp("hub")
    with TestSigstore(directory) as sigstore:
        made = Hub(directory, sigstore)
    assert made.witness("witness", str(made.rig.path), "--begin") == 0
    return made


def test_what_does_not_verify_is_not_recorded(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    other = hub.directory / "smile--desk--3.sigstore.json"
    other.write_text(hub.bundle.read_text())
    assert hub.record(other) == ExitCode.INPUT
    assert "no checkpoint of 3 entries" in capsys.readouterr().err
    broken = hub.directory / "broken" / hub.bundle.name
    broken.parent.mkdir()
    broken.write_text(hub.bundle.read_text().replace('"logIndex":"', '"logIndex":"1', 1))
    assert hub.record(broken) == ExitCode.EVIDENCE


def test_ci_signs_the_hub_records_the_auditor_finds(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hub.record() == 0, capsys.readouterr().err
    # The witness still remembers what it vouched for.
    assert hub.witness("witness", str(hub.rig.path)) == 0
    fetched = hub.rig.git(
        "fetch", "-q", str(hub.directory / "witness.git"), "witness/hub:witness/hub"
    )
    assert fetched.returncode == 0, fetched.stderr

    alone = hub.time_claim(capsys)
    assert alone["state"] == "not-proven"
    assert "no trusted root for sigstore is at hand" in alone["sentence"]
    proven = hub.time_claim(capsys, "--roots", str(hub.roots))
    assert proven["state"] == "proven", proven
    assert f"by ci (sigstore): the first {hub.size} entries" in proven["sentence"]

"""Sign a checkpoint with an unmodified sigstore against a private one, verify it offline."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.errors import EvidenceError, ExitCode, InputError, MachineError
from reconciler.evidence.canonical import digest
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code
from reconciler.keyless.identity import Identity
from reconciler.ledger import keys
from reconciler.ledger.anchors.bodies import read_body
from reconciler.ledger.anchors.model import AnchorState, Method
from reconciler.ledger.anchors.sigstore import (
    anchor_body,
    sign_note,
    verify_anchor,
    verify_note,
)
from tests.support.ledger_rig import SUBJECT as DESIRED
from tests.support.ledger_rig import Rig, make_rig
from tests.support.sigstore import Fault, TestSigstore

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[4]
NOTE = b"reconciler/smile/desk\n7\nAAAA\n\n\xe2\x80\x94 reconciler/smile/desk BBBB\n"
WORKFLOW = "https://github.com/smile/fleet/.github/workflows/checkpoint.yml@refs/heads/main"
GITHUB = {
    "job_workflow_ref": WORKFLOW.removeprefix("https://github.com/"),
    "repository": "smile/fleet",
}
SUBJECT = "repo:smile/fleet:ref:refs/heads/main"
OFFLINE = """
import sys
from pathlib import Path

def refuse(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"touched the network: {event}")

sys.addaudithook(refuse)
from reconciler.keyless.identity import Identity
from reconciler.ledger.anchors.sigstore import verify_note

note, bundle, root, issuer, subject = sys.argv[1:]
who = Identity("ci", issuer, subject)
proof = verify_note(
    Path(note).read_bytes(), Path(bundle).read_text(), trusted_root=Path(root), identities=[who]
)
print(proof.not_after.isoformat())
"""


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestSigstore]:
    directory = tmp_path_factory.mktemp("sigstore")
    with TestSigstore(directory) as running:
        yield running


def sign(sigstore: TestSigstore, note: bytes = NOTE, *, rekor: int = 2, **options: Any) -> str:
    config = sigstore.client_trust_config(rekor=rekor, **options)
    token = sigstore.identity_token(SUBJECT, **GITHUB)
    return sign_note(note, trust_config=config, identity_token=token)


def ci(sigstore: TestSigstore) -> Identity:
    return Identity("ci", sigstore.issuer, WORKFLOW, "https://github.com/smile/fleet")


@pytest.mark.parametrize(("rekor", "timestamps"), [(1, True), (1, False), (2, True)])
def test_what_is_signed_verifies(sigstore: TestSigstore, rekor: int, timestamps: bool) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    bundle = sign(sigstore, rekor=rekor, timestamps=timestamps)
    root = sigstore.trusted_root

    proof = verify_note(NOTE, bundle, trusted_root=root, identities=[ci(sigstore)])

    assert (proof.method, proof.authority) == (Method.SIGSTORE, "ci")
    assert proof.not_after is not None
    assert before <= proof.not_after <= datetime.now(UTC) + timedelta(seconds=2)
    assert ("time-stamping authority" in proof.detail) == timestamps
    assert ("transparency log" in proof.detail) == (rekor == 1)
    with pytest.raises(EvidenceError, match="does not verify"):
        verify_note(NOTE + b"x", bundle, trusted_root=root, identities=[ci(sigstore)])


def test_the_second_log_is_refused_without_a_timestamp(sigstore: TestSigstore) -> None:
    """It gives no time itself, so nothing would say when the short certificate was used."""
    with pytest.raises(EvidenceError, match=r"answered nonsense: .*signed timestamp"):
        sign(sigstore, rekor=2, timestamps=False)


def test_verifying_opens_no_socket_at_all(sigstore: TestSigstore, tmp_path: Path) -> None:
    for rekor in (1, 2):
        bundle, note = tmp_path / f"{rekor}.json", tmp_path / "note"
        bundle.write_text(sign(sigstore, rekor=rekor))
        note.write_bytes(NOTE)
        command = [sys.executable, "-c", OFFLINE, str(note), str(bundle)]
        told = [str(sigstore.trusted_root), sigstore.issuer, WORKFLOW]
        done = subprocess.run([*command, *told], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        assert datetime.fromisoformat(done.stdout.strip()).tzinfo is not None


@pytest.mark.parametrize(
    "fault", [Fault.NO_SCT, Fault.SCT_BY_OTHER_KEY, Fault.TWO_SCTS], ids=lambda f: f.name
)
def test_a_certificate_that_was_not_logged_is_not_used(
    sigstore: TestSigstore, fault: Fault
) -> None:
    with sigstore.corrupted(fault), pytest.raises(EvidenceError, match="answered nonsense"):
        sign(sigstore)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.UNKNOWN_AUTHORITY,
        Fault.NO_CODE_SIGNING,
        Fault.EARLY,
        Fault.CHECKPOINT_BY_OTHER_KEY,
        Fault.PROOF_HASH,
        Fault.TIMESTAMP_BY_OTHER_AUTHORITY,
    ],
    ids=lambda f: f.name,
)
def test_what_a_lying_service_answers_does_not_verify(sigstore: TestSigstore, fault: Fault) -> None:
    with sigstore.corrupted(fault):
        bundle = sign(sigstore)
    with pytest.raises(EvidenceError, match="does not verify"):
        verify_note(NOTE, bundle, trusted_root=sigstore.trusted_root, identities=[ci(sigstore)])


@pytest.mark.parametrize("token", ["", "x", "a.b.c"], ids=["empty", "word", "dots"])
def test_a_token_that_is_none_is_refused(sigstore: TestSigstore, token: str) -> None:
    with pytest.raises(InputError, match="identity token is of no use"):
        sign_note(NOTE, trust_config=sigstore.client_trust_config(), identity_token=token)


def test_a_token_of_somebody_else_is_refused_and_not_repeated(
    sigstore: TestSigstore, tmp_path: Path
) -> None:
    token = TestSigstore(tmp_path).identities.token(sigstore.issuer, SUBJECT, dict(GITHUB))
    with pytest.raises(MachineError, match="would not sign") as caught:
        sign_note(NOTE, trust_config=sigstore.client_trust_config(), identity_token=token)
    assert token not in str(caught.value)
    assert token.split(".")[1] not in str(caught.value)


def test_a_service_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with TestSigstore(tmp_path) as gone:
        config = gone.client_trust_config()
        token = gone.identity_token(SUBJECT)
    with pytest.raises(MachineError, match="would not sign") as caught:
        sign_note(NOTE, trust_config=config, identity_token=token)
    assert "again later" in caught.value.hint


@pytest.mark.parametrize("text", [None, "", "{}", '{"mediaType": 1}'], ids=range(4))
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, text: str | None) -> None:
    config = tmp_path / "config.json"
    if text is not None:
        config.write_text(text)
    with pytest.raises(InputError) as caught:
        sign_note(NOTE, trust_config=config, identity_token="x")
    assert str(config) in str(caught.value) or "configuration" in str(caught.value)


def test_an_empty_note_is_not_signed(sigstore: TestSigstore) -> None:
    with pytest.raises(InputError, match="a note has 1 to"):
        sign(sigstore, b"")


def test_an_anchor_keeps_the_bundle_and_proves_the_same(sigstore: TestSigstore) -> None:
    bundle = sign(sigstore)
    root, who = sigstore.trusted_root, [ci(sigstore)]
    anchor = read_body(anchor_body(NOTE, bundle, 7, "ab" * 32, authority="ci"))

    proof = verify_anchor(anchor, NOTE, trusted_root=root, identities=who)

    assert proof == verify_note(NOTE, bundle, trusted_root=root, identities=who)
    assert (anchor.state, anchor.checkpoint.seq) == (AnchorState.COMPLETE, 7)
    assert anchor.note_sha256 == digest(NOTE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": Method.RFC3161}, "not a bundle"),
        ({"state": AnchorState.PENDING}, "not a bundle"),
        ({"note_sha256": "00" * 32}, "of another note"),
        ({"proof": b"\xff"}, "not text"),
        ({"proof": b"{}"}, "no bundle"),
    ],
    ids=["method", "state", "note", "bytes", "object"],
)
def test_an_anchor_that_says_anything_else_is_refused(
    sigstore: TestSigstore, change: dict[str, Any], message: str
) -> None:
    bundle = sigstore.bundle(NOTE, SUBJECT, **GITHUB)
    anchor = read_body(anchor_body(NOTE, bundle, 7, "ab" * 32, authority="ci"))
    with pytest.raises(EvidenceError, match=message):
        verify_anchor(
            replace(anchor, **change),
            NOTE,
            trusted_root=sigstore.trusted_root,
            identities=[ci(sigstore)],
        )


def test_an_anchor_by_somebody_who_is_not_listed_proves_no_time(sigstore: TestSigstore) -> None:
    bundle = sigstore.bundle(NOTE, SUBJECT, **GITHUB)
    anchor = read_body(anchor_body(NOTE, bundle, 7, "ab" * 32, authority="somebody"))
    root = sigstore.trusted_root
    for who in ([], [ci(sigstore)]):
        proof = verify_anchor(anchor, NOTE, trusted_root=root, identities=who)
        assert not proof.proven
        assert "nobody of the name somebody" in proof.detail


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sigstore'] = None\n"
        "from pathlib import Path\n"
        "from reconciler.errors import MachineError\n"
        "from reconciler.keyless.identity import Identity\n"
        "from reconciler.ledger.anchors.sigstore import sign_note, verify_note\n"
        "root = Path(sys.argv[1]); root.write_text('{}')\n"
        "who = [Identity('ci', 'i', 's')]\n"
        "for act in (lambda: verify_note(b'n', '{}', trusted_root=root, identities=who),\n"
        "            lambda: sign_note(b'n', trust_config=root, identity_token='t')):\n"
        "    try: act()\n"
        "    except MachineError as error: print(error, '|', error.hint)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "root.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    said = "sigstore is not installed here | pip install 'reconciler[sigstore]'\n"
    assert done.stdout == said * 2


def ledger(directory: Path, *, checkpoints: int = 2) -> Rig:
    rig = make_rig(directory)
    with rig.create() as ledger:
        for _ in range(checkpoints):
            rig.run(ledger)
            body = {"note": ledger.note()}
            ledger.append(Kind.CHECKPOINT, body, at=rig.tick(), subject=DESIRED)
        ledger.append_slim(Kind.HEARTBEAT, {}, at=rig.tick())
    return rig


def job(
    sigstore: TestSigstore, rig: Rig, environment: dict[str, str], *more: str
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "ci" / "sign_checkpoint.py"), str(rig.path)]
    options = {
        "--output": rig.directory / "bundles",
        "--signers": rig.signers_file,
        "--trusted-root": sigstore.trusted_root,
        "--issuer": sigstore.issuer,
        "--identity": WORKFLOW,
        "--source-repository": "https://github.com/smile/fleet",
        "--trust-config": sigstore.client_trust_config(),
    }
    for name, value in options.items():
        command += [name, str(value)]
    variables = {"PATH": os.environ["PATH"], "HOME": str(rig.directory), **environment}
    return subprocess.run([*command, *more], env=variables, capture_output=True, text=True)


def test_a_ci_job_signs_the_newest_checkpoint_once(sigstore: TestSigstore, tmp_path: Path) -> None:
    rig = ledger(tmp_path)
    environment = sigstore.ci_environment(SUBJECT, **GITHUB)

    done = job(sigstore, rig, environment)

    assert done.returncode == 0, done.stderr
    assert "smile/desk: checkpoint 4 signed by https://github.com/smile/fleet/" in done.stdout
    (file,) = (tmp_path / "bundles").iterdir()
    assert file.name == "smile--desk--4.sigstore.json"
    marks = rig.verify().branches[0].marks
    note = str(marks[-1].entry.body["note"]).encode()
    proof = verify_note(
        note,
        file.read_text(),
        trusted_root=sigstore.trusted_root,
        identities=[ci(sigstore)],
    )
    assert proof.proven

    again = job(sigstore, rig, {})
    assert again.returncode == 0, again.stderr
    assert "checkpoint 4 was signed before" in again.stdout


def test_a_ci_job_signs_nothing_of_a_ledger_that_does_not_verify(
    sigstore: TestSigstore, tmp_path: Path
) -> None:
    rig = ledger(tmp_path)
    other = keys.generate(tmp_path / "other", "smile/desk")
    from reconciler.evidence import sshsig

    line = f'smile/desk namespaces="git" {sshsig.public_line(keys.public(other))}\n'
    rig.signers_file.write_text(line)

    done = job(sigstore, rig, sigstore.ci_environment(SUBJECT, **GITHUB))

    assert done.returncode == ExitCode.EVIDENCE
    assert Code.KEY.value in done.stderr
    assert "Nothing was signed" in done.stderr
    assert not (tmp_path / "bundles").exists()


def test_a_ci_job_signs_no_checkpoint_of_another_log(
    sigstore: TestSigstore, tmp_path: Path
) -> None:
    """Its own key signed it, and every entry verifies; only the root is not the log's."""
    rig = ledger(tmp_path, checkpoints=0)
    (tmp_path / "twin").mkdir()
    twin = replace(rig, directory=tmp_path / "twin")
    twin.signers_file.write_text(rig.signers_file.read_text())
    with twin.create() as other:
        twin.run(other, more=1)
        note = other.note()
    with rig.open() as mine:
        body = {"note": note}
        mine.append(Kind.CHECKPOINT, body, at=rig.tick(), subject=DESIRED)

    done = job(sigstore, rig, sigstore.ci_environment(SUBJECT, **GITHUB))

    assert done.returncode == ExitCode.EVIDENCE
    assert "does NOT verify" in done.stderr
    assert "checkpoint" in done.stderr
    assert not (tmp_path / "bundles").exists()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "no job of a CI system"),
        ({"GITHUB_ACTIONS": "true"}, "gets no identity token"),
    ],
    ids=["no-ci", "no-permission"],
)
def test_a_job_without_an_identity_says_so(
    sigstore: TestSigstore, tmp_path: Path, environment: dict[str, str], message: str
) -> None:
    done = job(sigstore, ledger(tmp_path), environment)
    assert done.returncode == ExitCode.INPUT
    assert message in done.stderr
    assert "id-token: write" in done.stderr


def test_a_job_that_is_not_whom_auditors_expect_writes_nothing(
    sigstore: TestSigstore, tmp_path: Path
) -> None:
    claims = GITHUB | {"job_workflow_ref": GITHUB["job_workflow_ref"].replace("main", "try")}
    done = job(sigstore, ledger(tmp_path), sigstore.ci_environment(SUBJECT, **claims))
    assert done.returncode == ExitCode.EVIDENCE
    assert "somebody other than ci signed" in done.stderr
    assert not (tmp_path / "bundles").exists()


def test_a_ledger_without_a_checkpoint_is_not_read_as_signed(
    sigstore: TestSigstore, tmp_path: Path
) -> None:
    done = job(sigstore, ledger(tmp_path, checkpoints=0), {})
    assert done.returncode == ExitCode.EVIDENCE
    assert "holds no checkpoint of an appliance" in done.stderr


def test_the_example_workflow_asks_for_the_least(tmp_path: Path) -> None:
    text = (ROOT / "ci" / "evidence-checkpoint.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    (job_,) = workflow["jobs"].values()
    assert job_["permissions"] == {"contents": "read", "id-token": "write"}
    assert job_["timeout-minutes"] <= 30
    actions = [step["uses"] for step in job_["steps"] if "uses" in step]
    assert actions
    for action in actions:
        assert len(action.partition("@")[2]) == 40, f"{action} is not pinned to a commit"
    script = "\n".join(step.get("run", "") for step in job_["steps"])
    assert "${{" not in script, "what GitHub fills in would be run by the shell"
    for option in ("--output", "--signers", "--trusted-root", "--issuer", "--identity"):
        assert option in script
    assert json.dumps(workflow[True]["schedule"])

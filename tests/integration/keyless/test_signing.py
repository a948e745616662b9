"""Sign statements with an unmodified sigstore against a private one, verify them offline."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.evidence.canonical import encode
from reconciler.keyless.bundles import (
    MAX_BUNDLE,
    MAX_PAYLOAD,
    sign_blob,
    sign_statement,
    verify_blob,
    verify_statement,
)
from reconciler.keyless.identity import Identity
from tests.support.sigstore import Fault, TestSigstore

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[3]
REPOSITORY = "https://github.com/msp/fleet"
WORKFLOW = f"{REPOSITORY}/.github/workflows/attest.yml@refs/heads/main"
GITHUB = {
    "job_workflow_ref": WORKFLOW.removeprefix("https://github.com/"),
    "repository": "msp/fleet",
}
SUBJECT = "repo:msp/fleet:ref:refs/heads/main"
OFFLINE = """
import sys
from pathlib import Path

def refuse(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"touched the network: {event}")

sys.addaudithook(refuse)
from reconciler.keyless.bundles import verify_statement
from reconciler.keyless.identity import Identity

bundle, root, issuer, subject = sys.argv[1:]
verified = verify_statement(
    Path(bundle).read_text(),
    trusted_root=Path(root).read_bytes(),
    identities=[Identity("ci", issuer, subject)],
)
sys.stdout.buffer.write(verified.payload)
"""


def statement(subject: dict[str, str] | None = None, **predicate: Any) -> bytes:
    return encode(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "predicate": predicate,
            "predicateType": "urn:reconciler:attestation:fleet-release:v1",
            "subject": [{"digest": subject or {"sha256": "cd" * 32}, "name": "commit"}],
        }
    )


RELEASE = statement(branch="main")


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestSigstore]:
    with TestSigstore(tmp_path_factory.mktemp("sigstore")) as running:
        yield running


def sign(sigstore: TestSigstore, payload: bytes = RELEASE, *, rekor: int = 2) -> str:
    config = sigstore.client_trust_config(rekor=rekor)
    token = sigstore.identity_token(SUBJECT, **GITHUB)
    return sign_statement(payload, trust_config=config, identity_token=token)


def ci(sigstore: TestSigstore) -> Identity:
    return Identity("ci", sigstore.issuer, WORKFLOW, REPOSITORY)


@pytest.mark.parametrize("rekor", [1, 2])
def test_what_is_signed_verifies(sigstore: TestSigstore, rekor: int) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    root = sigstore.trusted_root.read_bytes()

    verified = verify_statement(
        sign(sigstore, rekor=rekor), trusted_root=root, identities=[ci(sigstore)]
    )

    assert (verified.payload, verified.identity) == (RELEASE, ci(sigstore))
    assert before <= verified.at <= datetime.now(UTC) + timedelta(seconds=2)
    assert ("transparency log" in verified.detail) == (rekor == 1)


def test_a_file_is_signed_without_being_kept(sigstore: TestSigstore) -> None:
    data, root = b"a file of some clinic", sigstore.trusted_root.read_bytes()
    token = sigstore.identity_token(SUBJECT, **GITHUB)
    config = sigstore.client_trust_config()

    bundle = sign_blob(data, trust_config=config, identity_token=token)

    verified = verify_blob(data, bundle, trusted_root=root, identities=[ci(sigstore)])
    assert verified.payload == data
    with pytest.raises(EvidenceError, match="does not verify"):
        verify_blob(data + b"x", bundle, trusted_root=root, identities=[ci(sigstore)])


def test_the_public_log_learns_digests_and_not_what_was_signed(sigstore: TestSigstore) -> None:
    """Names of clinics are in a release; the log keeps what it gets for ever."""
    seen: list[str] = []
    log = sigstore.log
    sigstore.log = lambda version, proposed: log(version, seen.append(str(proposed)) or proposed)  # type: ignore[method-assign]
    try:
        sign(sigstore, statement(systems={"elm-street/frontdesk": {}}))
    finally:
        sigstore.log = log  # type: ignore[method-assign]
    assert len(seen) == 1
    assert "ZWxtLXN0cmVldC" not in seen[0]
    assert "elm-street" not in seen[0]


def test_verifying_opens_no_socket_at_all(sigstore: TestSigstore, tmp_path: Path) -> None:
    for rekor in (1, 2):
        bundle = tmp_path / f"{rekor}.json"
        bundle.write_text(sign(sigstore, rekor=rekor))
        told = [str(sigstore.trusted_root), sigstore.issuer, WORKFLOW]
        command = [sys.executable, "-c", OFFLINE, str(bundle), *told]
        done = subprocess.run(command, cwd=ROOT, capture_output=True)
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout == RELEASE


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"x" * (MAX_PAYLOAD + 1),
        b"{}",
        b"no statement",
        statement({"gitTree": "ab" * 20}),
    ],
    ids=["empty", "large", "object", "text", "git-tree"],
)
def test_what_is_no_statement_is_not_signed(sigstore: TestSigstore, payload: bytes) -> None:
    with pytest.raises(InputError) as caught:
        sign(sigstore, payload)
    assert caught.value.hint


def test_the_largest_statement_can_be_signed(sigstore: TestSigstore) -> None:
    payload = statement(padding="x" * (MAX_PAYLOAD - len(statement(padding=""))))
    assert len(payload) == MAX_PAYLOAD
    for rekor in (1, 2):
        assert len(sign(sigstore, payload, rekor=rekor)) <= MAX_BUNDLE


@pytest.mark.parametrize(
    "fault", [Fault.NO_SCT, Fault.SCT_BY_OTHER_KEY, Fault.TWO_SCTS], ids=lambda f: f.name
)
def test_a_certificate_that_was_not_logged_is_not_used(
    sigstore: TestSigstore, fault: Fault
) -> None:
    with sigstore.corrupted(fault), pytest.raises(EvidenceError, match="answered nonsense"):
        sign(sigstore)


@pytest.mark.parametrize("token", ["", "x", "a.b.c"], ids=["empty", "word", "dots"])
def test_a_token_that_is_none_is_refused(sigstore: TestSigstore, token: str) -> None:
    with pytest.raises(InputError, match="identity token is of no use"):
        sign_statement(RELEASE, trust_config=sigstore.client_trust_config(), identity_token=token)


def test_a_service_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with TestSigstore(tmp_path) as gone:
        config = gone.client_trust_config()
        token = gone.identity_token(SUBJECT)
    with pytest.raises(MachineError, match="would not sign") as caught:
        sign_statement(RELEASE, trust_config=config, identity_token=token)
    assert "again later" in caught.value.hint


def token_of(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    code = (
        "from reconciler.errors import InputError\n"
        "from reconciler.keyless.ambient import identity_token\n"
        "try: print(identity_token())\n"
        "except InputError as error: print(error, '|', error.hint)\n"
    )
    variables = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=variables, capture_output=True, text=True
    )


def test_a_job_gets_its_token_from_its_ci_system(sigstore: TestSigstore) -> None:
    done = token_of(sigstore.ci_environment(SUBJECT, **GITHUB))
    claims = sigstore.identities.claims(done.stdout.strip(), sigstore.issuer)
    assert claims["job_workflow_ref"] == GITHUB["job_workflow_ref"]


@pytest.mark.parametrize(
    ("environment", "message"),
    [({}, "no job of a CI system"), ({"GITHUB_ACTIONS": "true"}, "gets no identity token")],
    ids=["no-ci", "no-permission"],
)
def test_a_job_without_an_identity_says_so(environment: dict[str, str], message: str) -> None:
    done = token_of(environment)
    assert message in done.stdout, done.stderr
    assert "id-token: write" in done.stdout


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sigstore'] = None\n"
        "from pathlib import Path\n"
        "from reconciler.errors import MachineError\n"
        "from reconciler.keyless.ambient import identity_token\n"
        "from reconciler.keyless.bundles import sign_statement, verify_statement\n"
        "from reconciler.keyless.identity import Identity\n"
        "who = [Identity('ci', 'i', 's')]\n"
        "for act in (lambda: verify_statement('{}', trusted_root=b'{}', identities=who),\n"
        "            lambda: sign_statement(b'n', trust_config=None, identity_token='t'),\n"
        "            identity_token):\n"
        "    try: act()\n"
        "    except MachineError as error: print(error, '|', error.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (
        done.stdout == "sigstore is not installed here | pip install 'reconciler[sigstore]'\n" * 3
    )

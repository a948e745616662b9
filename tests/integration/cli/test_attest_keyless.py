"""``reconciler attest --keyless`` against a private sigstore, and an appliance that believes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import IntentRefused
from tests.support.attest_site import SIGNERS_TEXT, AttestSite, attest
from tests.support.fleet_git import SIGNERS
from tests.support.sigstore import TestSigstore
from tests.support.trust_fleet import POLICY, POLICY_TEXT

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

ISSUER = "https://token.actions.githubusercontent.com"
WORKFLOW = "msp/fleet/.github/workflows/attest.yml@refs/heads/main"
SUBJECT = "repo:msp/fleet:ref:refs/heads/main"
IDENTITIES = f"""\
identities:
  - name: ci-release
    issuer: {ISSUER}
    identity: https://github.com/{WORKFLOW}
    branches: [main]
    roles: [release, heartbeat]
branches:
  - {{name: main, require: [ssh, release]}}
"""


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestSigstore]:
    with TestSigstore(tmp_path_factory.mktemp("sigstore"), ISSUER) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, sigstore: TestSigstore) -> AttestSite:
    files = {
        SIGNERS: SIGNERS_TEXT,
        "hosts/example-clinic/client.yaml": "id: example-clinic\n",
        POLICY: POLICY_TEXT + IDENTITIES,
        "policies/trust/trusted_root.json": sigstore.trusted_root.read_text(),
    }
    return AttestSite(tmp_path, files)


def keyless(sigstore: TestSigstore, folder: Path, workflow: str = WORKFLOW) -> tuple[object, ...]:
    """Options by which a job that gets no token from its CI gives one in a file."""
    token = folder / "token"
    claims = {"job_workflow_ref": workflow, "repository": "msp/fleet"}
    token.write_text(sigstore.identity_token(SUBJECT, **claims) + "\n")
    config = sigstore.client_trust_config()
    return ("--keyless", "--identity-token-file", token, "--trust-config", config)


def test_ci_vouches_without_a_key(site, sigstore, tmp_path, capsys) -> None:
    options = keyless(sigstore, tmp_path)
    with pytest.raises(IntentRefused) as refused:
        site.accepts(None)
    assert refused.value.reason == "release-missing"
    said = attest(site, "ci", capsys, "release", "origin/main", *options)
    assert said["files"][0].startswith(f"releases/{site.base}/")
    assert said["files"][0].endswith(".sigstore.json")
    for expected in (1, 2):
        beat = attest(site, "ci", capsys, "heartbeat", *options)
        assert beat["statement"]["counter"] == expected
        assert beat["files"] == ["heartbeats/main/heartbeat.sigstore.json"]
    assert site.pushes("ci")
    assert site.accepts(None) == site.base
    shown = attest(site, "ci", capsys, "show")
    assert [one["counts_for"] for one in shown["found"]] == ["ci-release", "ci-release"]
    assert [one["key"] for one in shown["found"]] == [None, None]
    assert shown["unread"] == []


def test_another_workflow_is_nobody(site, sigstore, tmp_path, capsys) -> None:
    options = keyless(sigstore, tmp_path, WORKFLOW.replace("attest", "gate"))
    for kind in ("release", "heartbeat"):
        err = attest(site, "ci", capsys, kind, *options, code=6)
        assert "somebody other than ci-release signed" in err
    shown = attest(site, "ci", capsys, "show")
    assert (shown["found"], shown["unread"]) == ([], [])
    # Its number is not counted on from either.
    told = attest(site, "ci", capsys, "heartbeat", *keyless(sigstore, tmp_path))
    assert told["statement"]["counter"] == 1


def test_a_token_that_is_none_signs_nothing(site, sigstore, tmp_path, capsys) -> None:
    options = keyless(sigstore, tmp_path)
    (tmp_path / "token").write_text("none")
    err = attest(site, "ci", capsys, "release", *options, code=5)
    assert "token" in err
    assert "none" not in err.replace("is none", "")
    (tmp_path / "token").unlink()
    assert "cannot be read" in attest(site, "ci", capsys, "release", *options, code=5)


@pytest.mark.parametrize(
    "policy",
    [
        POLICY_TEXT,
        POLICY_TEXT + IDENTITIES.replace("roles: [release, heartbeat]", "roles: [heartbeat]"),
        POLICY_TEXT + IDENTITIES.replace("branches: [main]", "branches: [try]"),
    ],
    ids=["nobody", "role", "branch"],
)
def test_nothing_is_signed_that_nobody_would_believe(
    sigstore, tmp_path, capsys, monkeypatch, policy
) -> None:
    """What the public Sigstore signs is public for ever."""
    files = {SIGNERS: SIGNERS_TEXT, POLICY: policy}
    site = AttestSite(tmp_path / "other", files)
    monkeypatch.setattr(sigstore, "log", lambda *_: pytest.fail("something was logged"))
    err = attest(site, "ci", capsys, "release", *keyless(sigstore, tmp_path), code=5)
    assert "names nobody who attests a release of main without a key" in err

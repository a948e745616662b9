"""Releases and heartbeats that CI signs without a key: what the named workflow attested counts.

The appliance verifies against the root that its accepted state pins. Nothing here may use a socket.
"""

import hashlib
import json
import socket
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import SocketBlockedError

from reconciler.desired.attestations import Attestations
from reconciler.desired.refusal import Reason
from reconciler.desired.trust.verify import heartbeat as judge_heartbeat
from reconciler.errors import IntentRefused
from tests.support import trust_signing as signing
from tests.support.fleet_git import NOW
from tests.support.sigstore import Fault, TestSigstore
from tests.support.trust_fleet import POLICY_TEXT, TrustFleet

ISSUER = "https://token.actions.githubusercontent.com"
REPOSITORY = "https://github.com/msp/fleet"
ATTEST, BEAT = (
    f"{REPOSITORY}/.github/workflows/{name}.yml@refs/heads/main" for name in ("attest", "heartbeat")
)
ROOT = "policies/trust/trusted_root.json"
POLICY = "policies/trust/policy.yaml"
IDENTITIES = f"""\
identities:
  - name: ci-release
    issuer: {ISSUER}
    identity: {ATTEST}
    repository: {REPOSITORY}
    branches: [main]
    roles: [release]
  - name: ci-heartbeat
    issuer: {ISSUER}
    identity: {BEAT}
    repository: {REPOSITORY}
    branches: [main]
    roles: [heartbeat]
"""
REQUIRED = "branches:\n  - {name: main, require: [ssh, release]}\n"
HOST = "hosts/example-clinic/client.yaml"
SUBJECT = "repo:msp/fleet:ref:refs/heads/main"


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> TestSigstore:
    return TestSigstore(tmp_path_factory.mktemp("sigstore"))


class Keyless(TrustFleet):
    """A fleet whose CI has no key."""

    def __init__(self, path: Path, sigstore: TestSigstore, policy: str = IDENTITIES + REQUIRED):
        super().__init__(path)
        self._sigstore = sigstore
        root = sigstore.trusted_root.read_text()
        self.accepted = self.begin(policy=POLICY_TEXT + policy, files={ROOT: root})

    def change(self, by: str | None = "alice") -> str:
        return self.commit(by, {HOST: f"id: example-clinic\nname: {self.minutes}\n"})

    def bundle(self, kind: str, predicate: dict[str, Any], commit: str, **claims: Any) -> bytes:
        """A statement about a commit, signed by whom the claims describe; else by the workflow."""
        workflow = ATTEST if kind == "fleet-release" else BEAT
        told = {
            "iss": ISSUER,
            "job_workflow_ref": workflow.removeprefix("https://github.com/"),
            "repository": "msp/fleet",
            **claims,
        }
        payload = signing.statement(kind, signing.of_commit(self.read(commit)), predicate)
        return self._sigstore.statement(payload, SUBJECT, **told).encode()

    def attest(
        self,
        commit: str | None = None,
        *,
        place: str | None = None,
        other: Any = None,
        **claims: Any,
    ) -> str:
        """Put a release on the branch; ``other`` replaces fields, ``place`` is another commit's."""
        chosen = commit or self.head
        predicate = {
            "branch": "main",
            "commit": chosen,
            "tree": self.tree_id(chosen),
            "files_sha256": signing.files_sha256(self.desired(chosen)),
            "time": self.moment(None),
            "systems": {},
            **(other or {}),
        }
        data = self.bundle("fleet-release", predicate, chosen, **claims)
        return self.keep(place or chosen, data)

    def keep(self, commit: str, data: bytes) -> str:
        path = f"releases/{commit}/{hashlib.sha256(data).hexdigest()}.sigstore.json"
        self.put(path, data)
        return path

    def beat(
        self, commit: str, counter: int = 1, *, time: str | None = None, **claims: Any
    ) -> None:
        predicate = {
            "branch": "main",
            "commit": commit,
            "counter": counter,
            "time": time or self.moment(None),
        }
        data = self.bundle("fleet-heartbeat", predicate, commit, **claims)
        self.put("heartbeats/main/heartbeat.sigstore.json", data)

    def reason(self, now: datetime = NOW) -> str:
        with pytest.raises(IntentRefused) as refused:
            self.verify(self.accepted, now=now)
        assert refused.value.hint
        return refused.value.reason

    def beats(self, now: datetime = NOW) -> Any:
        return judge_heartbeat(
            self.repository, self.accepted, self.head, branch="main", now=now, newest=None,
            attestations=Attestations(self.repository, self.attestations),
        )  # fmt: skip


@pytest.fixture
def fleet(tmp_path: Path, sigstore: TestSigstore) -> Keyless:
    return Keyless(tmp_path / "fleet.git", sigstore)


def test_what_the_workflow_of_the_branch_attested_is_accepted_offline(fleet: Keyless) -> None:
    with pytest.warns(UserWarning, match="socket"), pytest.raises(SocketBlockedError):
        socket.socket()
    head = fleet.change()
    assert fleet.reason() == Reason.RELEASE_MISSING
    fleet.attest()
    assert fleet.verify(fleet.accepted).commit == head
    later = fleet.change()
    assert fleet.reason() == Reason.RELEASE_MISSING
    fleet.attest()
    assert fleet.verify(head).commit == later


def test_what_ci_attested_still_needs_its_signatures(fleet: Keyless) -> None:
    fleet.change(None)
    fleet.attest()
    assert fleet.reason() == Reason.UNSIGNED
    fleet.move(fleet.accepted)
    fleet.commit("alice", {"runbooks/RB-A-001.yaml": "id: RB-A-001\nname: x\n"})
    fleet.attest()
    assert fleet.reason() == Reason.APPROVALS_MISSING


def test_a_branch_that_asks_for_releases_alone_follows_ci(
    tmp_path: Path, sigstore: TestSigstore
) -> None:
    policy = IDENTITIES + REQUIRED.replace("[ssh, release]", "[release]")
    fleet = Keyless(tmp_path / "fleet.git", sigstore, policy)
    head = fleet.change(None)
    assert fleet.reason() == Reason.RELEASE_MISSING
    fleet.attest()
    assert fleet.verify(fleet.accepted).commit == head


@pytest.mark.parametrize(
    "fault",
    [
        Fault.UNKNOWN_AUTHORITY,
        Fault.EXPIRED,
        Fault.NO_CODE_SIGNING,
        Fault.NO_SCT,
        Fault.SCT_BY_OTHER_KEY,
        Fault.SCT_OF_OTHER_CERTIFICATE,
        Fault.NO_PROOF,
        Fault.PROOF_HASH,
        Fault.PROOF_INDEX,
        Fault.NO_CHECKPOINT,
        Fault.CHECKPOINT_BY_OTHER_KEY,
        Fault.CHECKPOINT_OF_SHORTER_LOG,
        Fault.OTHER_ENTRY,
        Fault.NO_TIMESTAMP,
        Fault.TIMESTAMP_BY_OTHER_AUTHORITY,
        Fault.TIMESTAMP_OF_OTHER_SIGNATURE,
    ],
    ids=lambda fault: fault.name.lower(),
)
def test_one_corrupted_part_and_the_machine_stays_where_it_is(
    fleet: Keyless, sigstore: TestSigstore, fault: Fault
) -> None:
    head = fleet.change()
    with sigstore.corrupted(fault):
        fleet.attest()
    assert fleet.reason() == Reason.RELEASE_REFUSED
    # A bundle that lies takes nothing from one that does not.
    fleet.attest()
    assert fleet.verify(fleet.accepted).commit == head


@pytest.mark.parametrize(
    "claims",
    [
        {"job_workflow_ref": "msp/fleet/.github/workflows/attest.yml@refs/heads/try"},
        {"job_workflow_ref": "msp/fleet/.github/workflows/attest.yml@refs/pull/7/merge"},
        {"job_workflow_ref": "msp/fleet/.github/workflows/gate.yml@refs/heads/main"},
        {"job_workflow_ref": BEAT.removeprefix("https://github.com/")},
        {"job_workflow_ref": "mallory/fleet/.github/workflows/attest.yml@refs/heads/main"},
        {"repository": "mallory/fleet"},
        {"iss": "https://token.evil.example"},
        {"issuer_v2": "https://token.evil.example"},
    ],
    ids=[
        "branch", "pull-request", "workflow", "role", "fork", "called", "issuer", "two-issuers",
    ],
)  # fmt: skip
def test_another_identity_attests_nothing(fleet: Keyless, claims: dict[str, str]) -> None:
    fleet.change()
    fleet.attest(**claims)
    assert fleet.reason() == Reason.RELEASE_REFUSED


@pytest.mark.parametrize(
    "other",
    [
        {"branch": "try"},
        {"commit": "1" * 40},
        {"tree": "1" * 40},
        {"files_sha256": "1" * 64},
        {"time": "2099-01-01T00:00:00Z"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_release_of_anything_else_attests_nothing(fleet: Keyless, other: dict[str, str]) -> None:
    fleet.change()
    fleet.attest(other=other)
    assert fleet.reason() == Reason.RELEASE_REFUSED


def test_a_release_is_not_moved_to_another_commit(fleet: Keyless) -> None:
    earlier = fleet.change()
    fleet.attest()
    later = fleet.change()
    fleet.attest(earlier, place=later)
    assert fleet.reason() == Reason.RELEASE_REFUSED


def test_a_statement_is_not_changed_inside_its_bundle(fleet: Keyless) -> None:
    """The honest bundle of another commit, with the right statement put into it."""
    earlier, later = fleet.change(), fleet.change()
    paths = [fleet.attest(earlier), fleet.attest(later)]
    tree = fleet.tree(fleet.attestations or "")
    theirs, right = (json.loads(fleet.read(tree[path][1])) for path in paths)
    fleet.put(paths[1], None)
    theirs["dsseEnvelope"]["payload"] = right["dsseEnvelope"]["payload"]
    fleet.keep(later, json.dumps(theirs).encode())
    assert fleet.reason() == Reason.RELEASE_REFUSED


def test_a_signed_file_is_no_release(fleet: Keyless, sigstore: TestSigstore) -> None:
    """The same bytes, signed by the same job as a file and not as a statement."""
    fleet.change()
    path = fleet.attest()
    bundle = json.loads(fleet.read(fleet.tree(fleet.attestations or "")[path][1]))
    payload = b64decode(bundle["dsseEnvelope"]["payload"])
    fleet.put(path, None)
    told = {"iss": ISSUER, "job_workflow_ref": ATTEST.removeprefix("https://github.com/")}
    data = sigstore.bundle(payload, SUBJECT, repository="msp/fleet", **told)
    fleet.keep(fleet.head, data.encode())
    assert fleet.reason() == Reason.RELEASE_REFUSED


def test_an_envelope_by_a_key_of_nobody_is_no_release_because_it_is_called_a_bundle(
    fleet: Keyless,
) -> None:
    fleet.change()
    path = fleet.release("frank")
    data = fleet.read(fleet.tree(fleet.attestations or "")[path][1])
    fleet.put(path, None)
    fleet.keep(fleet.head, data)
    assert fleet.reason() == Reason.RELEASE_REFUSED


@pytest.mark.parametrize(
    "policy",
    [
        IDENTITIES.replace("branches: [main]", "branches: [try]"),
        IDENTITIES.replace("roles: [release]", "roles: [heartbeat]"),
        "",
    ],
    ids=["branches", "roles", "nobody"],
)
def test_an_identity_without_the_role_on_the_branch_attests_nothing(
    tmp_path: Path, sigstore: TestSigstore, policy: str
) -> None:
    fleet = Keyless(tmp_path / "fleet.git", sigstore, policy + REQUIRED)
    fleet.change()
    fleet.attest()
    assert fleet.reason() == Reason.RELEASE_REFUSED


@pytest.mark.parametrize("root", [None, "", "{}", "other"])
def test_without_the_pinned_root_nobody_is_believed(
    tmp_path: Path, sigstore: TestSigstore, root: str | None
) -> None:
    if root == "other":
        (tmp_path / "other").mkdir()
        root = TestSigstore(tmp_path / "other").trusted_root.read_text()
    fleet = Keyless(tmp_path / "fleet.git", sigstore)
    fleet.accepted = fleet.commit("alice", {ROOT: root})
    fleet.change()
    fleet.attest()
    assert fleet.reason() == Reason.RELEASE_REFUSED


def test_a_head_does_not_bring_the_root_that_it_is_believed_by(
    fleet: Keyless, tmp_path: Path
) -> None:
    """Two people of the trust rule are deceived, or it is their change: the root before counts."""
    (tmp_path / "mallory").mkdir()
    mallory = TestSigstore(tmp_path / "mallory")
    fleet.commit("alice", {ROOT: mallory.trusted_root.read_text()})
    fleet.approve("bob")
    honest, fleet._sigstore = fleet._sigstore, mallory
    fleet.attest()
    assert fleet.reason() == Reason.RELEASE_REFUSED
    fleet._sigstore = honest
    fleet.attest()
    assert fleet.verify(fleet.accepted).commit == fleet.head


def test_a_head_does_not_name_the_workflow_that_attests_it(fleet: Keyless) -> None:
    text = (POLICY_TEXT + IDENTITIES + REQUIRED).replace("attest.yml", "other.yml")
    fleet.commit("alice", {POLICY: text})
    fleet.approve("bob")
    fleet.attest(job_workflow_ref="msp/fleet/.github/workflows/other.yml@refs/heads/main")
    assert fleet.reason() == Reason.RELEASE_REFUSED


AHEAD = datetime(2099, 1, 1, tzinfo=UTC)
"""When what was signed today, and says this, would be believed if nobody looked at the log."""


def test_a_release_is_not_dated_later_than_it_was_signed(fleet: Keyless) -> None:
    fleet.change()
    fleet.attest(other={"time": signing.moment(AHEAD)})
    assert fleet.reason(AHEAD) == Reason.RELEASE_REFUSED


def test_heartbeats_are_not_signed_ahead_of_time(fleet: Keyless) -> None:
    """Whoever freezes the repository tomorrow would have signed its heartbeats today."""
    fleet.beat(fleet.accepted, time=signing.moment(AHEAD))
    judged = fleet.beats(AHEAD)
    assert judged.beat is None
    assert "later than it was signed" in judged.objection.words


def test_a_heartbeat_without_a_key_counts(fleet: Keyless) -> None:
    fleet.beat(fleet.accepted)
    judged = fleet.beats()
    assert judged.objection is None
    assert judged.beat.counter == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"job_workflow_ref": ATTEST.removeprefix("https://github.com/")},
        {"job_workflow_ref": BEAT.removeprefix("https://github.com/").replace("main", "try")},
        {"repository": "mallory/fleet"},
        {"iss": "https://token.evil.example"},
    ],
    ids=["role", "branch", "called", "issuer"],
)
def test_a_heartbeat_of_another_identity_does_not_count(
    fleet: Keyless, claims: dict[str, str]
) -> None:
    fleet.beat(fleet.accepted, **claims)
    judged = fleet.beats()
    assert judged.beat is None
    assert judged.objection is not None


@pytest.mark.parametrize(
    "fault",
    [Fault.SCT_BY_OTHER_KEY, Fault.PROOF_HASH, Fault.CHECKPOINT_BY_OTHER_KEY, Fault.NO_TIMESTAMP],
    ids=lambda fault: fault.name.lower(),
)
def test_a_corrupted_heartbeat_does_not_count(
    fleet: Keyless, sigstore: TestSigstore, fault: Fault
) -> None:
    with sigstore.corrupted(fault):
        fleet.beat(fleet.accepted)
    assert fleet.beats().beat is None

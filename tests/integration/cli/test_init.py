"""`reconciler init`: who may change the new fleet, what is in it, and where trust begins."""

import json
import subprocess
import tomllib
from base64 import b64encode
from pathlib import Path

import pytest

from reconciler.cli import execute as run
from reconciler.desired import strict_yaml
from reconciler.engine.scaffold import files as scaffold_files
from reconciler.engine.settings import load_settings
from reconciler.errors import ExitCode
from reconciler.evidence import signers, sshsig
from reconciler.evidence.signers import AllowedSigners
from reconciler.model.trust_policy import TrustPolicy
from reconciler.trust.paths import Owners
from reconciler.trust.people import People, may_approve, may_author
from tests.support.evidence_keys import test_key as key_of

ROOT = Path(__file__).resolve().parents[3]
POSTURE = {ExitCode.CLEAN, ExitCode.DRIFT, ExitCode.UNKNOWN}
# What runs with the rights of CI, or decides whom machines believe.
GUARDED = (
    "policies/trust/policy.yaml",
    "policies/trust/allowed_signers",
    "policies/trust/trusted_root.json",
    ".github/workflows/gate.yml",
    ".github/actions/reconciler/action.yml",
    "ci/gate.sh",
)
TWO = (*GUARDED, "runbooks/RB-DISK-001.yaml", "policies/rules/firewall.yaml", "README.md", "new")


def public_file(directory: Path, name: str) -> Path:
    """A person's ``.pub`` file."""
    file = directory / f"{name}.pub"
    file.write_text(sshsig.public_line(sshsig.raw_public(key_of(name)), f"{name}@laptop") + "\n")
    return file


def new_fleet(directory: Path, *arguments: str) -> Path:
    assert run(["init", str(directory / "site"), *arguments]) == 0
    return directory / "site" / "fleet"


def policy_of(fleet: Path) -> TrustPolicy:
    file = fleet / "policies/trust/policy.yaml"
    return strict_yaml.validate(strict_yaml.load(file.read_bytes(), file.name), TrustPolicy)


def signers_of(fleet: Path) -> AllowedSigners:
    file = fleet / "policies/trust/allowed_signers"
    return signers.parse(file.read_bytes(), file.name)


def git(fleet: Path, *arguments: str) -> str:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(fleet), *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_two_people_must_agree_from_the_start(tmp_path: Path) -> None:
    other = public_file(tmp_path, "bob")
    fleet = new_fleet(tmp_path, "--engineer", "alice", "--person", f"bob={other}")

    policy, owners = policy_of(fleet), Owners(policy_of(fleet))

    assert [member.id for member in policy.people] == ["alice", "bob"]
    for path in TWO:
        owned = owners.of(path)
        assert owned is not None, path
        assert owned.rule.approvals == 1, path
    people = People(policy).persons
    for path in TWO:
        owned = owners.of(path)
        assert all(may_author(one, owned) and may_approve(one, owned) for one in people), path
    assert policy.recovery is not None
    assert policy.recovery.people == 2
    assert run(["check", str(fleet)]) == 0


def test_what_runs_with_the_rights_of_ci_is_owned_by_the_rule_of_trust(tmp_path: Path) -> None:
    fleet = new_fleet(tmp_path, "--person", f"bob={public_file(tmp_path, 'bob')}")
    owners = Owners(policy_of(fleet))
    assert {owners.of(path).rule.id for path in GUARDED} == {"trust"}


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "two"])
def test_every_file_of_the_first_commit_is_owned(tmp_path: Path, alone: bool) -> None:
    more = () if alone else ("--person", f"bob={public_file(tmp_path, 'bob')}")
    fleet = new_fleet(tmp_path, *more)
    owners, paths = Owners(policy_of(fleet)), git(fleet, "ls-files").splitlines()

    assert {".gitattributes", "README.md", "policies/README.md", "ci/gate.sh"} <= set(paths)
    assert [path for path in paths if owners.of(path) is None] == []
    assert git(fleet, "status", "--porcelain") == ""


def test_one_person_is_told_that_they_are_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = new_fleet(tmp_path)
    said, policy = capsys.readouterr().out, policy_of(fleet)

    assert "One person decides everything" in said
    assert {rule.approvals for rule in policy.rules} == {0}
    assert policy.recovery is None
    text = (fleet / "policies/trust/policy.yaml").read_text()
    assert "To add the second" in text
    # What the comment tells to do gives the policy of two.
    told = text.replace("approvals: 0}", "approvals: 1}").replace("# recovery:", "recovery:")
    told = told.replace(
        "people:\n", "people:\n  - {id: bob, principals: [bob], roles: [security]}\n"
    )
    page = strict_yaml.load(told.encode(), "policy.yaml")
    assert strict_yaml.validate(page, TrustPolicy).recovery is not None


def test_the_identities_that_are_written_as_a_comment_can_be_used(tmp_path: Path) -> None:
    text = (new_fleet(tmp_path) / "policies/trust/policy.yaml").read_text()
    head, mark, rest = text.partition("# identities:")
    assert mark
    used = head + (mark + rest).replace("# ", "")
    policy = strict_yaml.validate(strict_yaml.load(used.encode(), "p"), TrustPolicy)
    workflows = {name.name for name in (ROOT / "ci/fleet/.github/workflows").iterdir()}
    for identity in policy.identities:
        assert identity.identity.endswith("@refs/heads/main")
        assert identity.identity.split("/")[-3].partition("@")[0] in workflows
        assert identity.repository in identity.identity
    assert [identity.roles for identity in policy.identities] == [("release",), ("heartbeat",)]


def test_keys_of_people_sign_commits_and_attestations(tmp_path: Path) -> None:
    fleet = new_fleet(
        tmp_path, "--engineer", "alice@acme.example",
        "--person", f"bob@acme.example={public_file(tmp_path, 'bob')}",
    )  # fmt: skip
    listed = signers_of(fleet).signers

    assert [line.principal for line in listed] == ["alice@acme.example", "bob@acme.example"]
    assert {line.namespaces for line in listed} == {("git", "reconciler-attestation")}
    assert listed[1].public == sshsig.raw_public(key_of("bob"))
    assert git(fleet, "log", "--format=%G? %GS %an").strip() == "G alice@acme.example alice"
    pinned = fleet.parent / "trust/allowed_signers"
    assert pinned.read_bytes() == (fleet / "policies/trust/allowed_signers").read_bytes()


def test_a_hardware_key_is_somebody_too(tmp_path: Path) -> None:
    def text(*parts: bytes) -> bytes:
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    kind = b"sk-ssh-ed25519@openssh.com"
    blob = text(kind, sshsig.raw_public(key_of("bob")), b"ssh:")
    file = tmp_path / "bob.pub"
    file.write_bytes(kind + b" " + b64encode(blob) + b" bob@key\n")

    fleet = new_fleet(tmp_path, "--person", f"bob={file}")

    assert signers_of(fleet).signers[1].public == blob


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--person", "bob"], "is not ID=PUBKEYFILE"),
        (["--person", "=bob.pub"], "cannot be the id"),
        (["--person", "Bob={bob}"], "cannot be the id"),
        (["--person", "bob@={bob}"], "cannot be the id"),
        (["--person", "bob,eve@x={bob}"], "cannot be the id"),
        (["--person", "bob={dir}/nobody.pub"], "cannot be read"),
        (["--person", "bob={dir}/empty"], "not a public key"),
        (["--person", "bob={dir}/rsa"], "not a public key"),
        (["--person", "bob={dir}/private"], "not a public key"),
        (["--person", "bob={bob}", "--person", "bob={carol}"], "the same id"),
        (["--person", "bob={bob}", "--person", "carol={bob}"], "the same key"),
        (["--person", "engineer={bob}"], "the same id"),
        (["--engineer", "alice smith"], "cannot be the id"),
        (["--pin", "0" * 40], "need a fleet"),
        (["--fleet", "f", "--signers", "{bob}", "--person", "bob={bob}"], "is decided in it"),
        (["--fleet", "f", "--signers", "{bob}", "--engineer", "alice"], "is decided in it"),
        (["--fleet", "f", "--signers", "{signers}", "--pin", "main"], "not the whole id"),
        (["--fleet", "f", "--signers", "{signers}", "--pin", "abc123"], "not the whole id"),
        (["--fleet", "f", "--pin", "0" * 40], "needs its signers"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_said_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "rsa").write_text("ssh-rsa AAAAB3NzaC1yc2E= bob")
    (tmp_path / "private").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n")
    (tmp_path / "signers").write_text("bob " + public_file(tmp_path, "bob").read_text())
    places = {
        "dir": tmp_path,
        "signers": tmp_path / "signers",
        **{name: public_file(tmp_path, name) for name in ("bob", "carol")},
    }
    told = [argument.format(**places) for argument in arguments]

    assert run(["init", str(tmp_path / "site"), *told]) == ExitCode.INPUT

    error = capsys.readouterr().err
    assert message in error
    assert "hint:" in error
    assert not (tmp_path / "site").exists()


def test_trust_begins_at_the_first_commit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", str(tmp_path / "site"), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    home = load_settings(tmp_path / "site/reconciler.yaml")

    assert home.settings.fleet.pin == made["pin"] == made["commit"]
    assert git(tmp_path / "site/fleet", "rev-parse", "HEAD").strip() == made["pin"]
    assert run(["run", "--once", "--config", str(tmp_path / "site/reconciler.yaml")]) in POSTURE


@pytest.mark.parametrize("pinned", [True, False])
def test_who_joins_a_fleet_pins_a_commit_or_is_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pinned: bool
) -> None:
    fleet = new_fleet(tmp_path)
    first = git(fleet, "rev-parse", "HEAD").strip()
    told = ["--fleet", str(fleet), "--signers", str(tmp_path / "site/trust/allowed_signers")]
    capsys.readouterr()

    made = run(["init", str(tmp_path / "other"), *told, *(["--pin", first] if pinned else [])])

    said = capsys.readouterr().out
    home = load_settings(tmp_path / "other/reconciler.yaml")
    assert made == 0
    assert home.settings.fleet.pin == (first if pinned else None)
    assert ("No commit is pinned" in said) != pinned
    assert "policies/trust/evidence_signers" in said
    assert run(["run", "--once", "--config", str(tmp_path / "other/reconciler.yaml")]) in POSTURE


def test_every_template_is_in_the_package_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for part in (*scaffold_files.PARTS, scaffold_files.AROUND):
        assert included.get(part) == f"reconciler/templates/{part}"

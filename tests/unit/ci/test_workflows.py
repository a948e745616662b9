"""The workflows that a new fleet gets ask for the least, and run nothing that a stranger wrote."""

import copy
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import InputError
from tests.support.rigs import rig
from tests.support.workflows import Workflow, load, parse, problems, unversioned, used

ROOT = Path(__file__).resolve().parents[3]
FLEET = ROOT / "ci" / "fleet"
FILES = sorted((FLEET / ".github" / "workflows").iterdir())
ACTION = FLEET / ".github" / "actions" / "reconciler" / "action.yml"
CHECKPOINT = ROOT / "ci" / "evidence-checkpoint.yml"
SCRIPTS = sorted((FLEET / "ci").iterdir())


def workflow(name: str) -> Workflow:
    return load(FLEET / ".github" / "workflows" / f"{name}.yml")


def rights(name: str) -> dict[str, dict[str, str]]:
    return {job: body["permissions"] for job, body in workflow(name)["jobs"].items()}


@pytest.mark.parametrize("file", [*FILES, CHECKPOINT], ids=lambda file: file.name)
def test_a_workflow_asks_for_the_least(file: Path) -> None:
    assert problems(load(file)) == []
    assert unversioned(file.read_text()) == []


def test_each_workflow_has_the_rights_that_it_is_for() -> None:
    read, write = {"contents": "read"}, {"contents": "write"}
    signs = {**read, "id-token": "write"}
    assert rights("gate") == {"review": read, "comment": {"pull-requests": "write"}}
    assert rights("attest") == {"sign": signs, "publish": write}
    assert rights("release") == {"sign": signs, "publish": write}
    assert rights("heartbeat") == {"sign": signs, "publish": write}
    assert rights("evidence") == {"verify": read}
    assert rights("rings") == {"ask": read}
    proposes = {"pull-requests": "write"}
    assert rights("inputs") == {"update": read, "push": write, "propose": proposes}
    assert rights("advisories") == {"scan": read, "push": write, "propose": proposes}
    assert {file.stem for file in FILES} >= {"gate", "attest", "heartbeat", "evidence"}


def test_each_workflow_runs_when_it_should() -> None:
    assert list(workflow("gate")["on"]) == ["pull_request"]
    for name in ("attest", "release"):
        assert workflow(name)["on"] == {"push": {"branches": ["main"]}}
    for name in ("heartbeat", "evidence", "rings", "inputs", "advisories"):
        assert set(workflow(name)["on"]) == {"schedule", "workflow_dispatch"}


def test_no_attestation_is_cancelled() -> None:
    for name in ("attest", "release", "heartbeat"):
        assert workflow(name)["concurrency"]["cancel-in-progress"] is False
    # Of several runs that wait in one group, GitHub keeps only the newest.
    assert "github.sha" in workflow("attest")["concurrency"]["group"]


def test_nothing_is_published_before_somebody_says_so() -> None:
    for name in ("attest", "heartbeat"):
        assert "vars.RECONCILER_ATTEST == 'keyless'" in workflow(name)["jobs"]["sign"]["if"]
    assert "vars.RECONCILER_CACHE != ''" in workflow("release")["jobs"]["sign"]["if"]
    assert "vars.EVIDENCE_REPOSITORY != ''" in workflow("evidence")["jobs"]["verify"]["if"]


def test_closures_are_in_the_cache_before_a_release_is_published() -> None:
    jobs = workflow("release")["jobs"]
    runs = [step.get("run", "") for step in jobs["sign"]["steps"]]
    built, copied = (next(i for i, r in enumerate(runs) if w in r) for w in ("release.sh", "sync"))
    assert built < copied
    assert jobs["publish"]["needs"] == "sign"


def test_every_workflow_uses_the_same_commit_of_an_action() -> None:
    pins: dict[str, set[str]] = {}
    action = load(ACTION)
    files = [
        *map(load, [*FILES, CHECKPOINT]),
        {"jobs": {"action": {"steps": action["runs"]["steps"]}}},
    ]
    for name, _, commit in (use.partition("@") for file in files for use in used(file)):
        pins.setdefault(name, set()).add(commit)
    assert {name: len(commits) for name, commits in pins.items() if len(commits) > 1} == {}
    assert len(pins) >= 4


def test_the_action_installs_what_was_reviewed_and_nothing_else() -> None:
    text, action = ACTION.read_text(), load(ACTION)
    assert unversioned(text) == []
    steps = action["runs"]["steps"]
    alone = copy.deepcopy(workflow("evidence"))
    alone["jobs"]["verify"]["steps"] = steps
    assert problems(alone) == []
    install = steps[-1]["run"]
    assert "--require-hashes" in install
    (requirements,) = re.findall(r"-r \.reconciler/(\S+)", install)
    assert (ROOT / requirements).exists()
    # Until somebody names a commit, nothing is fetched.
    assert steps[0]["with"]["ref"] == "0" * 40


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_every_script_is_called_by_a_workflow_and_is_plain_shell(file: Path) -> None:
    text = file.read_text()
    assert text.startswith("#!/bin/sh\n# ")
    assert "set -eu" in text
    assert f"sh ci/{file.name}" in "".join(one.read_text() for one in FILES)
    assert subprocess.run(["sh", "-n", str(file)], check=False).returncode == 0


def _put(*path: Any, value: Any) -> Callable[[Workflow], None]:
    def change(document: Workflow) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def _drop(*path: Any) -> Callable[[Workflow], None]:
    def change(document: Workflow) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


SIGN, PUBLISH, COMMENT = ("jobs", "sign"), ("jobs", "publish"), ("jobs", "comment")
WRONG = {
    "target": ("gate", _put("on", value={"pull_request_target": ""}), "pull_request_target"),
    "comments": ("gate", _put("on", "issue_comment", value=""), "issue_comment"),
    "chained": ("attest", _put("on", "workflow_run", value=""), "workflow_run"),
    "any-push": ("attest", _put("on", "push", value=""), "other branches"),
    "all-branches": ("attest", _put("on", "push", "branches", value=["**"]), "other branches"),
    "top": ("gate", _drop("permissions"), "do not ask"),
    "read-all": ("gate", _put("permissions", value="read-all"), "do not ask"),
    "write-all": ("gate", _put(*COMMENT, "permissions", value={"contents": "admin"}), "asks for"),
    "packages": ("gate", _put(*COMMENT, "permissions", "packages", value="write"), "asks for"),
    "no-rights": ("gate", _drop(*COMMENT, "permissions"), "does not say its rights"),
    "no-timeout": ("attest", _drop(*SIGN, "timeout-minutes"), "no limit of time"),
    "a-day": ("attest", _put(*SIGN, "timeout-minutes", value=1440), "no limit of time"),
    "latest": ("attest", _put(*SIGN, "runs-on", value="ubuntu-latest"), "by itself"),
    "no-group": ("attest", _drop("concurrency"), "two run at once"),
    "tag": ("attest", _put(*SIGN, "steps", 0, "uses", value="actions/checkout@v4"), "not pinned"),
    "short": ("attest", _put(*SIGN, "steps", 0, "uses", value="a/b@11bd719"), "not pinned"),
    "image": ("attest", _put(*SIGN, "steps", 0, "uses", value="docker://alpine"), "not pinned"),
    "credentials": (
        "attest", _drop(*SIGN, "steps", 0, "with", "persist-credentials"), "credentials"
    ),
    "injection": (
        "gate",
        _put("jobs", "review", "steps", 2, "run", value="echo ${{ github.head_ref }}"),
        "what GitHub fills in",
    ),
    "push-and-sign": (
        "attest", _put(*SIGN, "permissions", "contents", value="write"), "can write contents and"
    ),
    "install-and-push": (
        "attest", _put(*PUBLISH, "steps", 0, "uses", value="./.github/actions/reconciler"),
        "installs software",
    ),
    "checkout-and-comment": (
        "gate", _put(*COMMENT, "steps", 0, "uses", value="actions/checkout@" + "1" * 40),
        "takes files of the change",
    ),
    "sign-a-pull-request": (
        "gate", _put("jobs", "review", "permissions", value={"id-token": "write"}),
        "can write for a pull request",
    ),
    "secret-for-strangers": (
        "gate", _put("jobs", "review", "steps", 2, "env", "KEY", value="${{ secrets.KEY }}"),
        "has a secret",
    ),
    "secret-for-all": (
        "evidence", _put("jobs", "verify", "env", value={"K": "${{ secrets.K }}"}), "every step"
    ),
    "env-for-all": ("evidence", _put("env", value={"K": "v"}), "for all jobs"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_workflow_that_asks_for_more_is_found(name: str) -> None:
    file, change, message = WRONG[name]
    changed = copy.deepcopy(workflow(file))
    change(changed)
    assert message in "\n".join(problems(changed))


def test_an_action_without_its_version_is_found() -> None:
    text = FILES[0].read_text()
    assert unversioned(re.sub(r" # v[0-9.]+$", "", text, flags=re.MULTILINE)) != []


def test_a_key_that_is_there_twice_is_no_workflow() -> None:
    with pytest.raises(InputError):
        parse(FILES[0].read_bytes() + b"permissions: write-all\n", "twice.yml")


def tool(name: str) -> str:
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    rig(name, None if path else "not installed")
    assert path is not None
    return path


def test_zizmor_finds_nothing() -> None:
    command = [tool("zizmor"), "--offline", "--no-progress", "--format=json", "--persona=pedantic"]
    # It prefers a form for local actions that only the newest forges know.
    done = subprocess.run(
        [*command, "--min-severity=medium", str(FLEET)], capture_output=True, text=True
    )
    assert json.loads(done.stdout) == [], done.stdout[:2000]
    assert done.returncode == 0, done.stderr[-2000:]


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = (FILES[0].parent / "gate.yml").read_text()
    (folder / "gate.yml").write_text(text.replace("pull_request:", "pull_request_target:"))
    done = subprocess.run(
        [tool("zizmor"), "--offline", "--no-progress", "--format=json", str(tmp_path)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert "dangerous-triggers" in {one["ident"] for one in json.loads(done.stdout)}


def test_actionlint_finds_nothing() -> None:
    # Its package for Python downloads a program when it is built, so no gate can rely on it.
    program = shutil.which("actionlint")
    if program is None:
        pytest.skip("actionlint: not on the path")
    command = [program, "-no-color", *map(str, FILES)]
    done = subprocess.run(command, cwd=FLEET, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_shellcheck_finds_nothing() -> None:
    command = [tool("shellcheck"), *map(str, SCRIPTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

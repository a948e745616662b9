"""What is wrong with workflows: each rule of ours for what runs with the rights of CI, as code.

zizmor and actionlint know more about GitHub; this knows what we promised about our own templates.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reconciler.desired import strict_yaml

_PIN = re.compile(r"[a-z0-9-]+/[a-z0-9-]+@[0-9a-f]{40}")
_COMMENT = re.compile(r"uses: (\S+@\S+) # v[0-9]+\.[0-9]+\.[0-9]+$")
_LOCAL = "./.github/actions/reconciler"
_TRIGGERS = {"pull_request", "push", "schedule", "workflow_dispatch"}
"""None of them runs what a stranger wrote with more rights than reading."""

_RIGHTS = {
    "contents": {"read", "write"},
    "id-token": {"write"},
    "pull-requests": {"write"},
}

Workflow = dict[str, Any]
Rule = Callable[[Workflow], Iterator[str]]


def load(file: Path) -> Workflow:
    """A workflow, read as strictly as a policy: no key twice, no anchor, no bare yes or no."""
    return parse(file.read_bytes(), file.name)


def parse(data: bytes, name: str) -> Workflow:
    value: Any = json.loads(json.dumps(strict_yaml.load(data, name).value))
    assert isinstance(value, dict), name
    return value


def problems(workflow: Workflow) -> list[str]:
    """Everything that is wrong with a workflow."""
    return [problem for rule in RULES for problem in rule(workflow)]


def unversioned(text: str) -> list[str]:
    """Actions of other repositories that do not say in a comment which version they are."""
    used = re.findall(r"uses: (\S+@\S+)", text)
    named = [match[1] for line in text.splitlines() if (match := _COMMENT.search(line))]
    return sorted(set(used) - set(named))


def used(workflow: Workflow) -> list[str]:
    """Every action that it uses."""
    return [step["uses"] for _, step in _steps(workflow) if "uses" in step]


def _jobs(workflow: Workflow) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from workflow["jobs"].items()


def _steps(workflow: Workflow) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in _jobs(workflow):
        for step in job["steps"]:
            yield name, step


def _triggers(workflow: Workflow) -> Iterator[str]:
    for trigger in workflow["on"]:
        if trigger not in _TRIGGERS:
            yield f"runs on {trigger}"
    push = workflow["on"].get("push")
    if "push" in workflow["on"] and push != {"branches": ["main"]}:
        yield "runs on pushes to other branches than main"


def _top(workflow: Workflow) -> Iterator[str]:
    if workflow.get("permissions") != {}:
        yield "gives rights to jobs that do not ask"
    if set(workflow.get("concurrency", ())) != {"group", "cancel-in-progress"}:
        yield "does not say what happens when two run at once"
    if "env" in workflow or "defaults" in workflow:
        yield "sets something for all jobs"


def _each_job(workflow: Workflow) -> Iterator[str]:
    for name, job in _jobs(workflow):
        if not 1 <= job.get("timeout-minutes", 0) <= 60:
            yield f"{name}: has no limit of time, or more than an hour"
        if re.fullmatch(r"ubuntu-[0-9.]+", job.get("runs-on", "")) is None:
            yield f"{name}: runs on what changes by itself"
        if not job.get("permissions"):
            yield f"{name}: does not say its rights"
        for right, level in dict(job.get("permissions") or {}).items():
            if level not in _RIGHTS.get(right, ()):
                yield f"{name}: asks for {right}: {level}"


def _separate(workflow: Workflow) -> Iterator[str]:
    """A right to write something stands alone: no other right, and nothing foreign that runs."""
    for name, job in _jobs(workflow):
        rights = dict(job.get("permissions") or {})
        written = [right for right, level in rights.items() if level == "write"]
        runs = [step.get("uses", "") for step in job["steps"]]
        if written and set(rights) - set(written) - {"contents"}:
            yield f"{name}: asks for more than what it writes"
        if len(written) > 1:
            yield f"{name}: can write {' and '.join(written)}"
        if rights.get("contents") == "write" and _LOCAL in runs:
            yield f"{name}: installs software where it can push"
        if "pull-requests" in rights and any("checkout" in action for action in runs):
            yield f"{name}: takes files of the change to where it can comment"
        if "pull_request" in workflow["on"] and written not in ([], ["pull-requests"]):
            yield f"{name}: can write for a pull request"


def _each_step(workflow: Workflow) -> Iterator[str]:
    for name, step in _steps(workflow):
        action = step.get("uses", "")
        if action and action != _LOCAL and _PIN.fullmatch(action) is None:
            yield f"{name}: {action} is not pinned to a commit"
        if (
            "actions/checkout" in action
            and step.get("with", {}).get("persist-credentials") is not False
        ):
            yield f"{name}: leaves credentials on the disk"
        if "${{" in step.get("run", ""):
            yield f"{name}: lets the shell run what GitHub fills in"


def _secrets(workflow: Workflow) -> Iterator[str]:
    for name, job in _jobs(workflow):
        if "pull_request" in workflow["on"] and "secrets." in str(job):
            yield f"{name}: has a secret in a job for pull requests"
        if "secrets" in str(job.get("env", "")) or "secrets: inherit" in str(job):
            yield f"{name}: shows a secret to every step"


RULES: tuple[Rule, ...] = (_triggers, _top, _each_job, _separate, _each_step, _secrets)

"""How each tool is called on the guest, and how its answer is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.host_tick import answers
from benchmarks.host_tick.answers import Answer

FOLDER = "/share/bench/policies"
HOMES = "/var/lib/bench"
GOSS_ADDRESS = "http://127.0.0.1:18123/healthz"


@dataclass(frozen=True, slots=True)
class Cold:
    """A program that looks once, from exec to exit.

    Attributes:
        exits: Exit codes that say "I looked", whatever was found.
        answer: Reads its output.
        package: Debian package that it is from.
    """

    argv: tuple[str, ...]
    exits: tuple[int, ...]
    answer: Answer
    env: Mapping[str, str] = field(default_factory=dict)
    package: str = ""

    def plan(self) -> dict[str, Any]:
        """For the stopwatch in the guest."""
        env = dict(self.env)
        return {"kind": "cold", "argv": self.argv, "exits": self.exits, "env": env}


@dataclass(frozen=True, slots=True)
class Resident:
    """A service that is asked again and again.

    Attributes:
        unit: Name of its transient unit.
        argv: How it is started.
        address: Where it is asked.
        times: Questions in one sample.
    """

    unit: str
    argv: tuple[str, ...]
    address: str
    answer: Answer
    times: int = 10
    package: str = ""

    def plan(self) -> dict[str, Any]:
        """For the stopwatch in the guest."""
        unit, times = self.unit, self.times
        return {"kind": "resident", "unit": unit, "address": self.address, "times": times}


def _cold(*options: str) -> Cold:
    settings = f"--config={HOMES}/cold/reconciler.yaml"
    argv = ("reconciler", "run", *options, "--json", settings)
    return Cold(argv, exits=(0, 1, 3), answer=answers.ours)


def _resident(what: str) -> Resident:
    socket = f"/run/bench-{what}.sock"
    script = "/share/bench/guest_side/resident.py"
    argv = ("/usr/bin/python3", "-I", script, f"{HOMES}/{what}/reconciler.yaml", socket, what)
    return Resident(f"bench-{what}.service", argv, socket, answers.ours)


_GOSS = ("goss", "--gossfile", f"{FOLDER}/goss.yaml")
_GOSS_SERVE = ("/usr/bin/env", *_GOSS, "serve", "--cache", "1ms", "--format", "json")

COLD_BASE = "reconciler run --once"
RESIDENT_BASE = "reconciler, observe and judge"

COLD: Mapping[str, Cold] = {
    COLD_BASE: _cold("--once"),
    "reconciler run --dry-run": _cold("--dry-run"),
    "goss validate": Cold(
        (*_GOSS, "validate", "--format", "json"),
        exits=(0, 1),
        answer=answers.goss,
        package="goss",
    ),
    "bash script": Cold(
        ("bash", f"{FOLDER}/checks.sh"), exits=(0,), answer=answers.fail_lines, package="bash"
    ),
    "cf-agent": Cold(
        ("cf-agent", "--no-lock", "--file", f"{FOLDER}/policy.cf"),
        exits=(0,),
        answer=answers.fail_lines,
        package="cfengine3",
    ),
    "pytest-testinfra": Cold(
        (
            "py.test-3",
            "-q",
            "-p",
            "no:cacheprovider",
            "--tb=no",
            "-rf",
            f"{FOLDER}/test_baseline.py",
        ),
        exits=(0, 1),
        answer=answers.pytest,
        package="python3-testinfra",
    ),
    "puppet apply --noop": Cold(
        ("puppet", "apply", "--noop", f"{FOLDER}/site.pp"),
        exits=(0,),
        answer=answers.puppet,
        package="puppet-agent",
    ),
    "ansible-playbook --check": Cold(
        ("ansible-playbook", "--check", "-i", "localhost,", f"{FOLDER}/playbook.yaml"),
        exits=(0,),
        answer=answers.ansible,
        env={
            "ANSIBLE_DISPLAY_OK_HOSTS": "no",
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "no",
            "ANSIBLE_LOCALHOST_WARNING": "no",
            "ANSIBLE_NOCOLOR": "1",
        },
        package="ansible-core",
    ),
}

RESIDENT: Mapping[str, Resident] = {
    RESIDENT_BASE: _resident("look"),
    "reconciler, whole run with evidence": _resident("run"),
    "goss serve": Resident(
        "bench-goss.service",
        (*_GOSS_SERVE, "--listen-addr", "127.0.0.1:18123"),
        GOSS_ADDRESS,
        answers.goss,
        package="goss",
    ),
}

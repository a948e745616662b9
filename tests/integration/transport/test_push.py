"""Servers that hang, drip, flood, move or lie: a push ends in time and believes nobody."""

import resource
import subprocess
import time
from pathlib import Path

import pygit2
import pytest

from reconciler.transport.limits import MIB, WireLimits
from reconciler.transport.location import NO_ACCESS, vet
from reconciler.transport.push import Seen, look, push
from reconciler.transport.server import Server
from tests.support.git_servers import http_server

pytestmark = pytest.mark.integration

BRANCH = "smile/desk"


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A repository with two commits on a branch."""
    path = tmp_path / "local.git"
    repository = pygit2.init_repository(str(path), bare=True)
    person = pygit2.Signature("desk", "desk@smile.invalid", 1_772_000_000, 0)
    tree = repository.TreeBuilder().write()
    first = repository.create_commit(f"refs/heads/{BRANCH}", person, person, "0", tree, [])
    repository.create_commit(f"refs/heads/{BRANCH}", person, person, "1", tree, [first])
    return path


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    path = tmp_path / "served" / "remote.git"
    path.parent.mkdir()
    subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True)
    subprocess.run(["git", "-C", str(path), "config", "http.receivepack", "true"], check=True)
    return path


def tips(local: Path) -> tuple[str, str]:
    commit = pygit2.Repository(str(local)).references[f"refs/heads/{BRANCH}"].peel(pygit2.Commit)
    return str(commit.parents[0].id), str(commit.id)


def send(local: Path, url: str, before: str | None, commit: str, **limits: float) -> Seen:
    return push(
        Server(vet(url, NO_ACCESS), NO_ACCESS),
        WireLimits(**limits),  # type: ignore[arg-type]
        repository=local,
        home=local.with_name("home"),
        branch=BRANCH,
        before=before,
        commit=commit,
    )


def see(local: Path, url: str, **limits: float) -> Seen:
    return look(
        Server(vet(url, NO_ACCESS), NO_ACCESS),
        WireLimits(**limits),  # type: ignore[arg-type]
        repository=local,
        home=local.with_name("home"),
        branch=BRANCH,
    )


def hook(remote: Path, name: str, script: str) -> None:
    file = remote / "hooks" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_forward_step_by_step(local: Path, remote: Path) -> None:
    first, second = tips(local)
    with http_server(remote.parent) as address:
        url = f"http://{address}/remote.git"
        assert see(local, url) == Seen(None)
        assert send(local, url, None, first) == Seen(first)
        assert see(local, url) == Seen(first)
        assert send(local, url, first, second) == Seen(second)


@pytest.mark.parametrize("way", ["path", "http"])
def test_branch_that_moved_meanwhile_is_left_alone(local: Path, remote: Path, way: str) -> None:
    first, second = tips(local)
    with http_server(remote.parent) as address:
        url = str(remote) if way == "path" else f"http://{address}/remote.git"
        assert send(local, url, None, first).tip == first
        assert send(local, url, None, second).cause == "moved"
        assert send(local, url, second, first).cause == "moved"
        assert see(local, url).tip == first


@pytest.mark.parametrize("way", ["path", "http"])
def test_going_back_is_never_sent(local: Path, remote: Path, way: str) -> None:
    first, second = tips(local)
    with http_server(remote.parent) as address:
        url = str(remote) if way == "path" else f"http://{address}/remote.git"
        assert send(local, url, None, second).tip == second
        assert send(local, url, second, first).cause is not None
        assert see(local, url).tip == second


@pytest.mark.parametrize(
    "trick", [f"git update-ref -d refs/heads/{BRANCH}", f"git update-ref refs/heads/{BRANCH} $OLD"]
)
def test_server_that_reports_what_it_did_not_keep(local: Path, remote: Path, trick: str) -> None:
    first, second = tips(local)
    with http_server(remote.parent) as address:
        url = f"http://{address}/remote.git"
        send(local, url, None, first)
        hook(remote, "post-receive", f"OLD={first}; {trick}")
        result = send(local, url, first, second)
    assert (result.cause, result.tip) == ("unproven", None)


def test_hook_that_speaks_in_codes_and_in_words(local: Path, remote: Path) -> None:
    hook(
        remote,
        "pre-receive",
        "echo Jane Patient; echo 'reconciler-refusal: not-fast-forward' >&2;"
        "echo 'reconciler-refusal: Jane Patient' >&2; exit 1",
    )
    with http_server(remote.parent) as address:
        result = send(local, f"http://{address}/remote.git", None, tips(local)[1])
    assert (result.cause, result.refusals) == ("declined", ("not-fast-forward",))
    assert "Jane" not in result.detail


@pytest.mark.parametrize("how", ["hang", "drip", "stall"])
def test_server_that_never_finishes_is_left_in_time(local: Path, remote: Path, how: str) -> None:
    with http_server(remote.parent, "--misbehave", how) as address:
        begin = time.monotonic()
        result = send(local, f"http://{address}/remote.git", None, tips(local)[1], timeout_s=1.5)
        assert time.monotonic() - begin < 6
    assert (result.cause, result.tip) == ("timeout", None)


def test_server_that_floods_references_costs_a_child(local: Path, remote: Path) -> None:
    with http_server(remote.parent, "--misbehave", "flood") as address:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        url = f"http://{address}/remote.git"
        result = see(local, url, timeout_s=20.0, memory_bytes=48 * MIB)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024
    assert result.cause == "too-large"


def test_error_text_of_a_server_goes_nowhere(local: Path, remote: Path) -> None:
    with http_server(remote.parent, "--misbehave", "banner") as address:
        result = see(local, f"http://{address}/remote.git")
    assert result.cause is not None
    assert "Jane" not in result.detail


def test_more_references_than_there_ever_are(local: Path, remote: Path) -> None:
    first, _ = tips(local)
    send(local, str(remote), None, first)
    commands = "".join(f"create refs/heads/noise/{n} {first}\n" for n in range(20))
    argv = ["git", "-C", str(remote), "update-ref", "--stdin"]
    subprocess.run(argv, input=commands.encode(), check=True)
    assert see(local, str(remote), refs=10).cause == "too-large"

"""A ledger is pushed over every transport, and what goes wrong costs time but no evidence."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from reconciler.errors import EvidenceError, LedgerMissing
from reconciler.evidence.statement import Kind
from reconciler.ledger import keys
from reconciler.ledger.remote import memory
from reconciler.ledger.remote.push import PushState, push, push_when_due
from reconciler.ledger.store import Ledger
from reconciler.transport.location import Access
from tests.support.evidence_server import EvidenceServer, cutting_proxy, outbox
from tests.support.git_servers import certificate, http_server, ssh_server
from tests.support.ledger_rig import START, Rig, git
from tests.support.rigs import rig as need

pytestmark = pytest.mark.integration

REF = "refs/heads/smile/desk"
ENTRIES = 6


def grow(rig: Rig, count: int = 1, **body: object) -> str:
    """Append runs; what they say may differ, since the same entry twice is the same commit."""
    with rig.open() as ledger:
        rig.at = ledger.tip.time
        for _ in range(count):
            commit = rig.run(ledger, **body).commit
    return commit


def goes_there(rig: Rig, server: EvidenceServer, url: str, **access: Path) -> None:
    """First push, one that finds nothing to do, one that continues."""
    there = outbox(rig, url, access=Access(**access))
    first = push(there)
    assert (first.state, first.pushed, first.pending) == (PushState.PUSHED, ENTRIES, 0), first
    assert push(there).state is PushState.UP_TO_DATE
    tip = grow(rig, 2)
    second = push(there)
    assert (second.state, second.pushed, second.shown) == (PushState.PUSHED, 2, tip), second
    assert server.tip(REF) == tip
    assert git(server.path, "fsck", "--strict").returncode == 0


def test_path(rig: Rig, server: EvidenceServer) -> None:
    goes_there(rig, server, str(server.path))


def test_file_url(rig: Rig, server: EvidenceServer) -> None:
    goes_there(rig, server, server.url)


def test_http_on_loopback(rig: Rig, server: EvidenceServer) -> None:
    with http_server(server.path.parent) as address:
        goes_there(rig, server, f"http://{address}/server.git")


def test_https_with_a_token(rig: Rig, server: EvidenceServer, tmp_path: Path) -> None:
    ca, pem = certificate(tmp_path / "tls")
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    options = ("--certificate", str(pem), "--token", "s3cret")
    with http_server(server.path.parent, *options) as address:
        url = f"https://{address}/server.git"
        goes_there(rig, server, url, ca_file=ca, token_file=token)
        token.write_text("other\n")
        result = push(outbox(rig, url, access=Access(ca_file=ca, token_file=token)))
    assert (result.state, result.cause) == (PushState.REFUSED, "auth-failed")
    assert "other" not in result.detail


def test_ssh_and_a_host_key_that_is_another(
    rig: Rig, server: EvidenceServer, tmp_path: Path
) -> None:
    found = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    need("sshd", None if found else "not installed")
    with ssh_server(tmp_path / "ssh") as sshd:
        url = f"ssh://root@{sshd.address}{server.path}"
        access = {"ssh_key": sshd.user_key, "known_hosts": sshd.known_hosts}
        goes_there(rig, server, url, **access)
        grow(rig)
        other = tmp_path / "known_hosts"
        blob = sshd.user_key.with_name("authorized_keys").read_text().split()[1]
        other.write_text(f"[127.0.0.1]:{sshd.address.split(':')[1]} ssh-ed25519 {blob}\n")
        result = push(outbox(rig, url, access=Access(**{**access, "known_hosts": other})))
    assert (result.state, result.cause) == (PushState.REFUSED, "unknown-host")
    assert result.words is not None
    assert "somebody is in between" in result.words[1]


def test_a_month_offline(fast: Path, server: EvidenceServer, rig: Rig) -> None:
    """An entry each quarter of an hour for a month waits without an age limit, then goes."""
    with rig.open() as ledger:
        rig.at = ledger.tip.time
        for number in range(2880):
            if number % 96 == 0:
                rig.run(ledger)
            else:
                ledger.append_slim(Kind.HEARTBEAT, {}, at=rig.tick(15))
    with http_server(server.path.parent) as address:
        there = outbox(rig, f"http://{address}/server.git")
        result = push(replace(there, slice=1500))
        assert (result.state, result.pushed) == (PushState.PUSHED, ENTRIES + 2880), result
        assert push(there).state is PushState.UP_TO_DATE


def test_hook_that_says_no(rig: Rig, server: EvidenceServer) -> None:
    (server.path / "trust/allowed_signers").write_text("nobody/here ssh-ed25519 " + OTHER + "\n")
    with http_server(server.path.parent) as address:
        result = push(outbox(rig, f"http://{address}/server.git"))
    assert (result.state, result.cause) == (PushState.REFUSED, "declined")
    assert result.refusals == ("key",)
    assert result.pending == ENTRIES
    assert server.tip(REF) is None


OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


def test_server_of_another_kind_that_says_no_in_its_own_words(
    rig: Rig, server: EvidenceServer
) -> None:
    hook = server.path / "hooks/pre-receive"
    hook.write_text(
        "#!/bin/sh\necho Jane Patient called; echo reconciler-refusal: jane >&2\nexit 1\n"
    )
    with http_server(server.path.parent) as address:
        result = push(outbox(rig, f"http://{address}/server.git"))
    assert (result.state, result.cause, result.refusals) == (PushState.REFUSED, "declined", ())
    assert "ane" not in result.detail


def copied(rig: Rig) -> Rig:
    """The machine as it was, restored from an image."""
    directory = rig.directory.with_name("restored")
    shutil.copytree(rig.directory, directory)
    return Rig(directory, rig.key, rig.at)


@pytest.mark.parametrize("way", ["path", "http"])
def test_remote_that_is_ahead_or_diverged_is_never_overwritten(
    rig: Rig, server: EvidenceServer, way: str
) -> None:
    old = copied(rig)
    with http_server(server.path.parent) as address:
        url = server.url if way == "path" else f"http://{address}/server.git"
        push(outbox(rig, url))
        tip = grow(rig)
        push(outbox(rig, url))
        with pytest.raises(EvidenceError, match="ahead-or-diverged") as ahead:
            push(outbox(old, url))
        assert "resume" in ahead.value.hint
        grow(old, 3, restored=True)
        with pytest.raises(EvidenceError, match="ahead-or-diverged"):
            push(outbox(old, url))
    assert server.tip(REF) == tip


def test_two_histories_in_one_store_are_told_apart(rig: Rig, server: EvidenceServer) -> None:
    old = copied(rig)
    grow(rig)
    push(outbox(rig, server.url))
    grow(old, 2, restored=True)
    git(old.path, "fetch", "-q", str(rig.path), f"{REF}:refs/other/desk")
    with pytest.raises(EvidenceError, match="holds another history"):
        push(outbox(old, server.url))


def test_server_that_was_rewound_gets_everything_again_and_is_named(
    rig: Rig, server: EvidenceServer, tmp_path: Path
) -> None:
    file, there = tmp_path / "push.json", outbox(rig, server.url)
    tip = grow(rig, 3)
    assert push_when_due(there, file, START, Random(1)).lost == 0
    git(server.path, "update-ref", REF, f"{REF}~4")
    result = push_when_due(there, file, START, Random(1))
    assert (result.state, result.lost, result.pushed) == (PushState.PUSHED, 4, 4)
    git(server.path, "update-ref", "-d", REF)
    grow(rig, 2)
    result = push_when_due(there, file, START, Random(1))
    assert (result.lost, result.pushed) == (ENTRIES + 3, ENTRIES + 5)
    assert server.tip(f"{REF}~2") == tip


def test_server_that_is_away_and_comes_back(
    rig: Rig, server: EvidenceServer, tmp_path: Path
) -> None:
    file, rng = tmp_path / "push.json", Random(3)
    with http_server(server.path.parent) as address:
        url = f"http://{address}/server.git"
    there = outbox(rig, url)
    first = push_when_due(there, file, START, rng)
    assert (first.state, first.cause) == (PushState.DEFERRED, "no-network")
    assert first.next_try is not None
    waiting = push_when_due(there, file, START + timedelta(seconds=30), rng)
    assert (waiting.state, waiting.cause, waiting.next_try) == (
        PushState.DEFERRED,
        None,
        first.next_try,
    )
    for attempt in range(2, 12):
        later = push_when_due(there, file, START + attempt * timedelta(hours=2), rng)
        assert later.next_try is not None
    assert memory.load(file).attempts == 11
    here = outbox(rig, server.url)
    done = push_when_due(here, file, START + timedelta(hours=25), rng)
    assert (done.state, done.pushed) == (PushState.PUSHED, ENTRIES)
    assert memory.load(file) == memory.Memory(server.tip(REF))


def test_connection_that_is_cut_in_the_middle(rig: Rig, server: EvidenceServer) -> None:
    grow(rig, 40)
    total = ENTRIES + 40
    with http_server(server.path.parent) as address:
        for allowed in (300, 1000, 5000, 20_000, 40_000):
            with cutting_proxy(address, allowed) as broken:
                result = push(outbox(rig, f"http://{broken}/server.git"))
            assert result.state is not PushState.PUSHED, allowed
            assert result.cause in ("lost", "broken", "no-network"), result
            assert server.tip(REF) is None
        assert git(server.path, "fsck", "--strict").returncode == 0
        result = push(outbox(rig, f"http://{address}/server.git"))
    assert (result.state, result.pushed) == (PushState.PUSHED, total)


def test_slices_make_progress_where_one_push_would_not(
    rig: Rig, server: EvidenceServer, tmp_path: Path
) -> None:
    """The server takes a little at a time; what went in stays, and the rest goes later."""
    tip = grow(rig, 100)
    server.config("receive.maxInputSize", "50k")
    file, now, results = tmp_path / "push.json", START, []
    with http_server(server.path.parent) as address:
        there = outbox(rig, f"http://{address}/server.git", slice=100)
        while not (results and results[-1].done):
            results.append(push_when_due(there, file, now, Random(5)))
            now += timedelta(hours=2)
            assert len(results) < 6, results
    assert results[0].pushed == 0
    assert results[0].cause in CUT_OFF
    assert sum(result.pushed for result in results) == ENTRIES + 100
    assert server.tip(REF) == tip


CUT_OFF = ("unstored", "lost", "broken")
"""How a server that stops reading looks from here: by its report, or by its silence."""


def test_two_appliances_push_to_one_repository_at_once(
    fast: Path, rig: Rig, server: EvidenceServer
) -> None:
    (fast / "lab").mkdir()
    key = keys.generate(fast / "lab/key", "smile/lab")
    line = f'smile/lab namespaces="git" {keys_line(key)}\n'
    file = server.path / "trust/allowed_signers"
    file.write_text(file.read_text() + line)
    lab = Rig(fast / "lab", key)
    lab.signers_file.write_text(line)
    body = {"memory": {}, "key": keys_line(key)}
    with Ledger.create(
        lab.path, "smile", "lab", key, body=body, at=START, signers_file=lab.signers_file
    ) as ledger:
        for _ in range(20):
            lab.run(ledger)
    grow(rig, 20)
    with http_server(server.path.parent) as address:
        url = f"http://{address}/server.git"
        boxes = [outbox(rig, url), replace(outbox(lab, url), host="lab")]
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(push, boxes))
    assert [result.state for result in results] == [PushState.PUSHED] * 2, results
    assert server.tip("refs/heads/smile/lab") == results[1].tip
    assert server.tip(REF) == results[0].tip


def keys_line(key: object) -> str:
    from reconciler.evidence import sshsig

    return sshsig.public_text(keys.public(key))  # type: ignore[arg-type]


def test_ledger_that_is_not_there(rig: Rig, server: EvidenceServer) -> None:
    with pytest.raises(LedgerMissing, match="no branch"):
        push(replace(outbox(rig, server.url), host="lab"))
    shutil.rmtree(rig.path)
    with pytest.raises(LedgerMissing, match="no ledger"):
        push(outbox(rig, server.url))


def test_repository_that_is_not_there(rig: Rig, server: EvidenceServer) -> None:
    result = push(outbox(rig, f"{server.url}x"))
    assert (result.state, result.cause) == (PushState.REFUSED, "not-found")


FULL = """
import sys
from pathlib import Path
from tests.support.evidence_server import evidence_server, outbox
from tests.support.git_servers import http_server
from tests.support.ledger_rig import Rig
from reconciler.ledger import keys
from reconciler.ledger.remote.push import push

mount, rig = Path(sys.argv[1]), Rig(Path(sys.argv[2]), keys.load(Path(sys.argv[2]) / "key"))
server = evidence_server(mount, rig.signers_file.read_text())
server.config("http.receivepack", "true")
filler = mount / "filler"
with http_server(mount) as address:
    for url in (server.url, f"http://{address}/server.git"):
        size = 1 << 20
        with filler.open("wb", buffering=0) as file:
            while size:
                try:
                    file.write(bytes(size))
                except OSError:
                    size //= 2
        result = push(outbox(rig, url))
        assert result.state in ("deferred", "refused") and result.pushed == 0, result
        assert server.tip("refs/heads/smile/desk") is None
        filler.unlink()
    print(push(outbox(rig, url)).state)
"""


def test_server_with_a_full_disk(rig: Rig, fast: Path) -> None:
    grow(rig, 150)
    mount = fast / "mount"
    mount.mkdir()
    script = 'mount -t tmpfs -o size=3m none "$1" && exec "$2" -c "$3" "$1" "$4"'
    parts = [mount, sys.executable, FULL, rig.directory]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", script, "sh", *map(str, parts)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[4],
        check=False,
        timeout=100,
    )
    if "unshare failed" in done.stderr or "permission denied" in done.stderr.lower():
        need("private mount", done.stderr.strip())
    assert done.returncode == 0, done.stderr
    assert done.stdout == "pushed\n"


def test_as_much_as_is_asked_for_goes_in_one_push_and_the_rest_at_once(
    rig: Rig, server: EvidenceServer, tmp_path: Path
) -> None:
    there, file = outbox(rig, server.url, most=4), tmp_path / "memory"
    first = push_when_due(there, file, START, Random(1))
    assert (first.state, first.pushed, first.pending) == (PushState.DEFERRED, 4, 2)
    assert (first.cause, first.next_try, memory.load(file).attempts) == (None, None, 0)

    second = push_when_due(there, file, START, Random(1))
    assert (second.state, second.pushed, second.pending) == (PushState.PUSHED, 2, 0)

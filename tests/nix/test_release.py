"""``reconciler release`` with a real Nix: it signs what stock tools say of what was built."""

import hashlib
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.cli import execute
from reconciler.desired.attest.branch import AttestationsBranch
from reconciler.desired.attest.clone import AttestClone
from reconciler.desired.trust.systems import Named, releases_along
from reconciler.engine.releasing import fitted, hosts_to_build, require_fit
from reconciler.errors import InputError
from reconciler.evidence import sshsig
from reconciler.keyless import bundles
from reconciler.model.expected import PLACE
from reconciler.model.system import Closure, ClosureDiff, VersionChange
from reconciler.nix import build
from reconciler.nix.evaluate import Evaluated
from reconciler.trust.statements import Release, System, read
from tests.support.appliance_fleet import CLIENT, host_text
from tests.support.attest_site import AttestSite
from tests.support.commands import host
from tests.support.evidence_keys import test_key as key_of
from tests.support.nix_runtime import NixStore
from tests.support.release_site import ReleaseSite, flake, fleet_files, process_store
from tests.support.rigs import rig
from tests.support.vectors import ROOT as VECTORS

FIRST = flake(one={"openssl": "3.0.1", "zlib": "1.3"}, two={"zlib": "1.3"})
SECOND = flake(one={"openssl": "3.0.2", "zlib": "1.3"}, two={"zlib": "1.3"})
ONE, TWO = f"{CLIENT}/one", f"{CLIENT}/two"
RECORDED = VECTORS / "LNX-EXP-006/good/raw.json"
DECLARING = "inherit name text; document = builtins.readFile ./nix/document.json;"


@pytest.fixture
def site(nix, tmp_path):
    store = NixStore(nix, tmp_path / "nix")
    return ReleaseSite(tmp_path / "msp", store, fleet_files(FIRST, "one", "two"))


def stock_digest(store: NixStore, path: str) -> str:
    """The digest of a closure as the documentation tells people to reckon it."""
    paths = sorted(store.run("nix-store", "--query", "--requisites", path).split())
    lines = [f"{p} {store.run('nix-store', '--query', '--hash', p)}\n" for p in paths]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_a_release_says_what_was_built_and_what_changed(site, capsys, nix, tmp_path) -> None:
    # The work tree is not the commit.
    (site.site.clone("ci") / "flake.nix").write_text('throw "not this"')
    cache = ("--cache", f"file://{site.cache}", "--cache-key", str(site.key))
    first = site.release(capsys, *cache)["statement"]["systems"]
    assert set(first) == {ONE, TWO}
    for said in first.values():
        store, path = site.store, said["path"]
        assert store.run("nix-store", "--query", "--deriver", path) == said["drv"]
        hashed = store.run(
            "nix", "hash", "convert", "--hash-algo", "sha256", "--to", "nix32", said["nar_sha256"]
        )
        assert store.run("nix-store", "--query", "--hash", path) == f"sha256:{hashed}"
        requisites = store.run("nix-store", "--query", "--requisites", path).split()
        assert said["closure"]["paths"] == len(requisites)
        assert said["closure"]["sha256"] == stock_digest(store, path)
        assert said["diff"] == {"from": None, "changes": [], "left_out": 0}
    site.site.git("ci", "checkout", "-q", ".")
    site.lands({"flake.nix": SECOND})
    second = site.release(capsys, *cache)["statement"]["systems"]
    assert second[TWO]["path"] == first[TWO]["path"]
    assert second[TWO]["diff"] == {"from": first[TWO]["path"], "changes": [], "left_out": 0}
    changes = {one["name"]: one for one in second[ONE]["diff"]["changes"]}
    assert second[ONE]["diff"]["from"] == first[ONE]["path"]
    assert changes["openssl"] == {"name": "openssl", "before": ["3.0.1"], "after": ["3.0.2"]}
    assert set(changes) == {"openssl", "nixos-system-one"}

    other = NixStore(nix, tmp_path / "other", settings=f"trusted-public-keys = {site.public}\n")
    path = second[ONE]["path"]
    other.run("nix", "copy", "--from", f"file://{site.cache}", path)
    assert stock_digest(other, path) == second[ONE]["closure"]["sha256"]
    stranger = NixStore(nix, tmp_path / "stranger")
    assert stranger.attempt("nix", "copy", "--from", f"file://{site.cache}", path).returncode != 0


def test_an_appliance_finds_it_and_names_the_same(site, capsys) -> None:
    said = site.release(capsys)["statement"]
    clone = AttestClone(site.site.clone("ci"))
    now = datetime.now(UTC)
    beside = AttestationsBranch(clone.repository, "attestations", "origin").read(now)
    releases = releases_along(
        clone.repository, said["commit"], branch="main", now=now, attestations=beside
    )
    (found,) = releases.systems(ONE, None)
    assert isinstance(found, Named)
    assert (found.system.path, found.by) == (said["systems"][ONE]["path"], "ci")
    assert [commit for commit, _ in releases.counting()] == [said["commit"]]


def test_a_plan_shows_which_systems_change_and_how(site, capsys) -> None:
    base = site.site.git("ci", "rev-parse", "HEAD")
    old = site.release(capsys)["statement"]["systems"][ONE]["path"]
    head = site.lands({"flake.nix": SECOND})
    new = site.release(capsys)["statement"]["systems"][ONE]["path"]
    plan = ["plan", base, head, "--repository", str(site.site.clone("ci"))]
    execute([*plan, "--json"])
    (change,) = json.loads(capsys.readouterr().out)["systems"]
    assert (change["target"], change["old"], change["new"]) == (ONE, old, new)
    assert change["release"] == head
    execute(plan)
    text = capsys.readouterr().out
    assert f"~ {ONE}: {old} -> {new}" in text
    assert "openssl 3.0.1 -> 3.0.2" in text
    execute([*plan, "--attestations", "elsewhere", "--json"])
    assert json.loads(capsys.readouterr().out)["systems"] == []


def test_a_closure_that_the_runner_has_no_more_is_asked_of_the_cache(
    site, capsys, nix, tmp_path
) -> None:
    cache = ("--cache", f"file://{site.cache}", "--cache-key", str(site.key))
    first = site.release(capsys, *cache)["statement"]["systems"][ONE]
    site.lands({"flake.nix": SECOND})
    site.store = NixStore(nix, tmp_path / "a fresh runner")
    second = site.release(capsys, *cache)["statement"]["systems"][ONE]
    assert second["diff"]["from"] == first["path"]
    assert {one["name"] for one in second["diff"]["changes"]} == {"openssl", "nixos-system-one"}


def test_a_system_before_that_can_be_had_nowhere_is_told(nix, tmp_path) -> None:
    store, told = NixStore(nix, tmp_path / "nix"), []
    store.run("nix", "store", "info")
    gone = f"/nix/store/{'a' * 32}-nixos-system-one"
    cache = f"file://{tmp_path}"
    found = build.packages_of(
        gone, cache=cache, timeout_s=60, state=process_store(store), told=told.append
    )
    assert found is None
    assert gone.encode() in told[0]


def test_what_differs_from_a_system_that_is_lost_is_noted(site, capsys, nix, tmp_path) -> None:
    old = site.release(capsys)["statement"]["systems"][ONE]["path"]
    site.lands({"flake.nix": SECOND})
    site.store = NixStore(nix, tmp_path / "a fresh runner")
    site.site.git("ci", "push", "-q", "origin", "attestations")
    argv = [*site.argv(), "--json"]
    assert execute(argv) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["statement"]["systems"][ONE]["diff"]["from"] is None
    assert f"note: {old}, which {ONE} had before, is not in this store" in said.err


def test_people_see_each_system_and_what_changed(site, capsys) -> None:
    assert execute(site.argv()) == 0
    said = capsys.readouterr()
    assert f"system   {ONE} /nix/store/" in said.out
    assert "there is nothing to compare with" in said.err
    assert f"evaluating {ONE}\nevaluating {TWO}\nbuilding for 2 hosts\n" in said.err
    assert "without --cache the closures stay here" in said.err
    site.lands({"flake.nix": SECOND})
    assert execute([*site.argv(), "--cache", f"file://{site.cache}"]) == 0
    said = capsys.readouterr()
    assert "    openssl 3.0.1 -> 3.0.2\n" in said.out
    assert "without --cache-key hosts take only what this Nix signs" in said.err
    assert "compare" not in said.err


def test_a_clone_without_its_history_builds_nothing(site, capsys, tmp_path) -> None:
    site.release(capsys)
    site.site.git("ci", "push", "-q", "origin", "attestations")
    site.lands({"flake.nix": SECOND})
    server = site.site.git("ci", "remote", "get-url", "origin")
    shallow, fresh = tmp_path / "shallow", tmp_path / "fresh"
    host("git", "clone", "-q", "--depth=1", "--no-single-branch", f"file://{server}", str(shallow))
    argv = ("--repository", str(shallow), "--root", str(fresh))
    assert "git fetch --unshallow" in site.release(capsys, *argv, code=5)
    assert not fresh.exists()


def test_where_it_cannot_be_written_is_said(site, capsys) -> None:
    place = site.key / "below a file"
    said = site.release(capsys, "--output", str(place), code=7)
    assert f"cannot make {place}" in said
    assert "Traceback" not in said


def test_a_fleet_without_nixos_hosts_is_told_that_its_release_names_no_system(
    tmp_path, capsys
) -> None:
    files = fleet_files(FIRST, "one")
    path = f"hosts/{CLIENT}/one.yaml"
    files[path] = files[path].replace("kind: nixos", "kind: linux")
    site = AttestSite(tmp_path / "msp", files)
    argv = ("--repository", str(site.clone("ci")), "--key", str(site.key("ci")), "--json")
    assert execute(["release", *argv]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["statement"]["systems"] == {}
    assert "note: the commit has no NixOS host; the release names no system" in said.err


def test_a_host_that_the_flake_does_not_have_releases_nothing(site, capsys) -> None:
    site.lands({f"hosts/{CLIENT}/three.yaml": host_text("three")})
    said = site.release(capsys, code=7)
    assert "clinic-three" in said
    assert "hosts/clinic/three.nix" in said
    assert "attestations" not in site.site.git("ci", "branch", "--list")


def test_a_key_of_something_else_builds_nothing(site, capsys) -> None:
    for other in (site.site.key("ci"), site.key.with_name("cache.pub")):
        site.key.with_name("cache.pub").write_text(site.public)
        options = ("--cache", f"file://{site.cache}", "--cache-key", str(other))
        said = site.release(capsys, *options, code=6)
        assert f"{other} is not a secret key of Nix" in said
    assert not site.cache.exists()
    assert not site.store.root.joinpath("nix/store").exists()


def test_a_fleet_without_a_flake_releases_nothing(tmp_path, capsys) -> None:
    files = fleet_files(FIRST, "one")
    del files["flake.nix"]
    site = AttestSite(tmp_path / "msp", files)
    argv = ("--repository", str(site.clone("ci")), "--key", str(site.key("ci")))
    assert execute(["release", *argv]) == 5
    assert f"{ONE} is a NixOS host, and the fleet has no flake.nix" in capsys.readouterr().err


def test_a_build_that_fails_releases_nothing(site, capsys) -> None:
    broken = FIRST.replace('> $out"', '> $out; exit 1"')
    site.lands({"flake.nix": broken})
    site.release(capsys, code=7)
    assert "attestations" not in site.site.git("ci", "branch", "--list")


def test_a_build_that_fails_is_named_with_all_hosts_that_need_it(site, capsys) -> None:
    broken = FIRST.replace(
        '> $out"', '> $out; case $name in openssl*) echo no such file: ssl.h; exit 3;; esac"'
    )
    hosts = broken.replace('(make "zlib-1.3" "")', "", 1).replace(
        '"clinic-two" = host "two" [ ', '"clinic-two" = host "two" [ (make "openssl-3.0.1" "") '
    )
    site.lands({"flake.nix": broken})
    said = site.release(capsys, code=7)
    assert f"error: the system of {ONE} cannot be built: /nix/store/" in said
    assert "-openssl-3.0.1.drv: builder failed with exit code 3" in said
    assert "openssl> no such file: ssl.h" in said
    command = f"nix log --store {site.store.root} /nix/store/"
    (hint,) = [line for line in said.splitlines() if command in line]
    drv = hint.split()[-1]
    assert site.store.run("nix", "log", drv) == "no such file: ssl.h"
    site.lands({"flake.nix": hosts})
    assert f"the system of {ONE}, {TWO} cannot be built: " in site.release(capsys, code=7)


def test_a_build_for_another_machine_says_so(site, capsys) -> None:
    site.lands({"flake.nix": FIRST.replace("x86_64-linux", "riscv64-linux")})
    said = site.release(capsys, code=7)
    assert ".drv: platform mismatch" in said
    assert "nix log" not in said


def test_a_system_whose_declaration_no_appliance_can_read_is_not_released(site, capsys) -> None:
    """It would be refused as a whole in the clinic, and nothing of the machine be known."""
    declaring = FIRST.replace("inherit name text;", DECLARING).replace("$text", "$document")
    declaring = declaring.replace('> $out"', f'| sed s,@out@,$out, > $out/{PLACE}"')
    declaring = declaring.replace("echo", "mkdir -p $out/reconciler; echo")
    recorded = json.loads(RECORDED.read_text())["answers"][0]["data"]["document"]
    document = recorded | {"system": "@out@"}
    site.lands({"flake.nix": declaring, "nix/document.json": json.dumps(document)})
    assert set(site.release(capsys)["statement"]["systems"]) == {ONE, TWO}
    document["host"] = "no host"
    site.lands({"nix/document.json": json.dumps(document)})
    said = site.release(capsys, code=5)
    assert f"error: {ONE}: expectations document has a wrong member: host" in said
    assert "Change what its configuration says there" in said


def test_a_job_that_is_cancelled_leaves_no_build_behind(site, tmp_path) -> None:
    site.lands({"flake.nix": FIRST.replace('> $out"', '> $out; sleep 60"')})
    (tmp_path / "tmp").mkdir()
    argv = [sys.executable, "-m", "reconciler", *site.argv()]
    with subprocess.Popen(argv, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")}) as job:
        while not (nix := realising(job.pid)):
            assert job.poll() is None
            time.sleep(0.05)
        job.terminate()
        assert job.wait(timeout=30) == 128 + 15
    assert not Path(f"/proc/{nix}").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def realising(pid: int) -> int:
    """The child of a process that builds; 0 while there is none."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):
            if b"--realise" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    return 0


def test_a_disk_that_is_full_in_the_middle_of_a_build_releases_nothing(site, capsys) -> None:
    if os.geteuid() != 0:
        rig("mount", "not root")
    endless = FIRST.replace('> $out"', '> $out; while echo $name$name >> $out; do :; done; exit 1"')
    site.lands({"flake.nix": endless})
    where = site.store.root / "nix/store"
    where.mkdir(parents=True, exist_ok=True)
    host("mount", "-t", "tmpfs", "-o", "size=256k", "none", str(where))
    try:
        assert "No space left on device" in site.release(capsys, code=7)
    finally:
        host("umount", str(where))
    assert "attestations" not in site.site.git("ci", "branch", "--list")


def test_a_cache_that_cannot_be_written_releases_nothing(site, capsys, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    said = site.release(capsys, "--cache", f"file://{tmp_path}/file/x", code=7)
    assert f"the closures were not copied to file://{tmp_path}/file/x: nix ended with" in said
    assert "attestations" not in site.site.git("ci", "branch", "--list")


def test_what_the_cache_has_with_other_bytes_is_taken_from_it_or_not_released(
    site, capsys, nix, tmp_path
) -> None:
    """Few builds are the same to the byte; hosts would refuse what was built anew."""
    anew = 'read once < /proc/sys/kernel/random/uuid; echo \\"$text $once\\"'
    site.lands({"flake.nix": FIRST.replace('echo \\"$text\\"', anew)})
    cache = ("--cache", f"file://{site.cache}", "--cache-key", str(site.key))
    first = site.release(capsys, *cache)["statement"]["systems"]
    site.store = NixStore(nix, tmp_path / "a fresh runner")
    said = site.release(capsys, *cache, code=7)
    assert f"file://{site.cache} has /nix/store/" in said
    assert "with other bytes than were built here" in said
    assert "extra-substituters" in said
    trusting = f"substituters = file://{site.cache}\ntrusted-public-keys = {site.public}\n"
    site.store = NixStore(nix, tmp_path / "one that asks", settings=trusting)
    again = site.release(capsys, *cache)["statement"]["systems"]
    assert [one["closure"] for one in again.values()] == [one["closure"] for one in first.values()]


def test_two_hosts_that_would_be_one_in_the_flake_are_refused(site) -> None:
    client = site.site.clone("ci") / "hosts/clinic/client.yaml"
    files = {
        "hosts/clinic/a-b.yaml": host_text("a-b"),
        "hosts/clinic-a/b.yaml": host_text("b"),
        "hosts/clinic-a/client.yaml": client.read_text().replace("id: clinic", "id: clinic-a"),
    }
    commit = site.lands(files)
    with pytest.raises(InputError, match="one attribute"):
        hosts_to_build(AttestClone(site.site.clone("ci")), commit)


def test_the_more_hosts_there_are_the_less_each_says_of_its_change() -> None:
    path = f"/nix/store/{'a' * 32}-nixos"
    changes = tuple(VersionChange(f"package-{n:03}", ("1.0.0",), ("1.0.1",)) for n in range(64))
    one = System(
        f"{path}.drv", path, "5" * 64, Closure(9, 9, "6" * 64), ClosureDiff(path, changes, 3)
    )
    for count, most in ((2, 64), (60, 32), (250, 2)):
        systems = {f"clinic/host-{n}": one for n in range(count)}
        commit = "1" * 40
        release = Release("main", commit, "4" * 64, commit, "6" * 64, NOW, systems)
        payload = fitted(release)
        assert len(payload) <= bundles.MAX_PAYLOAD
        diff = read(payload).systems["clinic/host-0"].diff
        assert len(diff.changes) <= most
        assert len(diff.changes) + diff.left_out == 67


def test_a_fleet_that_one_release_cannot_name_is_refused_before_it_is_built() -> None:
    path = f"/nix/store/{'a' * 32}-nixos-system-front-desk-26.05.20260301.0123456"
    one = Evaluated("clinic/host", f"{path}.drv", path)
    require_fit({f"clinic/host-{n}": one for n in range(240)})
    with pytest.raises(InputError, match="400 NixOS hosts, more than one release can name"):
        require_fit({f"clinic/host-{n}": one for n in range(400)})


NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


UNUSABLE = {
    "none": ((), 2, "give one of --key FILE"),
    "two": (("--key", "x", "--keyless"), 2, "give one of --key FILE"),
    "not there": (("--key", "no-such-key"), 6, "cannot be read"),
    "a cache that is not one": (("--keyless", "--cache", ""), 2, "write it as an address"),
    "a folder as cache": (("--keyless", "--cache", "/srv/cache"), 2, "file:///srv/cache"),
    "a key and no cache": (("--keyless", "--cache-key", __file__), 2, "give --cache URL"),
    "nobody who believes it": (("--keyless",), 5, "names nobody who attests a release of main"),
    "no key for the cache": (("--keyless", "--cache-key", "no-such-key"), 2, "does not exist"),
}


@pytest.mark.parametrize(("argv", "code", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_signed_is_not_built(tmp_path, capsys, argv, code, why) -> None:
    site = AttestSite(tmp_path / "msp", fleet_files(FIRST, "one", "two"))
    nothing = ("--repository", str(site.clone("ci")), "--programs", str(tmp_path))
    assert execute(["release", *nothing, *argv]) == code
    said = capsys.readouterr().err
    assert why in said
    assert "not installed" not in said


def test_half_a_key_builds_nothing(tmp_path, capsys) -> None:
    site = AttestSite(tmp_path / "msp", fleet_files(FIRST, "one", "two"))
    public = tmp_path / "ci.pub"
    public.write_text(sshsig.public_text(sshsig.raw_public(key_of("ci"))))
    argv = ("--repository", str(site.clone("ci")), "--programs", str(tmp_path))
    assert execute(["release", *argv, "--key", str(public)]) == 6
    assert "signs nothing" in capsys.readouterr().err

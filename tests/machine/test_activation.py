"""What becomes of a system that a release names, on a real machine with a real Nix.

Each test takes the same appliance at rest, releases something, and lets it run once or twice. The
machine is shared; who leaves it on another system says so by leaving it healthy.
"""

import itertools
import struct
from dataclasses import replace
from typing import Any

import pytest

from tests.support.nix_cache import LyingCache
from tests.support.nixos_base import FIREWALL, documented
from tests.support.nixos_clinic import NixosClinic
from tests.support.nixos_guest import PROFILE, NixosSite, listening
from tests.support.nixos_systems import System

pytestmark = pytest.mark.nix

DATABASE = "/nix/var/nix/db/db.sqlite"
GIT = 9418
LOCK = "/run/nixos/switch-to-configuration.lock"
SLEEPS = "ExecStart=/bin/sleep inf"
_numbers = itertools.count(1)


@pytest.fixture
def clinic(nixos: NixosSite, at_rest: NixosClinic) -> NixosClinic:
    """An appliance at rest, which runs the first system."""
    if set(at_rest.where()) != {nixos.base_path}:
        at_rest.guest.install(nixos.base_path)
    return at_rest.copy(f"clinic{next(_numbers)}")


def with_service(nixos: NixosSite, name: str, *lines: str) -> System:
    return documented(nixos.base.with_service(name, *lines))


def stayed(clinic: NixosClinic, words: str, **access: Any) -> None:
    """One run that took back what it did, for that reason; the evidence is whole."""
    before, generation = clinic.where(), clinic.guest.generation()
    outcome = clinic.run(**access).outcome("RB-UPDATE-001")
    assert outcome["result"] == "rolled_back", outcome
    assert words in outcome["reason"]
    assert clinic.where() == before
    assert clinic.guest.generation() == generation
    clinic.at_rest()
    clinic.verify()


def sends(cache: LyingCache, path: str, size: int) -> None:
    """Have a cache send a large file for a path; what it says of it stays, and is signed."""
    words = (b"nix-archive-1", b"(", b"type", b"regular", b"contents")
    with cache.nar(path).open("wb") as nar:
        for word in words:
            nar.write(struct.pack("<Q", len(word)) + word + bytes(-len(word) % 8))
        nar.write(struct.pack("<Q", size))
        nar.truncate(size)


def test_a_newer_release_comes_to_run_and_is_proven(nixos: NixosSite, clinic: NixosClinic) -> None:
    updated = replace(nixos.base, packages={"hello": "2.12.2"})
    newer = clinic.release(documented(updated.with_service("labels", SLEEPS)))
    assert clinic.run().results() == [("RB-UPDATE-001", "healed")]
    assert clinic.where() == (newer,) * 3
    assert clinic.guest.run("systemctl", "is-active", "labels").stdout == "active\n"
    clinic.at_rest()
    clinic.verify()
    *_, told = clinic.entries("system")
    assert (told["from"], told["to"]) == (nixos.base_path, newer)
    changed = {one["name"]: (one["before"], one["after"]) for one in told["diff"]["changes"]}
    assert changed["hello"] == (["2.12.1"], ["2.12.2"])
    clinic.guest.run("reconciler", "sbom", "--output", "/root/bill.json")
    bill = clinic.guest.run("sha256sum", "/root/bill.json").stdout.split()[0]
    assert told["sbom"] == {"format": "SPDX-2.3", "sha256": bill}
    assert clinic.run().results() == []
    clinic.release(documented(updated.with_service("more", SLEEPS)))
    next_one = clinic.run()
    assert next_one.results() == [("RB-UPDATE-001", "healed")]
    assert [one["recurrences"] for one in next_one.document["incidents"]] == [0]


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        ("check", "Pre-switch checks failed"),
        ("activation:users", "its activation script failed"),
        ("activation:dies", "its activation script failed"),
        ("bootloader", "the boot loader refused"),
    ],
)
def test_a_system_that_cannot_be_activated_is_taken_back(
    nixos: NixosSite, clinic: NixosClinic, fails: str, words: str
) -> None:
    clinic.release(nixos.failing(fails))
    stayed(clinic, words)


def test_while_somebody_else_switches_nothing_is_done_and_the_system_is_not_blamed(
    nixos: NixosSite, clinic: NixosClinic
) -> None:
    guest = clinic.guest
    clinic.release(with_service(nixos, "labels", SLEEPS))
    guest.run("systemd-run", "--quiet", "--unit=busy", "flock", LOCK, "sleep", "600")
    guest.until("sh", "-c", f"! flock --nonblock {LOCK} true")
    stayed(clinic, "another switch is under way")
    guest.run("systemctl", "stop", "busy")
    assert clinic.run().turned_away("RB-UPDATE-001")["guard"] == "cooldown"


@pytest.mark.parametrize(
    ("name", "lines", "words"),
    [
        ("broken", ["Type=oneshot", "ExecStart=/bin/false"], "failed: broken.service"),
        ("fades", ["ExecStart=/bin/sh -c 'sleep 2; exit 1'"], "failed: fades.service"),
        ("usurper", ["ExecStart=/bin/systemctl stop ssh", "Type=oneshot"], "ssh.service"),
    ],
)
def test_a_system_under_which_something_gets_worse_is_taken_back(
    nixos: NixosSite, clinic: NixosClinic, name: str, lines: list[str], words: str
) -> None:
    clinic.release(with_service(nixos, name, *lines))
    stayed(clinic, words, steady_s=3, settle_s=1)
    assert clinic.guest.ssh("true") == ""


def test_a_unit_that_failed_before_is_not_blamed_on_the_new_system(
    nixos: NixosSite, clinic: NixosClinic
) -> None:
    ailing = nixos.base.with_service("ailing", "Type=oneshot", "ExecStart=/bin/false")
    path = nixos.release(documented(ailing))
    clinic.guest.fetch(path, nixos.public_key)
    clinic.guest.set_profile(path)
    assert clinic.guest.switch(path, "switch", check=False).returncode == 4
    clinic.names(path)
    assert clinic.run().results() == []
    newer = clinic.release(documented(ailing.with_service("labels", SLEEPS)))
    assert clinic.run().results() == [("RB-UPDATE-001", "healed")]
    assert clinic.where() == (newer,) * 3
    failed = clinic.guest.run("systemctl", "is-failed", "ailing", check=False)
    assert failed.stdout == "failed\n"
    clinic.verify()


def test_a_system_that_failed_waits_and_a_newer_one_does_not(
    nixos: NixosSite, clinic: NixosClinic
) -> None:
    clinic.release(with_service(nixos, "broken", "Type=oneshot", "ExecStart=/bin/false"))
    assert clinic.run(settle_s=0).results() == [("RB-UPDATE-001", "rolled_back")]
    again = clinic.run()
    assert again.results() == []
    assert again.turned_away("RB-UPDATE-001")["guard"] == "revision"
    newer = clinic.release(with_service(nixos, "mended", SLEEPS))
    assert clinic.run().results() == [("RB-UPDATE-001", "healed")]
    assert clinic.where() == (newer,) * 3
    clinic.verify()


def test_after_twenty_generations_the_recorded_one_comes_back(
    nixos: NixosSite, clinic: NixosClinic
) -> None:
    guest, other = clinic.guest, nixos.release(with_service(nixos, "labels", SLEEPS))
    guest.fetch(other, nixos.public_key)
    sets = f"$0 -p {PROFILE} --set {other} && $0 -p {PROFILE} --set {nixos.base_path}"
    ten_times = f"for n in $(seq 10); do {sets}; done"
    guest.run("sh", "-c", ten_times, "/run/current-system/sw/bin/nix-env")
    guest.switch(nixos.base_path, "boot")
    recorded = guest.generation()
    assert recorded > 20
    clinic.release(nixos.failing("bootloader"))
    stayed(clinic, "the boot loader refused")
    assert guest.generation() == recorded
    guest.cut_power()
    guest.power_on()
    assert guest.booted() == nixos.base_path


@pytest.mark.parametrize("lie", ["dropped", "unsigned", "forged"])
def test_a_cache_that_lies_changes_nothing(nixos: NixosSite, clinic: NixosClinic, lie: str) -> None:
    path = clinic.release(with_service(nixos, f"of-a-{lie}-cache", SLEEPS))
    cache = LyingCache(nixos.cache)
    if lie == "dropped":
        cache.drop(path)
        words = "no substituter"
    elif lie == "unsigned":
        cache.strip_signatures(path)
        words = "without a signature by a trusted key"
    else:
        other = nixos.store.directory / "other"
        other.write_text("gotcha\n")
        secret = (nixos.store.directory / "cache.secret").read_text()
        cache.forge(path, other, nixos.store, secret)
        words = "not what the release"
    stayed(clinic, words)
    assert clinic.guest.run("test", "-x", f"{path}/activate", check=False).returncode == 1


def test_a_cache_that_sends_more_than_it_says_fills_the_disk_and_changes_nothing(
    nixos: NixosSite, clinic: NixosClinic
) -> None:
    path, guest = clinic.release(with_service(nixos, "of-a-greedy-cache", SLEEPS)), clinic.guest
    cache = LyingCache(nixos.cache)
    good = cache.nar(path).read_bytes()
    sends(cache, path, 1 << 30)
    with clinic.evidence_on_a_disk_of_its_own():
        guest.shrink_disk(300 << 20)
        try:
            stayed(clinic, "no substituter")
            wrote = guest.run(
                "dd", "if=/dev/zero", "of=/share/more", "bs=1M", "count=1", check=False
            )
            assert "No space left on device" in wrote.stderr
        finally:
            guest.grow_disk()
    cache.nar(path).write_bytes(good)
    guest.fetch(path, nixos.public_key)


@pytest.mark.parametrize("free", [4, 260], ids=["hardly-any", "less-than-it-takes"])
def test_a_full_disk_stops_a_system_before_it_is_fetched(
    nixos: NixosSite, clinic: NixosClinic, free: int
) -> None:
    big = documented(nixos.base.with_etc("papers", "A page of papers.\n" * 500_000))
    path = clinic.release(big)
    clinic.guest.shrink_disk(free << 20)
    try:
        stayed(clinic, "are free in /nix/store")
    finally:
        clinic.guest.grow_disk()
    valid = clinic.guest.nix("nix-store", "--check-validity", path, check=False)
    assert valid.returncode == 1


def test_a_corrupt_database_of_nix_is_said_and_nothing_is_done(
    nixos: NixosSite, clinic: NixosClinic
) -> None:
    clinic.release(with_service(nixos, "of-a-corrupt-store", SLEEPS))
    guest = clinic.guest
    guest.run("cp", DATABASE, "/root/good")
    try:
        guest.run("dd", "if=/dev/zero", f"of={DATABASE}", "bs=512", "count=8", "conv=notrunc")
        stayed(clinic, "database")
    finally:
        guest.run("sh", "-c", f"cp /root/good {DATABASE}; rm -f {DATABASE}-*")


def test_a_system_that_cuts_the_way_to_git_is_taken_back(
    nixos: NixosSite, clinic: NixosClinic
) -> None:
    open_out = "type filter hook output priority filter; policy accept;"
    text = nixos.base.etc[FIREWALL].text
    assert open_out in text
    shut = text.replace(open_out, f"{open_out}\n    tcp dport {GIT} drop")
    clinic.release(documented(nixos.base.with_etc(FIREWALL, shut)))
    with listening(clinic.guest.lan, "192.0.2.1", GIT):
        stayed(clinic, "the Git server cannot be reached", reach=["192.0.2.1", GIT])

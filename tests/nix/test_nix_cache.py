"""The lying caches lie as they say: Nix itself refuses each of them, and takes the forged one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.nix.offered import sizes
from tests.support.commands import CommandFailed
from tests.support.nix_cache import LyingCache
from tests.support.nix_runtime import NixStore
from tests.support.release_site import process_store

GREETING = """derivation {
  name = "greeting-1.0"; system = "x86_64-linux"; builder = "/bin/sh";
  args = [ "-c" "echo hello > $out" ];
}"""


class Site:
    """A built path, and a good cache that has it."""

    def __init__(self, store: NixStore, place: Path) -> None:
        self.store, self.place, self.good = store, place, place / "good"
        self.secret = store.run("nix", "key", "generate-secret", "--key-name", "cache-1")
        key = place / "secret"
        key.write_text(self.secret)
        convert = ("nix", "key", "convert-secret-to-public")
        self.public = store.run(*convert, input=self.secret.encode())
        self.path = store.build(GREETING)
        to = f"file://{self.good}?secret-key={key}&compression=none"
        store.run("nix", "copy", "--to", to, self.path)

    def fetch(self, cache: Path) -> str:
        """What a store that trusts the key gets from a cache."""
        lines = (
            f"substituters = file://{cache}\ntrusted-public-keys = {self.public}\nmax-jobs = 0\n"
        )
        client = NixStore(self.store.runtime, self.place / f"client-{cache.name}", settings=lines)
        client.run("nix-store", "--realise", self.path)
        return client.real(self.path).read_text()


@pytest.fixture
def site(nix_store: NixStore, tmp_path: Path) -> Site:
    return Site(nix_store, tmp_path)


def test_a_good_cache_serves(site: Site) -> None:
    assert site.fetch(site.good) == "hello\n"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (LyingCache.drop, "no substituter"),
        (LyingCache.lose_nar, "does not exist in binary cache"),
        (LyingCache.strip_signatures, "not signed by any of the keys"),
        (LyingCache.wrong_hash, "not signed by any of the keys"),
        (LyingCache.corrupt, "hash mismatch"),
    ],
    ids=["dropped", "lost", "unsigned", "wrong-hash", "corrupt"],
)
def test_nix_refuses(site: Site, damage: Callable[[LyingCache, str], None], said: str) -> None:
    cache = LyingCache.of(site.good, site.place / "bad")
    damage(cache, site.path)
    with pytest.raises(CommandFailed, match=said):
        site.fetch(cache.directory)


def test_nix_takes_what_a_thief_of_the_key_signed(site: Site) -> None:
    cache = LyingCache.of(site.good, site.place / "forged")
    other = site.place / "other"
    other.write_text("gotcha\n")
    cache.forge(site.path, other, site.store, site.secret)
    assert site.fetch(cache.directory) == "gotcha\n"


def test_the_size_of_a_closure_is_known_before_any_of_it_is_fetched(site: Site) -> None:
    state = process_store(site.store)
    caches = (f"file://{site.place}/none", f"file://{site.good}")
    size = int(site.store.run("nix-store", "--query", "--size", site.path))
    assert sizes(site.path, caches, timeout_s=30, state=state) == {site.path: size}
    assert sizes(site.path, caches[:1], timeout_s=30, state=state) == {}

"""A damaged path, and caches that have something else for it; with a real Nix.

Nix unpacks into the place of the path before it compares, so what came is looked at on the disk.
"""

import http.server
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest

from reconciler.model.answer import Answer
from reconciler.model.system_operation import RepairPath
from reconciler.nix import process
from reconciler.nix.database import open_database
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.nixos import realise
from reconciler.targets.linux.nixos.access import SystemAccess
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.tree import HostTree
from tests.support.nix_cache import LyingCache
from tests.support.nix_runtime import NixStore

THING = """derivation { name = "thing"; system = "x86_64-linux"; builder = "/bin/sh";
  args = [ "-c" "echo good > $out" ]; }"""


class Site:
    """A store with a damaged path, an honest cache, and one of somebody who stole its key."""

    def __init__(self, nix: Path, place: Path) -> None:
        self.store = NixStore(nix, place / "store")
        secret = self.store.run("nix", "key", "generate-secret", "--key-name", "cache-1")
        made = self.store.attempt("nix", "key", "convert-secret-to-public", input=secret.encode())
        (place / "secret").write_text(secret)
        self.public = made.stdout.decode().strip()
        self.path = self.store.build(THING)
        self.good = place / "good"
        address = f"file://{self.good}?secret-key={place / 'secret'}&compression=none"
        self.store.run("nix", "copy", "--to", address, self.path)
        self.evil = place / "evil"
        (place / "other").write_text("evil\n")
        LyingCache.of(self.good, self.evil).forge(self.path, place / "other", self.store, secret)
        self.file = self.store.real(self.path)
        self.rots()

    def rots(self) -> None:
        self.file.chmod(0o644)
        self.file.write_text("rotten\n")

    def known(self) -> list[tuple[object, ...]]:
        """All that the database of the store says."""
        file = self.store.root / "nix/var/nix/db/db.sqlite"
        with closing(sqlite3.connect(file)) as connection:
            found = connection.execute(
                "SELECT path, hash, narSize, deriver, sigs, ca FROM ValidPaths"
            )
            return found.fetchall()

    def repair(self, *caches: str) -> None:
        access = SystemAccess(caches=caches, public_keys=(self.public,))
        session = Session(HostTree(), AllowList(), lambda _topic: Answer("absent"), access)
        session.deadline = float("inf")
        realise.repair_path(RepairPath(self.path), session)


@pytest.fixture
def site(nix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made, real = Site(nix, tmp_path), process.NixStore
    root = str(made.store.root)

    def state(*, remote: str) -> process.NixStore:
        assert remote in {"local", "", "daemon"}
        programs, settings = str(nix / "usr/bin"), str(made.store.directory / "conf")
        return real(directories=(programs,), remote=root, conf_dir=settings)

    monkeypatch.setattr(realise, "open_database", lambda: open_database(root))
    monkeypatch.setattr(process, "NixStore", state)
    return made


@pytest.fixture
def served(site: Site) -> Iterator[str]:
    """A cache over HTTP that is another one as soon as it has described itself."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        places: ClassVar[list[Path]] = [site.good]

        def translate_path(self, path: str) -> str:
            self.directory = str(self.places[-1])
            if path.endswith(".narinfo"):
                self.places.append(site.evil)
            return super().translate_path(path)

        def log_message(self, *_words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_stolen_key_of_a_cache_puts_nothing_in_the_place_of_a_damaged_path(site: Site) -> None:
    with pytest.raises(NoAnswer, match="no cache has"):
        site.repair(f"file://{site.evil}")
    assert site.file.read_text() == "rotten\n"
    site.repair("file:///nowhere", f"file://{site.evil}", f"file://{site.good}")
    assert site.file.read_text() == "good\n"


def test_what_is_known_of_a_path_is_known_afterwards(site: Site, tmp_path: Path) -> None:
    secret = str(tmp_path / "secret")
    site.store.run("nix", "store", "sign", "--key-file", secret, site.path)
    before = site.known()
    site.repair(f"file://{site.good}")
    assert site.known() == before
    assert site.file.read_text() == "good\n"

    (tmp_path / "source").write_text("good\n")
    site.path = site.store.run("nix-store", "--add", str(tmp_path / "source"))
    site.store.run("nix", "copy", "--to", f"file://{site.good}", site.path)
    site.file = site.store.real(site.path)
    site.rots()
    before = site.known()
    site.repair(f"file://{site.good}")
    assert site.known() == before
    assert site.file.read_text() == "good\n"


@pytest.mark.enable_socket
def test_a_cache_that_sends_what_it_did_not_describe_puts_nothing_there(
    site: Site, served: str
) -> None:
    with pytest.raises(NoAnswer, match="no cache has"):
        site.repair(served)
    assert site.file.read_text() == "rotten\n"


@pytest.mark.parametrize("length", [1, 400])
def test_a_cache_that_sends_too_little_or_too_much_puts_nothing_there(
    site: Site, length: int
) -> None:
    cache = LyingCache(site.good)
    nar = cache.nar(site.path)
    nar.write_bytes((nar.read_bytes() * 9)[:length])
    with pytest.raises(NoAnswer):
        site.repair(f"file://{site.good}")
    assert site.file.read_text() == "rotten\n"

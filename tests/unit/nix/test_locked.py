"""Of a lock: addresses that an evaluation may reach, and inputs that nobody else could fetch."""

import json

import pytest

from reconciler.errors import InputError
from reconciler.nix.locked import allowed_uris

FORGE = {"type": "github", "owner": "NixOS", "repo": "nixpkgs", "rev": "1" * 40}
PREFIXES = {
    "a forge": (FORGE, "github:NixOS/nixpkgs"),
    "a group of a forge": (
        {"type": "gitlab", "owner": "one/two", "repo": "x"},
        "gitlab:one%2Ftwo/x",
    ),
    "a user": ({"type": "sourcehut", "owner": "~me", "repo": "x"}, "sourcehut:~me/x"),
    "an archive": (
        {"type": "tarball", "url": "https://a.example/x/y.tar.gz?z=/1/"},
        "https://a.example/x/",
    ),
    "a file": ({"type": "file", "url": "http://a.example:8/x"}, "http://a.example:8/"),
    "Git by SSH": ({"type": "git", "url": "ssh://git@a.example/x.git"}, "git+ssh://git@a.example/"),
    "Git by HTTPS": ({"type": "git", "url": "https://a.example/x/y"}, "git+https://a.example/x/"),
    "Git by itself": ({"type": "git", "url": "git://a.example/x"}, "git://a.example/"),
}
NONE = {
    "a path": {"type": "path", "path": "/srv/nixpkgs"},
    "a repository here": {"type": "git", "url": "file:///srv/fleet.git"},
    "a file here": {"type": "tarball", "url": "file:///srv/x.tar.gz"},
    "all of HTTPS": {"type": "tarball", "url": "https://"},
    "a host without a path": {"type": "tarball", "url": "https://a.example"},
    "two addresses": {"type": "tarball", "url": "https://a.example /etc/x"},
    "no owner": {"type": "github", "owner": "", "repo": "x"},
    "a number": {"type": "github", "owner": 1, "repo": "x"},
    "all of a forge": {"type": "github"},
    "no address": {"type": "tarball", "url": None},
    "another kind": {"type": "indirect", "id": "nixpkgs"},
    "a text": "github:NixOS/nixpkgs",
}


@pytest.fixture
def lock(tmp_path):
    def written(nodes):
        (tmp_path / "flake.lock").write_text(json.dumps({"nodes": nodes, "version": 7}))
        return allowed_uris(tmp_path)

    return written


@pytest.mark.parametrize(("locked", "prefix"), PREFIXES.values(), ids=PREFIXES)
def test_an_input_gives_where_it_is_from_and_no_more(lock, locked, prefix) -> None:
    assert lock({"root": {"inputs": {"x": "x"}}, "x": {"locked": locked}}) == (prefix,)


@pytest.mark.parametrize("locked", NONE.values(), ids=NONE)
def test_what_nobody_else_could_fetch_is_no_input(lock, locked) -> None:
    with pytest.raises(InputError, match="has an input 'x' that no other machine"):
        lock({"root": {}, "x": {"locked": locked}})


def test_a_folder_of_another_input_needs_no_address(lock) -> None:
    inner = {"locked": {"type": "path", "path": "./x"}, "parent": []}
    assert lock({"root": {}, "x": inner, "y": {"locked": FORGE}}) == ("github:NixOS/nixpkgs",)


def test_no_lock_allows_nothing(tmp_path) -> None:
    assert allowed_uris(tmp_path) == ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"nodes": []}', '{"nodes": {"x": 1}}', "[" * 100_000, " " * 5_000_000]
)
def test_a_lock_that_nix_did_not_write_is_refused(tmp_path, text) -> None:
    (tmp_path / "flake.lock").write_text(text)
    with pytest.raises(InputError, match=r"flake\.lock is not what Nix writes"):
        allowed_uris(tmp_path)


def test_a_lock_that_cannot_be_read_is_refused(tmp_path) -> None:
    (tmp_path / "flake.lock").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        allowed_uris(tmp_path)

"""The safeguards under the real library of nixpkgs, and the stubs beside the real options.

    RECONCILER_NIXPKGS_LIB   a checkout of nixpkgs, or of its library alone
    RECONCILER_NIXPKGS       a checkout with nixos/modules

Skipped without them (see test_real_nixpkgs.py): the gate has the project's own library.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.nix_modules import CASES, ROOT, evaluate, real_library
from tests.support.nix_runtime import NixStore

# Options that came after the oldest tree that was looked at, and are facts of the pinned release.
NEWER = {
    "networking.wireguard.useNetworkd",
    "security.auditd.settings",
    "security.enableWrappers",
    "services.logind.settings.Login",
    "systemd.coredump.settings.Coredump",
}
# Options that take more in the pinned release than in that tree.
WIDER = {"nix.gc.dates", "services.timesyncd.servers"}
# Values of `system.build`, which takes any name, and an option of the installer's own profile.
ELSEWHERE = {
    "image.baseName",
    "system.build.initialRamdisk",
    "system.build.isoImage",
    "system.build.toplevel",
}
# Names of a type that say the same: the real one takes more, or has one name for several.
SAME = {
    ("either", "coercedTo"),
    ("anything", "attrsOf"),
    ("attrs", "attrsOf"),
    ("attrs", "submodule"),
    ("attrsOf", "submodule"),
    ("either", "enum"),
    ("listOf", "coercedTo"),
    ("listOf", "nonEmptyListOf"),
    ("nullOr", "either"),
    ("str", "strMatching"),
    ("str", "passwdEntry path"),
    ("strMatching", "str"),
}


@pytest.fixture(scope="module")
def store(nix: Path, tmp_path_factory: pytest.TempPathFactory) -> NixStore:
    return NixStore(nix, tmp_path_factory.mktemp("real"))


def test_the_real_library_makes_the_same_of_every_case(store: NixStore) -> None:
    real = evaluate(store, f"import {CASES} {{ lib = import {real_library()}/lib; }}")
    small = evaluate(store, f"import {CASES} {{ }}")
    for side in (real, small):
        for option in side["options"].values():
            option.pop("type")  # Both describe types in words of their own.
    assert real == small


def _tree() -> Path:
    real_library()
    place = os.environ.get("RECONCILER_NIXPKGS", "")
    if not place:
        pytest.skip("RECONCILER_NIXPKGS names no checkout with nixos/modules")
    return Path(place)


def test_every_stub_is_an_option_of_nixos_with_its_type(store: NixStore, tmp_path: Path) -> None:
    tree = _tree()
    words = {
        word
        for root in (tree / "nixos/modules", ROOT / "nix")
        for file in root.rglob("*.nix")
        for word in re.findall(r"[A-Za-z_][A-Za-z0-9_-]{0,60}", file.read_text())
    }
    (tmp_path / "words").write_text("\n".join(sorted(words)))
    found = evaluate(store, _comparison(tree, tmp_path / "words"))
    missing = {name for name, types in found.items() if types["real"] is None}
    assert missing <= NEWER | ELSEWHERE
    assert _different(found) == {}


def _comparison(tree: Path, words: Path) -> str:
    """An expression: by the name of every stub its type's name, here and in the real tree."""
    return f"""
      let
        lib = import {real_library()}/lib;
        leaves = prefix: tree: lib.concatMap (
          n: let here = prefix ++ [ n ]; in
          if lib.isOption tree.${{n}} then [ here ] else leaves here tree.${{n}}
        ) (builtins.attrNames (removeAttrs tree [ "_module" ]));
        testing = import {ROOT}/nix/testing {{ }};
        stubs = (testing.evalSystem {{ modules = [ ]; }}).options;
        real = (import {ROOT}/tests/support/real_nixpkgs.nix {{
          inherit lib; tree = {tree}; words = {words}; modules = [ ];
        }}).options;
        type = options: path:
          let o = lib.attrByPath path null options; in
          if o == null || !(lib.isOption o) then null else o.type.name or "unspecified";
      in builtins.listToAttrs (map (path: {{
        name = builtins.concatStringsSep "." path;
        value = {{ stub = type stubs path; real = type real path; }};
      }}) (leaves [ ] stubs))"""


def _different(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: types
        for name, types in found.items()
        if types["real"] is not None
        and name not in WIDER
        and types["stub"] != types["real"].split(" ")[0]
        and "unspecified" not in types.values()
        and (types["stub"], types["real"]) not in SAME
    }

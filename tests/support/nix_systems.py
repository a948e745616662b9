"""Closures of a real Nix that cost nothing to build: files of text that refer to one another."""

from tests.support.nix_runtime import NixStore

_MANY = """
let
  mod = a: b: a - a / b * b;
  name = at: "part${{toString at}}-${{toString (mod at 9)}}.${{toString (mod at 23)}}";
  before = at: builtins.filter (n: n >= 0) [ (at - 1) (at - 3) (at - 10) ];
  text = parts: at: builtins.concatStringsSep "\\n" (map (n: builtins.elemAt parts n) (before at));
  step = parts: at: parts ++ [ (builtins.toFile (name at) (text parts at)) ];
  parts = builtins.foldl' step [] (builtins.genList (at: at) {count});
in builtins.toFile "nixos-system-desk-26.05" (builtins.concatStringsSep "\\n" parts)
"""


def many_paths(store: NixStore, count: int) -> str:
    """A store path whose closure has so many paths; in the database of the store like any other."""
    expression = _MANY.format(count=count - 1)
    said = store.run(
        "nix-instantiate", "--eval", "--read-write-mode", "--expr", expression, timeout=300
    )
    return said.strip('"')

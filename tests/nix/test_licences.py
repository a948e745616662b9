"""Licences of a system's packages, as the list in the system says them (nix/licences.nix)."""

import json
from pathlib import Path
from typing import Any

from reconciler.nix.here import LICENCES, licences_of
from reconciler.report.bill import is_licence_expression
from tests.support.nix_database import store_path
from tests.support.nix_modules import ROOT, evaluate
from tests.support.nix_runtime import NixStore

# As nixpkgs writes licences: sets, lists, names, and expressions of operators.
LIBRARY = """
  mit = { spdxId = "MIT"; shortName = "mit"; fullName = "MIT License"; };
  ncsa = { spdxId = "NCSA"; shortName = "ncsa"; };
  asl20 = { spdxId = "Apache-2.0"; shortName = "asl20"; };
  llvm = { spdxId = "LLVM-exception"; shortName = "llvm-exception"; };
  unfree = { shortName = "unfree"; fullName = "Unfree"; free = false; };
  of = operator: licenses: { licenseType = "compound"; inherit operator licenses; };
  with' = license: exception: { operator = "WITH"; inherit license exception; };
  plus = license: { licenseType = "plus"; operator = "+"; inherit license; };
"""

SAID = {
    "one": ("mit", ["MIT"]),
    "list": ("[ unfree mit mit ]", ["MIT", "unfree"]),
    "named": (
        '{ fullName = "Terms of Somebody"; url = "https://example.com"; }',
        ["Terms of Somebody"],
    ),
    "null-id": ('{ spdxId = null; shortName = "own"; }', ["own"]),
    "string": ('"free software"', ["free software"]),
    "choice": ('of "OR" [ mit asl20 ]', ["MIT OR Apache-2.0"]),
    "exception": ("with' asl20 llvm", ["Apache-2.0 WITH LLVM-exception"]),
    "nested": (
        """of "AND" [ ncsa (with' asl20 llvm) (of "OR" [ mit asl20 ]) ]""",
        ["NCSA AND Apache-2.0 WITH LLVM-exception AND (MIT OR Apache-2.0)"],
    ),
    "later": ("plus asl20", ["Apache-2.0+"]),
    "listed": ('[ (of "OR" [ mit ncsa ]) asl20 ]', ["Apache-2.0", "MIT OR NCSA"]),
}

# A part of these would be another licence, and none of them stops an evaluation.
UNSAID = {
    "nothing": "[ ]",
    "null": "null",
    "number": "[ mit 7 ]",
    "empty": "[ mit { } ]",
    "odd-id": "{ spdxId = 7; }",
    "odd-part": 'of "OR" [ mit { } ]',
    "odd-operator": '{ operator = "NOR"; }',
    "odd-parts": '{ operator = "OR"; licenses = mit; }',
    "lines": '[ mit "two\\nlines" ]',
    "space": '" MIT"',
    "accent": '"Système"',
    "long": 'builtins.concatStringsSep "" (builtins.genList (_: "xx") 501)',
    "thrown": 'throw "unknown"',
}


def test_all_that_a_package_says_of_its_licences_is_said_or_nothing(
    nix_store: NixStore, tmp_path: Path
) -> None:
    packages = {name: licence for name, (licence, _) in SAID.items()} | UNSAID
    made = " ".join(
        f'{{ outPath = "{store_path(f"{name}-1.0")}"; meta.license = {licence}; }}'
        for name, licence in packages.items()
    )
    document: Any = evaluate(
        nix_store,
        f"let {LIBRARY} in import {ROOT}/nix/licences.nix {{ lib = import {ROOT}/nix/testing/lib;"
        f" config.environment.systemPackages = [ {made} {{ }} ]; }}",
    )
    assert document["licences"] == {
        store_path(f"{name}-1.0"): said for name, (_, said) in SAID.items()
    }

    system = store_path("nixos-system-desk-26.05")
    file = Path(f"{tmp_path}{system}") / LICENCES
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(document))
    read = licences_of(system, str(tmp_path))
    assert len(read) == len(SAID)
    for name in ("choice", "exception", "nested"):
        assert is_licence_expression(read[store_path(f"{name}-1.0")][0])

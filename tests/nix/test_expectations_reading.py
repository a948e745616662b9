"""A document is read from a path that Nix holds, with the hash that a release names."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.engine.trusted.expectations import Documents
from reconciler.model import expected
from reconciler.model.system import InForce
from tests.support.nix_runtime import NixStore
from tests.support.releases import in_force, trusted
from tests.unit.model.test_expected import DOCUMENT

RECIPE = """derivation {{
  name = "nixos-system-{name}"; system = "x86_64-linux"; builder = "/bin/sh";
  text = ''{text}'';
  passAsFile = [ "text" ];
  args = [ "-c" "$box mkdir -p $out/reconciler; $box sed s,@out@,$out,g $textPath > $out/{place}" ];
  box = "{box}";
}}"""


@pytest.fixture(scope="module")
def store(nix, tmp_path_factory) -> NixStore:
    return NixStore(nix, tmp_path_factory.mktemp("nix"), settings=SANDBOX)


SANDBOX = "sandbox-paths = /bin/sh=/bin/busybox /bin/busybox=/bin/busybox\n"


def built(store: NixStore, name: str, text: str, place: str = expected.PLACE) -> str:
    return store.build(RECIPE.format(name=name, text=text, place=place, box="/bin/busybox"))


def document(**other) -> str:
    return json.dumps(DOCUMENT | {"system": "@out@"} | other)


def held(store: NixStore, path: str) -> InForce:
    sri = store.run("nix-store", "--query", "--hash", path).removeprefix("sha256:")
    given = store.run(
        "nix", "hash", "convert", "--hash-algo", "sha256", "--from", "nix32", "--to", "base16", sri
    )
    return replace(in_force(path), system=trusted(path, nar_sha256=given))


def ask(store: NixStore, known: InForce, documents: Documents | None = None):
    return (documents or Documents()).answer(str(store.root), known.system, known)


def test_it_is_what_the_trusted_system_declares_and_parsed_once(store) -> None:
    path = built(store, "one", document())
    documents, known = Documents(), held(store, path)
    first = ask(store, known, documents)
    assert (first.status, first.data["system"]) == ("ok", path)
    assert first.data["document"]["system"] == path
    assert ask(store, known, documents).data["document"] is first.data["document"]


def test_a_path_with_another_hash_is_not_it(store) -> None:
    known = held(store, built(store, "one", document()))
    other = replace(known, system=replace(known.system, nar_sha256="0" * 64))
    answer = ask(store, other)
    assert (answer.status, "not what the release named" in answer.reason) == ("absent", True)


def test_a_folder_that_nix_does_not_know_is_not_it(store) -> None:
    path = built(store, "one", document())
    forged = path.replace("-nixos-system-one", "-nixos-system-xxx")
    place = store.real(forged) / "reconciler"
    place.mkdir(parents=True)
    (place / "expectations.json").write_text(document().replace("@out@", forged))
    answer = ask(store, replace(in_force(forged), system=trusted(forged)))
    assert (answer.status, "not in the store" in answer.reason) == ("absent", True)


@pytest.mark.parametrize(
    ("name", "text", "status"),
    [
        ("version", document(format="reconciler-expectations/2"), "error"),
        ("garbage", "{", "error"),
        ("more", document(extra=1), "error"),
        ("other", json.dumps(DOCUMENT), "error"),
    ],
)
def test_a_document_that_does_not_fit_is_an_error(store, name, text, status) -> None:
    assert ask(store, held(store, built(store, name, text))).status == status


def test_a_system_without_one_says_nothing(store) -> None:
    known = held(store, built(store, "none", document(), "reconciler/other.json"))
    assert ask(store, known).status == "absent"


def test_until_it_is_here_the_running_one_speaks_if_it_was_trusted(store, tmp_path) -> None:
    running = held(store, built(store, "old", document()))
    link = store.root / "run/current-system"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(running.system.path)
    missing = trusted(f"/nix/store/{'0' * 32}-nixos-system-new")
    before = ((running.system.path, running.system.nar_sha256),)
    answer = ask(store, replace(in_force(missing.path), system=missing, before=before))
    assert (answer.status, answer.data["system"]) == ("ok", running.system.path)
    assert ask(store, replace(in_force(missing.path), system=missing)).status == "absent"
    lying = ((running.system.path, "0" * 64),)
    assert ask(store, replace(in_force(missing.path), system=missing, before=lying)).status == (
        "absent"
    )


def test_a_damaged_database_is_an_error(store, tmp_path) -> None:
    known = held(store, built(store, "one", document()))
    root = tmp_path / "root"
    (root / known.system.path.lstrip("/")).mkdir(parents=True)
    database = root / "nix/var/nix/db"
    database.mkdir(parents=True)
    (database / "schema").write_text("10")
    Path(database / "db.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 4096)
    answer = Documents().answer(str(root), known.system, known)
    assert (answer.status, answer.reason != "") == ("error", True)

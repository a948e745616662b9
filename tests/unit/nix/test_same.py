"""A cache that says in each form of Nix what it holds, and one that holds another thing."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import MachineError
from reconciler.nix import base32
from reconciler.nix.database import open_database
from reconciler.nix.process import NixStore
from reconciler.nix.same import require_same
from tests.support.nix_database import make_database, system_rows

CACHE = "file:///srv/cache"
OLD = """\
case "$*" in *--json-format*) echo "error: unrecognised flag '--json-format'" >&2; exit 1;; esac
"""
Form = Callable[[str], str]


@pytest.fixture
def hashes(tmp_path: Path) -> dict[str, str]:
    rows = system_rows(20)
    make_database(tmp_path, rows)
    with open_database(str(tmp_path)) as database:
        return {info.path: info.nar_sha256 for info in database.closure(str(rows[0].path))} | {
            "": str(rows[0].path)
        }


def sri(digest: str) -> str:
    return f"sha256-{base64.b64encode(bytes.fromhex(digest)).decode()}"


def nix32(digest: str) -> str:
    return f"sha256:{base32.encode(bytes.fromhex(digest))}"


def held(tmp_path: Path, answer: object, before: str = "") -> NixStore:
    """A Nix whose cache answers this."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "answer").write_text(answer if isinstance(answer, str) else json.dumps(answer))
    program = folder / "nix"
    program.write_text(f"#!/bin/sh\n{before}cat {tmp_path}/answer\n")
    program.chmod(0o755)
    directories = (str(folder), "/usr/bin", "/bin")
    return NixStore(directories=directories, remote=str(tmp_path), cache=str(tmp_path))


@pytest.mark.parametrize("form", [sri, nix32, "sha256:{}".format], ids=["sri", "nix32", "hex"])
@pytest.mark.parametrize("listed", [False, True])
def test_the_same_bytes_are_the_same_in_every_form(
    tmp_path: Path, hashes: dict[str, str], form: Form, listed: bool
) -> None:
    system = hashes.pop("")
    said = {path: {"path": path, "narHash": form(digest)} for path, digest in hashes.items()}
    state = held(tmp_path, list(said.values()) if listed else said, OLD if listed else "")
    require_same([system, system], CACHE, timeout_s=10, state=state)


def test_other_bytes_and_what_is_not_there_are_named(
    tmp_path: Path, hashes: dict[str, str]
) -> None:
    system = hashes.pop("")
    said = {path: {"narHash": sri(digest)} for path, digest in hashes.items()}
    first, second, *_ = sorted(hashes)
    damaged = said | {first: {"narHash": sri("0" * 64)}, second: None}
    with pytest.raises(MachineError, match=f"has {first} and 1 more with other bytes") as caught:
        require_same([system], CACHE, timeout_s=10, state=held(tmp_path, damaged))
    assert "extra-substituters" in caught.value.hint


@pytest.mark.parametrize(
    "answer",
    ["", "[1]", "{", "null", '{"/nix/store/x": {}}', '{"/nix/store/x": {"narHash": "md5:0"}}'],
)
def test_an_answer_that_is_none_is_an_error(
    tmp_path: Path, hashes: dict[str, str], answer: str
) -> None:
    with pytest.raises(MachineError, match="is not what Nix writes"):
        require_same([hashes[""]], CACHE, timeout_s=10, state=held(tmp_path, answer))


def test_a_cache_that_does_not_answer_is_an_error(tmp_path: Path, hashes: dict[str, str]) -> None:
    state = held(tmp_path, "", "echo 'error: timed out' >&2; exit 1; ")
    with pytest.raises(MachineError, match="timed out"):
        require_same([hashes[""]], CACHE, timeout_s=10, state=state)

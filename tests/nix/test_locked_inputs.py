"""A flake with an input from the network, as every real fleet has one; with a real Nix."""

import io
import tarfile

import pytest

from reconciler.errors import InputError, MachineError
from reconciler.nix import build
from reconciler.nix.evaluate import evaluate
from tests.support.loopback_http import serve
from tests.support.nix_runtime import NixStore
from tests.support.release_site import process_store

TARGET = "clinic/one"
INPUT = """{ outputs = _: { system = name: derivation {
  inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo hi > $out" ];
}; }; }
"""
FLAKE = """{{
  inputs.packages.url = "{url}/kept/packages.tar.gz";
  outputs = {{ packages, ... }}: {{
    nixosConfigurations."clinic-one".config.system.build.toplevel = {value};
  }};
}}
"""
HONEST = 'packages.system "nixos-system-one"'


def archive(text: str = INPUT) -> bytes:
    data = text.encode()
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w:gz") as tar:
        entry = tarfile.TarInfo("packages/flake.nix")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return stored.getvalue()


@pytest.fixture
def server():
    packed = archive()
    with serve(lambda *_: (200, packed)) as listening:
        yield listening


@pytest.fixture
def fleet(nix, server, tmp_path):
    """Write a flake, lock it, and evaluate it in a store that never saw its input."""
    top = tmp_path / "fleet"
    top.mkdir()

    def written(value: str = HONEST, *, lock: bool = True) -> None:
        (top / "flake.nix").write_text(FLAKE.format(url=server.url, value=value))
        if lock:
            store = NixStore(nix, tmp_path / "desk")
            store.run("nix", "flake", "lock", f"path:{top}")

    def evaluated():
        state = process_store(NixStore(nix, tmp_path / "ci"))
        return evaluate(top, TARGET, timeout_s=60, state=state), state

    return written, evaluated


@pytest.mark.enable_socket
def test_an_input_that_the_lock_pins_is_fetched(fleet, server) -> None:
    written, evaluated = fleet
    written()
    server.requests.clear()
    system, state = evaluated()
    assert {path for _, path, _ in server.requests} == {"/kept/packages.tar.gz"}
    build.build([system], timeout_s=60, state=state)
    assert build.facts_of(system, state=state).path == system.path


@pytest.mark.enable_socket
def test_no_other_address_is_reached(fleet, server) -> None:
    written, evaluated = fleet
    other = f'builtins.fetchurl {{ url = "{server.url}/other/x"; sha256 = "{"0" * 52}"; }}'
    written(f"builtins.seq ({other}) ({HONEST})")
    server.requests.clear()
    with pytest.raises(MachineError, match="cannot be evaluated"):
        evaluated()
    assert "/other/x" not in {path for _, path, _ in server.requests}


@pytest.mark.enable_socket
def test_an_input_with_other_bytes_is_refused(fleet, server) -> None:
    written, evaluated = fleet
    written()
    changed = archive(INPUT.replace("hi", "evil"))
    server.answer = lambda *_: (200, changed)
    with pytest.raises(MachineError, match="cannot be evaluated") as caught:
        evaluated()
    assert "other bytes than flake.lock pins" in caught.value.hint


@pytest.mark.enable_socket
def test_a_lock_of_other_inputs_is_not_mended_and_it_says_what_to_do(fleet, server) -> None:
    written, evaluated = fleet
    written()
    server.url += "/moved"
    written(lock=False)
    server.requests.clear()
    with pytest.raises(MachineError) as caught:
        evaluated()
    assert server.requests == []
    assert "flake.lock does not fit the inputs of flake.nix" in caught.value.hint


@pytest.mark.enable_socket
def test_without_a_lock_nothing_is_evaluated_and_it_says_what_to_do(fleet, server) -> None:
    written, evaluated = fleet
    written(lock=False)
    with pytest.raises(MachineError) as caught:
        evaluated()
    assert server.requests == []
    assert "There is no flake.lock" in caught.value.hint


def test_an_input_of_this_machine_alone_is_refused_before_nix_is_asked(tmp_path) -> None:
    (tmp_path / "flake.nix").write_text("{ outputs = _: { }; }")
    (tmp_path / "flake.lock").write_text(
        '{"nodes": {"root": {}, "x": {"locked": {"type": "path", "path": "/srv/x"}}}}'
    )
    with pytest.raises(InputError, match=r"flake\.lock has an input 'x'"):
        evaluate(tmp_path, TARGET, timeout_s=1)

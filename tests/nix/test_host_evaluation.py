"""A host that evaluates by itself, since its settings say so: an appliance and a real Nix."""

import json
from pathlib import Path

import pytest

from reconciler import load_settings
from reconciler.engine.trusted import evaluated
from reconciler.errors import InputError
from reconciler.nix import process
from reconciler.nix.evaluate import evaluate
from tests.support.drill import CLIENT, HOST, HOST_TEXT
from tests.support.nix_runtime import NixStore
from tests.support.release_drill import new_release_drill
from tests.support.release_site import OWNED, process_store

FLAKE = """{{
  outputs = {{ self }}: {{
    nixosConfigurations."{name}".config.system.build.toplevel = derivation {{
      name = "nixos-system-{word}"; system = "x86_64-linux"; builder = "/bin/sh";
      args = [ "-c" "{script}" ];
    }};
  }};
}}
"""
EVALUATE = "system:\n  evaluate: {memory_mebibytes: 1024, timeout_s: 60}\n"


def flake(word: str, script: str = "echo hi > $out") -> dict[str, str]:
    return {"flake.nix": FLAKE.format(name=f"{CLIENT}-{HOST}", word=word, script=script)}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    site = new_release_drill(tmp_path_factory.mktemp("fresh") / "site", policy=OWNED)
    settings = Path(site.drill.site.settings)
    settings.write_text(settings.read_text() + EVALUATE)
    return site


@pytest.fixture
def store(nix, tmp_path, monkeypatch):
    found = NixStore(nix, tmp_path / "nix")
    monkeypatch.setattr(process, "THIS_MACHINE", process_store(found))
    return found


@pytest.fixture
def site(fresh, store, tmp_path):
    return fresh.copied(tmp_path / "site")


def test_it_trusts_what_it_built_of_the_verified_commit(site, store) -> None:
    commit = site.commit(flake("one"))
    site.release("evil")
    trusted = site.status().trusted
    assert (trusted.source, trusted.release) == ("evaluated", commit)
    assert store.real(trusted.path).read_text() == "hi\n"
    hashed = store.run("nix", "path-info", "--json", "--json-format", "1", trusted.path)
    sri = json.loads(hashed)[trusted.path]["narHash"]
    given = store.run("nix", "hash", "convert", "--to", "base16", sri)
    assert given == trusted.nar_sha256
    body = site.drill.bodies("run")[-1]["intent"]["system"]["in_force"]
    assert (body["source"], body["by"], body["key"]) == ("evaluated", f"{CLIENT}/{HOST}", None)
    assert site.internal("system").data["source"] == "evaluated"


def test_each_commit_is_evaluated_once(site, store, monkeypatch) -> None:
    site.commit(flake("one"))
    first = site.status().trusted
    monkeypatch.setattr(process, "THIS_MACHINE", process.NixStore(directories=("/nowhere",)))
    assert site.status().trusted == first
    site.commit()
    status = site.status()
    assert (status.trusted.path, status.refused) == (first.path, "evaluation-failed")


def test_evaluation_and_build_share_their_time(site, store, monkeypatch) -> None:
    def slow(*given, **more):
        found = evaluate(*given, **more)
        site.drill.clock.pass_time(59.5)
        return found

    monkeypatch.setattr(evaluated, "evaluate", slow)
    site.commit(flake("one", "echo at it; sleep 5; echo > $out"))
    status = site.status()
    assert status.refused == "evaluation-failed"
    assert "did not end in time" in status.message


def test_a_look_alone_evaluates_nothing(site, store) -> None:
    site.commit(flake("one"))
    assert site.status(dry_run=True).trusted is None
    assert not store.real("/nix/store").exists()


@pytest.mark.parametrize(
    "broken",
    [
        flake("two", "exit 1"),
        {"flake.nix": '{ outputs = _: throw "no"; }'},
        {"flake.nix": None},
        {"flake.nix": "("},
    ],
    ids=["build", "throw", "gone", "syntax"],
)
def test_what_cannot_be_had_leaves_what_was_and_is_not_tried_again_at_once(site, broken) -> None:
    site.commit(flake("one"))
    before = site.status().trusted
    commit = site.commit(broken)
    with site.drill.open() as appliance:
        status = site.site.run_in(appliance).intent.system
        assert (status.trusted, status.refused) == (before, "evaluation-failed")
        assert status.refused_release == commit
        assert commit in appliance.evaluations.failed
        at = appliance.evaluations.failed[commit][0]
        site.site.run_in(appliance)
        assert appliance.evaluations.failed[commit][0] == at
        site.site.run_in(appliance, after_s=3600)
        assert appliance.evaluations.failed[commit][0] > at
    site.commit(flake("three"))
    assert site.status().trusted.path.endswith("nixos-system-three")


def test_a_fleet_with_rings_evaluates_in_ci(site) -> None:
    canary = HOST_TEXT.replace("id: workstation\nkind: linux", "id: canary\nkind: nixos")
    rings = f"rings:\n  - {{id: first, hosts: [{CLIENT}/canary], soak_h: 1}}\n  - {{id: rest}}\n"
    site.commit(
        {
            "policies/rings.yaml": rings,
            f"hosts/{CLIENT}/canary.yaml": canary,
            **flake("one"),
        }
    )
    site.fleet.approve("bob")
    status = site.status()
    assert (status.trusted, status.refused) == (None, "evaluation-failed")
    assert "rings" in status.message


def test_a_helper_takes_only_what_a_release_names(site) -> None:
    settings = Path(site.drill.site.settings)
    settings.write_text(settings.read_text() + "helper: /run/reconciler/helper.sock\n")
    with pytest.raises(InputError, match="exclude one another"):
        load_settings(settings)

"""Flakes that want more than they may, and trees that lead elsewhere; with a real Nix.

Every one is an honest flake with one thing more. The honest one evaluates, so the thing is why.
"""

import time
from dataclasses import replace

import pytest

from reconciler.desired.export import exported
from reconciler.desired.limits import READ_LIMITS
from reconciler.desired.objects import Objects
from reconciler.errors import InputError, IntentRefused, MachineError, ReconcilerError
from reconciler.nix import build
from reconciler.nix.evaluate import OPTIONS, Evaluated, attribute_of, evaluate
from tests.support.nix_runtime import NixStore
from tests.support.release_site import process_store
from tests.support.trust_fleet import TrustFleet

TARGET = "clinic/one"
SYSTEM = """derivation {
  name = "nixos-system-one"; system = "x86_64-linux"; builder = "/bin/sh";
  args = [ "-c" "echo hi > $out" ];
}"""
FLAKE = """{{ {head}
  outputs = {{ self, ... }}: {{ nixosConfigurations."clinic-one".config.system.build.toplevel =
    {value}; }};
}}
"""
MIB = 1 << 20


def flake(value: str = SYSTEM, head: str = "") -> str:
    return FLAKE.format(value=value, head=head)


def before(thing: str) -> str:
    """A flake whose system needs something else to be evaluated first."""
    return flake(f"builtins.deepSeq ({thing}) ({SYSTEM})")


@pytest.fixture(scope="module")
def store(nix, tmp_path_factory):
    return NixStore(nix, tmp_path_factory.mktemp("store"))


@pytest.fixture
def attempt(store, tmp_path):
    def evaluated(text: str, *, timeout_s: float = 60, **more) -> Evaluated:
        (tmp_path / "flake.nix").write_text(text)
        return evaluate(tmp_path, TARGET, timeout_s=timeout_s, state=process_store(store), **more)

    return evaluated


def test_the_honest_one_is_evaluated_and_built(attempt, store) -> None:
    found = attempt(flake(), memory_bytes=1024 * MIB)
    build.build([found], timeout_s=60, state=process_store(store))
    built = build.facts_of(found, state=process_store(store))
    assert store.real(built.path).read_text() == "hi\n"
    assert built.closure.paths == 1


REFUSED = {
    "a download": (
        before(
            f'builtins.fetchurl {{ url = "https://127.0.0.1:1/"; sha256 = "" + "{"0" * 52}"; }}'
        ),
        "cannot be evaluated",
    ),
    "a repository of somewhere else": (
        before(f'builtins.fetchGit {{ url = "https://127.0.0.1:1/x"; rev = "{"1" * 40}"; }}'),
        "cannot be evaluated",
    ),
    "an input that nothing pins": (
        flake(head='inputs.x = { url = "path:/etc/apt"; flake = false; };'),
        "cannot be",
    ),
    "a build in the evaluation": (before(f"builtins.readFile ({SYSTEM})"), "cannot be evaluated"),
    "a file of the machine": (before("builtins.readFile /etc/passwd"), "cannot be evaluated"),
    "a folder of the machine": (before("builtins.readDir /root"), "cannot be evaluated"),
    "a file above the flake": (before("builtins.readFile ../secret"), "cannot be evaluated"),
    "the environment": (
        flake(f'if builtins.getEnv "HOME" == "" then throw "empty" else {SYSTEM}'),
        "cannot be evaluated",
    ),
    "the clock": (before("builtins.currentTime"), "cannot be evaluated"),
    "a search path": (before("<nixpkgs>"), "cannot be evaluated"),
    "no derivation": (flake('{ drvPath = "/etc/passwd"; outPath = "/etc"; }'), "gives no system"),
    "a text": (flake('"x"'), "cannot be evaluated"),
    "another host": (flake().replace("clinic-one", "clinic-two"), "cannot be evaluated"),
    "a flake that is none": ("{ outputs = 1; }", "cannot be evaluated"),
    "nothing": ("", "cannot be evaluated"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_what_it_may_not_have_it_does_not_get(attempt, text, why) -> None:
    with pytest.raises(ReconcilerError, match=why):
        attempt(text)


EXPLAINED = {
    "a lock that is old": (
        flake(head='inputs.x = { url = "path:./x"; flake = false; };'),
        "There is no flake.lock for the inputs",
    ),
    "a file of the machine": (before("builtins.readFile /etc/passwd"), "files of the commit"),
    "a download": (before('builtins.fetchTarball "https://127.0.0.1:1/"'), "files of the commit"),
    "a build in the evaluation": (before(f"builtins.readFile ({SYSTEM})"), "is built to be read"),
    "anything else": (before("builtins.nonsense"), "See what Nix says"),
}


@pytest.mark.parametrize(("text", "hint"), EXPLAINED.values(), ids=EXPLAINED)
def test_it_says_what_to_do(attempt, text, hint) -> None:
    with pytest.raises(MachineError, match=TARGET) as caught:
        attempt(text)
    assert hint in caught.value.hint


def test_settings_of_the_repository_count_for_nothing(attempt, store, tmp_path) -> None:
    mark = tmp_path / "ran"
    settings = f"""nixConfig = {{
      extra-substituters = "file:///tmp"; sandbox = false; allow-import-from-derivation = true;
      post-build-hook = "{mark}"; pure-eval = false; restrict-eval = false;
    }};"""
    assert attempt(flake(head=settings)) == attempt(flake())
    with pytest.raises(MachineError):
        attempt(before("builtins.readFile /etc/passwd").replace("{ ", f"{{ {settings} ", 1))
    assert not mark.exists()


def test_the_lock_is_never_written(attempt, tmp_path) -> None:
    attempt(flake())
    assert not (tmp_path / "flake.lock").exists()


def test_memory_has_an_end(attempt) -> None:
    hog = before("builtins.foldl' (a: _: a ++ a) [ 1 ] (builtins.genList (x: x) 40)")
    with pytest.raises(MachineError, match="needs more than the 512 MiB of memory") as caught:
        attempt(hog, memory_bytes=512 * MIB)
    assert TARGET in str(caught.value)


def test_time_has_an_end(attempt) -> None:
    begin = time.monotonic()
    long = "builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 200000)"
    endless = before(f"let f = n: if n == 0 then 0 else builtins.seq ({long}) f (n - 1); in f 9000")
    with pytest.raises(MachineError, match=f"{TARGET} cannot be evaluated: .*did not end in time"):
        attempt(endless, timeout_s=1)
    assert time.monotonic() - begin < 30


def test_a_build_has_an_end_and_shows_how_far_it_came(attempt, store) -> None:
    slow, told = attempt(flake(SYSTEM.replace("echo hi", "echo at it; sleep 60; echo hi"))), []
    with pytest.raises(MachineError, match=f"{TARGET} cannot be built: .*did not end in time"):
        build.build([slow], timeout_s=2, state=process_store(store), told=told.append)
    assert b"> at it" in told[0]


def test_a_derivation_that_makes_something_else_is_not_built(attempt, store) -> None:
    state = process_store(store)
    honest = attempt(flake())
    other = attempt(flake(SYSTEM.replace("system-one", "system-two")))
    for claim in (replace(honest, path=other.path), replace(honest, drv=other.drv)):
        with pytest.raises(InputError, match="does not make"):
            build.build([claim], timeout_s=60, state=state)
    two = flake(SYSTEM.replace("name =", 'outputs = [ "out" "dev" ]; name ='))
    with pytest.raises(InputError, match="does not make"):
        build.build([attempt(two)], timeout_s=60, state=state)


@pytest.mark.parametrize("target", ["", "a", "a/b/c", "../x", 'a"b/c', "a/b c", "A/b", "a/b'"])
def test_a_name_cannot_become_a_part_of_the_question(target) -> None:
    with pytest.raises(InputError):
        attribute_of(target)


def test_what_holds_for_evaluations_is_settled() -> None:
    assert ("restrict-eval", "true") in OPTIONS
    assert ("accept-flake-config", "false") in OPTIONS


@pytest.mark.parametrize(
    "path",
    ["flake.nix", "nix/a/b.nix", "LICENSE", "bin/tool"],
)
def test_an_export_is_the_commit(tmp_path, path) -> None:
    fleet = TrustFleet(tmp_path / "fleet.git")
    commit = fleet.begin(files={path: "text\n"})
    with exported(Objects(fleet.repository, READ_LIMITS), commit) as top:
        assert (top / path).read_text() == "text\n"
        assert (top / path).stat().st_mtime == (top / "README.md").stat().st_mtime
        assert not (top / ".git").exists()
    assert not top.exists()


@pytest.mark.parametrize("mode", ["120000", "160000"], ids=["link", "submodule"])
@pytest.mark.parametrize("path", ["nix", "flake.nix", "nix/x"])
def test_a_tree_that_leads_elsewhere_is_not_exported(tmp_path, mode, path) -> None:
    fleet = TrustFleet(tmp_path / "fleet.git")
    first = fleet.begin()
    tree = dict(fleet.tree(first))
    blob = str(fleet.repository.create_blob(b"/etc/passwd"))
    tree[path] = (mode, blob)
    commit = fleet.commit("alice", tree=tree)
    with (
        pytest.raises(IntentRefused) as caught,
        exported(Objects(fleet.repository, READ_LIMITS), commit),
    ):
        pass
    assert caught.value.reason == "tree-refused"

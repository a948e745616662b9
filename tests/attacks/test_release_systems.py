"""Releases that must not decide what a NixOS host runs; a whole appliance, run after run.

Each attack finds a host with a system in force, or with none, and leaves it so. What needs a real
Nix (caches that lie, flakes that want more than they may) is in tests/nix/test_release_attacks.py.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.errors import LedgerMissing
from tests.support.drill import HOST
from tests.support.release_drill import TARGET, ReleaseDrill, new_release_drill
from tests.support.releases import digest, store_path, system
from tests.support.trust_fleet import POLICY, POLICY_TEXT
from tests.support.trust_signing import fingerprint

ONE, EVIL = store_path("one"), store_path("evil")
Attack = Callable[[ReleaseDrill], object]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return new_release_drill(tmp_path_factory.mktemp("fresh") / "site")


@pytest.fixture
def site(fresh, tmp_path):
    return fresh.copied(tmp_path / "site")


def aside(site: ReleaseDrill) -> None:
    """A release of a commit by an engineer that never landed."""
    commit = site.fleet.commit("alice", {"docs/x.md": "x\n"}, move=False)
    site.release("evil", commit)


def second_parent(site: ReleaseDrill) -> None:
    """A release of a commit that was merged, but was never the head of the branch."""
    before = site.fleet.head
    topic = site.fleet.commit("alice", {"docs/x.md": "x\n"}, move=False)
    site.fleet.commit("alice", parents=(before, topic), tree=topic and site.fleet.tree(topic))
    site.release("evil", topic)


def junk(site: ReleaseDrill) -> None:
    for name in (f"{'a' * 64}.dsse.json", f"{'b' * 64}.sigstore.json", "x", "../x"):
        site.fleet.put(f"releases/{site.fleet.head}/{name.replace('/', '')}", b"{}")
    site.fleet.put("releases/notes.txt", b"x")


ATTACKS: dict[str, tuple[Attack, str | None]] = {
    "by nobody whom the fleet knows": (lambda s: s.release("evil", by="mallory"), "refused"),
    "by an engineer": (lambda s: s.release("evil", by="alice"), "refused"),
    "by a machine without the role": (lambda s: s.release("evil", by="bot"), "refused"),
    "of another tree": (lambda s: s.release("evil", tree="1" * 40), "refused"),
    "of other files": (lambda s: s.release("evil", files_sha256="1" * 64), "refused"),
    "of another branch": (lambda s: s.release("evil", branch="staging"), "refused"),
    "dated in the far future": (lambda s: s.release("evil", time=60 * 24 * 36500), "refused"),
    "in the folder of another commit": (
        lambda s: s.release("evil", s.site.root, place=s.fleet.head),
        "refused",
    ),
    "with a closure and no diff": (
        lambda s: s.fleet.release("ci", systems={TARGET: half("evil")}),
        "refused",
    ),
    "files that are nothing": (junk, "refused"),
    "of a commit that never landed": (aside, None),
    "of a commit beside the line": (second_parent, None),
    "for another host": (
        lambda s: s.release(None, others={f"example-clinic/not-{HOST}": system("evil")}),
        None,
    ),
    "for another client's host of this name": (
        lambda s: s.release(None, others={f"elm-street/{HOST}": system("evil")}),
        None,
    ),
}


def half(label: str) -> dict:
    one = system(label)
    return {"drv": one.drv, "path": one.path, "nar_sha256": one.nar_sha256, "closure": None}


@pytest.mark.parametrize(("attack", "code"), ATTACKS.values(), ids=ATTACKS)
def test_it_takes_no_system_away_and_brings_none(site, attack: Attack, code: str | None) -> None:
    site.release("one")
    site.run()
    site.commit()
    attack(site)
    status = site.status()
    assert status.trusted is not None
    assert status.trusted.path == site.in_force() == ONE
    assert status.refused == (code and f"release-{code}")
    site.commit()
    site.release("two")
    assert site.status().trusted.path == store_path("two"), "the honest one is not shut out"


def test_two_that_contradict_each_other_name_none(site) -> None:
    site.release("one")
    site.run()
    newer = site.commit()
    site.release("two")
    site.release("evil")
    status = site.status()
    assert status.trusted.path == ONE
    assert (status.refused, status.refused_release) == ("release-conflict", newer)
    (said,) = [b["intent"]["system"]["refused"] for b in site.drill.bodies("run")[-1:]]
    assert said == {"reason": "release-conflict", "release": newer}


def test_two_that_differ_in_the_closure_alone_contradict_each_other(site) -> None:
    one = system("one")
    site.release(one)
    site.release(replace(one, closure=replace(one.closure, sha256=digest("stolen cache"))))
    assert site.status().refused == "release-conflict"
    assert site.in_force() is None


def test_two_that_agree_do_not(site) -> None:
    site.release("one")
    site.release("one", time=site.fleet.minutes + 1)
    site.release(system("one", closure=None, diff=None))
    status = site.status()
    assert (status.trusted.path, status.refused) == (ONE, None)
    assert status.trusted.closure_sha256 == digest("closure of one")


@pytest.mark.parametrize("hidden", [False, True], ids=["beside", "instead"])
def test_another_of_the_very_commit_in_force_is_a_contradiction(site, hidden: bool) -> None:
    file = site.release("one")
    site.run()
    if hidden:
        site.fleet.put(file, None)
    site.release("evil")
    status = site.status()
    assert (status.trusted.path, status.refused) == (ONE, "release-conflict")


def test_an_older_release_offered_again_brings_nothing_back(site) -> None:
    site.release("zero")
    site.run()
    site.commit()
    newer = site.release("one")
    site.run()
    site.fleet.put(newer, None)
    for _ in range(2):
        assert site.status().trusted.path == ONE
    site.release("evil", site.site.root)
    assert site.status().trusted.path == ONE


def test_a_release_by_a_key_that_is_revoked_is_trusted_no_more(site) -> None:
    site.release("one")
    site.run()
    revoked = f'{{key: "{fingerprint("ci")}", effective: "{site.fleet.moment(1)}", reason: stolen}}'
    site.commit({POLICY: f"{POLICY_TEXT}revoked: [{revoked}]\n"})
    site.fleet.approve("bob")
    status = site.status()
    assert (status.trusted, status.refused) == (None, "release-revoked")
    assert site.in_force() == ONE, "and what must not be gone behind is still known"
    assert site.internal("system").status == "absent"
    site.release("one")
    assert site.status().trusted is None, "the same key again is no better"


def test_without_its_ledger_an_appliance_trusts_nothing(site) -> None:
    site.release("one")
    site.run()
    branch = site.drill.site.made.evidence
    for file in sorted(branch.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    with pytest.raises(LedgerMissing):
        site.run()

"""Which system an appliance trusts, run after run: the newest release that counts, never back."""

import pytest

from reconciler.guard.memory import Memory, fold
from reconciler.model.system import ClosureDiff, VersionChange
from reconciler.trust.statements import revision_of
from tests.support.drill import CLIENT, HOST_TEXT
from tests.support.release_drill import TARGET, new_release_drill
from tests.support.releases import digest, store_path, system

RINGS = "rings:\n  - {id: canary, tags: [canary], soak_h: 1}\n  - {id: rest}\n"
CANARY = HOST_TEXT.replace(
    "id: workstation\nkind: linux", "id: canary\nkind: nixos\ntags: [canary]"
)
CANARY_FILES = {"policies/rings.yaml": RINGS, f"hosts/{CLIENT}/canary.yaml": CANARY}
PROMOTED = """\
promotions:
  - revision: {revision}
    ring: rest
    opened: 2026-03-01T08:00:00Z
    reason: The clinic asked for it.
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return new_release_drill(tmp_path_factory.mktemp("fresh") / "site")


@pytest.fixture
def site(fresh, tmp_path):
    return fresh.copied(tmp_path / "site")


def test_without_a_release_nothing_is_said_about_the_system(site) -> None:
    status = site.status()
    assert (status.trusted, status.in_force, status.refused) == (None, None, None)
    assert site.remembered() is None


def test_the_newest_release_that_counts_is_in_force(site) -> None:
    site.release("one")
    status = site.status()
    assert status.trusted is not None
    assert status.trusted.path == store_path("one")
    assert status.trusted.closure_sha256 == digest("closure of one")
    assert status.trusted.release == site.fleet.head
    site.commit()
    assert site.status().trusted == status.trusted
    newer = site.commit()
    site.release("two")
    status = site.status()
    assert status.trusted.release == newer
    found = site.remembered()
    assert site.drill.verify().ok
    memory = Memory.empty()
    for record in site.drill.records():
        if not record.entry.slim:
            entry = record.entry
            memory = fold(memory, entry.kind.value, entry.body, entry.time)
    assert memory.systems.trusted == found
    assert (found.number, found.by, found.system.path) == (2, "ci", store_path("two"))
    assert found.before == ((store_path("one"), digest("nar of one")),)


def test_a_release_that_says_the_same_of_a_newer_commit_is_no_other_system(site) -> None:
    site.release("one")
    site.run()
    site.commit()
    site.release("one")
    site.run()
    found = site.remembered()
    assert (found.number, found.before) == (2, ())


def test_a_release_of_an_older_version_counts(site) -> None:
    site.release(system("one", closure=None, diff=None))
    assert site.status().trusted.closure_sha256 is None


def test_what_the_release_says_of_the_change_is_known_to_who_plans(site) -> None:
    diff = ClosureDiff(store_path("zero"), (VersionChange("glibc", ("1",), ("2",)),), 0)
    site.release(system("one", diff=diff))
    assert site.status(dry_run=True).diff == diff
    assert site.remembered() is None


def test_a_release_that_is_shown_no_more_stays_in_force(site) -> None:
    file = site.release("one")
    site.run()
    site.fleet.put(file, None)
    status = site.status()
    assert status.trusted.path == store_path("one")
    assert status.refused is None


def test_what_is_in_force_survives_a_run_that_only_repeats(site) -> None:
    site.release("one")
    site.run()
    before = len(site.drill.records())
    assert site.run().recorded
    assert site.drill.records()[-1].entry.slim or len(site.drill.records()) == before + 1
    assert site.in_force() == store_path("one")


def test_topics_answer_what_is_trusted(site) -> None:
    site.release("one")
    site.run()
    site.commit()
    site.release("two")
    with site.drill.open() as appliance:
        site.site.run_in(appliance)
    answer = site.internal("system")
    assert answer.status == "ok"
    assert answer.data["path"] == store_path("two")
    assert answer.data["before"] == [store_path("one")]
    assert site.internal("expectations").status != "ok"
    assert site.internal("host").data["access_path"] == ["unit:ssh.service"]


def test_rings_decide_who_runs_it_first(site) -> None:
    site.release("one")
    site.run()
    site.commit(CANARY_FILES)
    site.fleet.approve("bob")
    site.commit()
    site.release("two")
    status = site.status()
    assert status.trusted.path == store_path("one")
    assert status.trusted.waiting == site.fleet.head
    assert "ring rest is not open" in status.ring
    revision = revision_of({TARGET: system("two")})
    site.commit({"policies/promotions.yaml": PROMOTED.format(revision=revision)})
    site.fleet.approve("bob")
    status = site.status()
    assert (status.trusted.path, status.trusted.waiting) == (store_path("two"), None)


def test_a_ring_that_closes_takes_nothing_back(site) -> None:
    site.release("one")
    site.run()
    site.commit(CANARY_FILES)
    site.fleet.approve("bob")
    trusted = site.status().trusted
    assert (trusted.path, trusted.waiting) == (store_path("one"), None)


def test_a_host_whose_ring_was_never_open_has_no_system(site) -> None:
    site.commit(CANARY_FILES)
    site.fleet.approve("bob")
    site.release("one")
    status = site.status()
    assert (status.trusted, status.in_force) == (None, None)
    assert site.internal("system").status == "absent"
    assert "ring rest is not open" in site.internal("system").reason

"""What the helper trusts, found out by itself beside a daemon that may be somebody else's."""

from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest

from reconciler import load_settings
from reconciler.desired.objects import MirrorDamaged
from reconciler.engine.appliance import fleet_source, mirror_path
from reconciler.engine.helping import OwnTrust
from tests.support.drill import HOST
from tests.support.release_drill import TARGET, ReleaseDrill, new_release_drill
from tests.support.releases import store_path
from tests.support.trust_fleet import POLICY, POLICY_TEXT
from tests.support.trust_signing import fingerprint

pytestmark = pytest.mark.integration

ACCEPTED = "refs/accepted/main"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> ReleaseDrill:
    made = new_release_drill(tmp_path_factory.mktemp("fresh") / "site")
    made.release("one")
    made.run()
    return made


@pytest.fixture
def site(fresh: ReleaseDrill, tmp_path: Path) -> ReleaseDrill:
    return fresh.copied(tmp_path / "site")


@pytest.fixture
def trust(site: ReleaseDrill, tmp_path: Path) -> Callable[[], OwnTrust]:
    home = load_settings(Path(site.drill.site.settings))
    return lambda: OwnTrust(home, site.drill.clock.now, tmp_path / "helper")


def claims(site: ReleaseDrill, commit: str) -> None:
    """The daemon says that it accepted a commit."""
    home = load_settings(Path(site.drill.site.settings))
    repository = pygit2.Repository(str(mirror_path(home)))
    repository.references.create(ACCEPTED, commit, force=True)


def test_it_names_the_system_that_the_appliance_trusts(
    site: ReleaseDrill, trust: Callable[[], OwnTrust]
) -> None:
    said = trust()("system")
    assert (said.status, said.data["path"]) == ("ok", store_path("one"))
    assert said.data["closure_sha256"] is not None
    assert trust()("host").data["name"] == TARGET == f"example-clinic/{HOST}"
    assert trust()("ledger").status == "unsupported"
    assert "unix_s" in trust()("now").data
    site.commit()
    site.release("two")
    site.run()
    assert trust()("system").data["path"] == store_path("two")


def test_a_daemon_that_was_taken_over_cannot_lead_it_back_or_astray(
    site: ReleaseDrill, trust: Callable[[], OwnTrust], tmp_path: Path
) -> None:
    older = site.fleet.head
    newer = site.commit()
    site.run()
    assert trust()("system").status == "ok"

    claims(site, older)
    back = trust()("system")
    assert back.status == "denied"
    assert "the helper trusts nothing here" in back.reason

    evil = site.fleet.commit("mallory", {"docs/x.md": "x\n"}, move=False)
    site.fleet.release("mallory", evil, systems={})
    site.run()
    mirror = mirror_path(load_settings(Path(site.drill.site.settings)))
    packed = pygit2.Repository(str(mirror))
    source = pygit2.Repository(str(site.fleet.path))
    for oid in source.odb:
        if oid not in packed.odb:
            packed.odb.write(*source.odb.read(oid))
    claims(site, evil)
    assert trust()("system").status == "denied"

    claims(site, newer)
    assert trust()("system").status == "ok"
    assert (tmp_path / "helper").stat().st_mode & 0o777 == 0o700


def test_a_daemon_that_hides_the_newest_release_brings_no_older_one_back(
    site: ReleaseDrill, trust: Callable[[], OwnTrust]
) -> None:
    newer = site.release("two", site.commit())
    site.run()
    assert trust()("system").data["path"] == store_path("two")

    site.fleet.put(newer, None)
    site.run()
    said = trust()("system")
    assert (said.status, said.data["path"]) == ("ok", store_path("two"))


def test_a_key_that_was_revoked_is_trusted_no_more_by_the_helper_either(
    site: ReleaseDrill, trust: Callable[[], OwnTrust]
) -> None:
    assert trust()("system").status == "ok"
    revoked = f'{{key: "{fingerprint("ci")}", effective: "{site.fleet.moment(1)}", reason: stolen}}'
    site.commit({POLICY: f"{POLICY_TEXT}revoked: [{revoked}]\n"})
    site.fleet.approve("bob")
    site.run()
    assert trust()("system").status == "absent"


def test_nothing_is_made_where_the_mirror_is_gone(
    site: ReleaseDrill, trust: Callable[[], OwnTrust]
) -> None:
    """Who owns the folder could lead what root makes there to anywhere."""
    home = load_settings(Path(site.drill.site.settings))
    mirror = mirror_path(home)
    mirror.rename(mirror.with_name("fleet.git.old"))
    with pytest.raises(MirrorDamaged, match="no mirror"):
        fleet_source(home, borrowed=True).attestations()
    assert not mirror.exists()
    assert trust()("system").status == "denied"
    assert not mirror.exists()


@pytest.mark.parametrize("text", [b"", b"{}", b'{"commit":"x"}', b"x" * 5000])
def test_a_memory_that_is_garbled_or_others_can_change_trusts_nothing(
    trust: Callable[[], OwnTrust], tmp_path: Path, text: bytes
) -> None:
    assert trust()("system").status == "ok"
    file = tmp_path / "helper" / "accepted.json"
    whole = file.read_bytes()
    file.write_bytes(text)
    assert trust()("system").status == "denied"
    file.write_bytes(whole)
    file.chmod(0o666)
    said = trust()("system")
    assert (said.status, "can be changed by others" in said.reason) == ("denied", True)


def test_without_a_mirror_or_before_the_first_run_it_trusts_nothing(
    site: ReleaseDrill, trust: Callable[[], OwnTrust]
) -> None:
    home = load_settings(Path(site.drill.site.settings))
    repository = pygit2.Repository(str(mirror_path(home)))
    repository.references.delete(ACCEPTED)
    assert trust()("system").status == "denied"
    mirror_path(home).rename(mirror_path(home).with_name("gone"))
    assert "no mirror of the fleet" in trust()("system").reason

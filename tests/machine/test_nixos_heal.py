"""Drift of a NixOS host, put right by the whole engine: found, planned, activated again, seen gone.

What each kind of change is called is in `test_nixos_drift`; here it is said what a run does about
it. Rules that the rig itself breaks (Debian's jobs, PAM and authorities) are left out.
"""

from collections.abc import Iterator

import pytest

from tests.machine.test_nixos_drift import CHANGES, Change
from tests.support.nixos_clinic import NixosClinic
from tests.support.nixos_guest import NixosGuest, NixosSite

pytestmark = pytest.mark.nix

DECLARED = (
    "nixos-accounts",
    "nixos-firewall",
    "nixos-keys",
    "nixos-setuid",
    "nixos-sshd",
    "nixos-sysctl",
    "nixos-time",
)
STORE = "nixos-store-verified"
OF_RULES = {f"LNX-EXP-{number:03}" for number in (3, 4, 5, 7, 9, 10, 11)}
VERIFY = "reconciler-store-verify.service"
UNIT = "[Service]\nType=oneshot\nExecStart=reconciler store verify\nSuccessExitStatus=1 3\n"


@pytest.fixture(scope="module")
def machine(nixos: NixosSite) -> Iterator[NixosGuest]:
    with nixos.boot("heal") as guest:
        guest.wait_for_clock()
        guest.run("mkdir", "-p", "/var/lib/reconciler")
        guest.run("reconciler", "store", "verify")
        yield guest


@pytest.fixture(scope="module")
def clinic(nixos: NixosSite, machine: NixosGuest) -> NixosClinic:
    made = NixosClinic.enrol(nixos, machine, rules=("nixos-system", STORE, *DECLARED))
    assert made.run().failing(before=True) == set()
    return made


def change(clinic: NixosClinic, *, nix_owns: bool) -> list[Change]:
    """Make every change of the rules that Nix does, or does not, take back."""
    chosen = [c for c in CHANGES if c.found[0] in OF_RULES and (not c.undo) is nix_owns]
    extra = [c for c in CHANGES if nix_owns and c.name == "chrony.service" and c.check == 1]
    clinic.guest.run("sh", "-ec", "\n".join(one.script for one in (*extra, *chosen)))
    return chosen


def test_what_nix_owns_is_put_back_by_one_activation(clinic: NixosClinic) -> None:
    before = clinic.where()
    change(clinic, nix_owns=True)
    told = clinic.run()
    assert told.failing(before=True) == set(DECLARED)
    assert told.results() == [("RB-DRIFT-002", "healed")]
    assert set(told.outcome("RB-DRIFT-002")["rules"]) == set(DECLARED)
    assert told.failing(before=False) == set()
    assert clinic.where() == before
    clinic.at_rest()
    clinic.verify()


def test_what_nobody_declared_is_named_and_left_to_people(clinic: NixosClinic) -> None:
    made = change(clinic, nix_owns=False)
    told = clinic.run()
    assert told.results() == []
    assert told.failing(before=False) == {"nixos-keys", "nixos-setuid"}
    named = {
        name
        for finding in told.document["findings"]
        for name in finding["observed"].get("undeclared", ())
    }
    assert named == {one.name for one in made}
    clinic.guest.run("sh", "-ec", "\n".join(one.undo for one in made))
    assert clinic.run().failing(before=True) == set()
    clinic.verify()


def test_a_path_that_does_not_verify_is_fetched_again(clinic: NixosClinic) -> None:
    guest = clinic.guest
    program = guest.run("sh", "-c", "command -v reconciler").stdout.strip()
    guest.write(f"/run/systemd/system/{VERIFY}", UNIT.replace("=reconciler", f"={program}"))
    guest.run("systemctl", "daemon-reload")
    file = guest.run("readlink", "-f", "/etc/nix/nix.conf").stdout.strip()
    kept = guest.read(file)
    guest.run("sh", "-ec", f"chmod u+w {file}; echo '# more' >> {file}")
    guest.run("systemctl", "start", VERIFY)
    told = clinic.run()
    assert told.failing(before=True) == {STORE}
    assert told.results() == [("RB-STORE-001", "healed")]
    assert told.failing(before=False) == set()
    assert guest.read(file) == kept
    clinic.verify()

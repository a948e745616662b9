"""A sealed key reaches a service without root, through a real systemd, and nobody else."""

import pytest

from tests.support.guest import Guest

pytestmark = pytest.mark.machine

DIRECTORY = "/var/lib/elm"
SEALED = f"{DIRECTORY}/keys/appliance.cred"
LOAD = """
import os
from pathlib import Path
from reconciler.evidence import sshsig
from reconciler.ledger import keys, sealed_keys
directory = Path(os.environ["CREDENTIALS_DIRECTORY"])
key = sealed_keys.load_reference("credential:appliance", Path, directory)
print(os.getuid() != 0, sshsig.public_text(keys.public(key)))
"""


@pytest.fixture
def line(shared_guest: Guest) -> str:
    """The public line of a key that the guest made and sealed to its host key."""
    place = ("--client", "elm", "--host", "front", "--directory", DIRECTORY)
    shared_guest.run("reconciler", "keys", "enroll", *place, "--protect", "host")
    return shared_guest.run("cat", f"{DIRECTORY}/keys/appliance.pub").stdout


def python(guest: Guest) -> list[str]:
    """The interpreter of the guest's ``reconciler``, with its options."""
    program = guest.run("sh", "-c", "command -v reconciler").stdout.strip()
    return guest.run("head", "-n1", program).stdout.strip().removeprefix("#!").split()


def service(guest: Guest, *properties: str) -> tuple[int, str, str]:
    """Run the loading as a service of a user that exists only for it."""
    options = [f"--property={text}" for text in ("DynamicUser=yes", *properties)]
    done = guest.run(
        *("systemd-run", "--wait", "--pipe", "--quiet", *options, *python(guest), "-c", LOAD),
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_service_without_root_gets_the_key(shared_guest: Guest, line: str) -> None:
    code, out, err = service(shared_guest, f"LoadCredentialEncrypted=appliance:{SEALED}")
    assert code == 0, err
    assert out == f"True {' '.join(line.split()[:2])}\n"


def test_what_is_on_the_disk_is_sealed(shared_guest: Guest, line: str) -> None:
    names = shared_guest.run("ls", f"{DIRECTORY}/keys").stdout.split()
    assert names == ["appliance.cred", "appliance.pub"]
    assert line.rstrip().endswith("elm/front")
    found = shared_guest.run("grep", "-c", "OPENSSH PRIVATE KEY", SEALED, check=False)
    assert found.stdout == "0\n"


def test_under_another_name_it_does_not_open(shared_guest: Guest, line: str) -> None:
    assert line
    code, out, _ = service(shared_guest, f"LoadCredentialEncrypted=other:{SEALED}")
    assert (code != 0, out) == (True, "")


def test_a_service_that_is_not_given_it_cannot_read_it(shared_guest: Guest, line: str) -> None:
    assert line
    code, out, err = service(shared_guest, "Environment=CREDENTIALS_DIRECTORY=/var/lib/elm/keys")
    assert (code != 0, out) == (True, "")
    assert "KeyMissing" in err

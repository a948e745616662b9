"""Keys sealed by the real systemd-creds to a software TPM, and how a service gets its key."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from reconciler.errors import EvidenceError, InputError, KeyMissing, MachineError
from reconciler.evidence import sshsig
from reconciler.ledger import keys, sealed_keys
from reconciler.ledger.sealed_keys import KeyFile, Protection
from reconciler.targets.linux.credentials import MAX_SEALED, MAX_SECRET, SystemdCreds
from tests.support.rigs import rig
from tests.support.tpm import (
    FreshTpm,
    NoSealer,
    extend,
    require_creds,
    require_tpm,
    software_tpm,
)

pytestmark = pytest.mark.integration


def place_in(directory: Path) -> KeyFile:
    return KeyFile.at(directory / "evidence-key")


def test_a_key_sealed_to_the_tpm_opens_there_only(tmp_path: Path) -> None:
    require_tpm()
    place, tpm = place_in(tmp_path), FreshTpm(tmp_path / "tpm")
    key = sealed_keys.make(place, "elm/front", Protection.TPM, tpm)
    assert keys.public(sealed_keys.load(place, tpm)) == keys.public(key)
    with pytest.raises(MachineError, match="systemd-creds decrypt exited with 1"):
        sealed_keys.load(place, FreshTpm(tmp_path / "another machine"))


def test_nothing_but_the_sealed_and_the_public_half_is_written(tmp_path: Path) -> None:
    require_tpm()
    place, state = place_in(tmp_path), tmp_path / "tpm"
    key = sealed_keys.make(place, "elm/front", Protection.TPM, FreshTpm(state))
    files = {file.name: file for file in tmp_path.iterdir() if file.is_file()}
    assert sorted(files) == ["evidence-key.cred", "evidence-key.pub"]
    assert files["evidence-key.cred"].stat().st_mode & 0o777 == 0o600
    line = sshsig.public_line(keys.public(key), "elm/front")
    assert files["evidence-key.pub"].read_text() == f"{line}\n"
    seed = key.private_bytes_raw()
    for file in (*tmp_path.rglob("*"),):
        assert file.is_dir() or seed not in file.read_bytes()


def test_another_state_of_the_machine_does_not_open_it(tmp_path: Path) -> None:
    require_tpm()
    with software_tpm(tmp_path / "tpm") as device:
        extend(device, 7)
        creds = SystemdCreds(device)
        sealed = creds.seal("evidence-key", b"secret", "tpm2")
        assert creds.unseal("evidence-key", sealed) == b"secret"
        extend(device, 7)
        with pytest.raises(MachineError, match="decrypt exited"):
            creds.unseal("evidence-key", sealed)


def test_a_sealed_key_has_one_name(tmp_path: Path) -> None:
    require_tpm()
    tpm = FreshTpm(tmp_path / "tpm")
    sealed = tpm.seal("evidence-key", b"secret", "tpm2")
    with pytest.raises(MachineError, match="does not match"):
        tpm.unseal("another-key", sealed)


def test_a_damaged_sealed_key_does_not_open(tmp_path: Path) -> None:
    require_tpm()
    place, tpm = place_in(tmp_path), FreshTpm(tmp_path / "tpm")
    sealed_keys.make(place, "elm/front", Protection.TPM, tpm)
    data = bytearray(place.sealed.read_bytes())
    data[-20] ^= 1
    place.sealed.write_bytes(data)
    with pytest.raises(MachineError, match="decrypt exited"):
        sealed_keys.load(place, tpm)


def test_without_a_tpm_there_is_no_sealing_to_one(tmp_path: Path) -> None:
    require_creds()
    place = place_in(tmp_path)
    with pytest.raises(MachineError) as caught:
        sealed_keys.make(
            place, "elm/front", Protection.TPM, SystemdCreds(f"swtpm:path={tmp_path}/none")
        )
    assert "--protect host" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_key_sealed_to_the_host_key(tmp_path: Path) -> None:
    """In a mount namespace of its own: the host's real key is neither made nor used."""
    require_creds()
    program = (
        "from pathlib import Path; import sys;"
        "from reconciler.ledger import keys, sealed_keys as s;"
        "from reconciler.targets.linux.credentials import SystemdCreds;"
        "place = s.KeyFile.at(Path(sys.argv[1]) / 'evidence-key');"
        "key = s.make(place, 'elm/front', s.Protection.HOST, SystemdCreds());"
        "assert keys.public(s.load(place, SystemdCreds())) == keys.public(key);"
        "print(s.protection_of(place))"
    )
    inside = 'mount -t tmpfs none /var/lib/systemd && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", inside, "sh", sys.executable, "-c", program]
    ran = subprocess.run(
        [*command, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    if "Operation not permitted" in ran.stderr or "unshare failed" in ran.stderr:
        rig("host key", "a mount namespace needs root")
    assert (ran.returncode, ran.stdout) == (0, "sealed\n"), ran.stderr


class Broken(NoSealer):
    """Seals what never opens again, as systemd 252 did when it was given no register."""

    def seal(self, name: str, secret: bytes, with_key: Literal["tpm2", "host"]) -> bytes:
        return b"sealed"

    def unseal(self, name: str, sealed: bytes) -> bytes:
        return b"something else"


def test_what_does_not_open_again_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="does not open as it was"):
        sealed_keys.make(place_in(tmp_path), "elm/front", Protection.TPM, Broken())
    assert list(tmp_path.iterdir()) == []


class Machine(NoSealer):
    """A machine that has what it is said to have."""

    def __init__(self, systemd: bool, tpm: bool) -> None:
        self.systemd, self.tpm = systemd, tpm

    def available(self) -> bool:
        return self.systemd

    def has_tpm(self) -> bool:
        return self.tpm


def test_the_strongest_protection_there_is() -> None:
    assert sealed_keys.best(Machine(systemd=True, tpm=True)) is Protection.TPM
    assert sealed_keys.best(Machine(systemd=True, tpm=False)) is Protection.HOST
    assert sealed_keys.best(Machine(systemd=False, tpm=False)) is Protection.FILE


def test_a_plain_key_is_a_file_for_its_owner(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    assert sealed_keys.protection_of(place) == "none"
    key = sealed_keys.make(place, "elm/front", Protection.FILE, NoSealer())
    assert place.path.stat().st_mode & 0o777 == 0o600
    assert keys.public(sealed_keys.load(place, NoSealer())) == keys.public(key)
    assert sealed_keys.protection_of(place) == "file"


@pytest.mark.parametrize("suffix", ["", ".cred", ".pub"])
def test_no_key_is_overwritten(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"evidence-key{suffix}").write_text("there")
    for protection in Protection:
        with pytest.raises(InputError, match="file already"):
            sealed_keys.make(place_in(tmp_path), "elm/front", protection, Broken())
    assert [file.read_text() for file in tmp_path.iterdir()] == ["there"]


def test_two_private_halves_are_one_too_many(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    sealed_keys.make(place, "elm/front", Protection.FILE, NoSealer())
    place.sealed.write_bytes(b"sealed")
    with pytest.raises(KeyMissing, match="so is"):
        sealed_keys.load(place, NoSealer())


@pytest.mark.parametrize("name", ["-x", "a b", "a/../b\0", "é", "x" * 101])
def test_odd_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name"):
        KeyFile.at(tmp_path / name)


def test_a_credential_file_stands_for_its_key(tmp_path: Path) -> None:
    assert KeyFile.at(tmp_path / "evidence-key.cred") == place_in(tmp_path)


def reference(text: str, base: Path, credentials: Path | None) -> bytes:
    return keys.public(sealed_keys.load_reference(text, lambda path: base / path, credentials))


def test_a_service_gets_its_key_from_a_file_or_from_systemd(tmp_path: Path) -> None:
    key = keys.generate(tmp_path / "evidence-key", "elm/front")
    assert reference("evidence-key", tmp_path, None) == keys.public(key)
    assert reference("credential:evidence-key", Path("/none"), tmp_path) == keys.public(key)


def test_a_credential_that_was_not_passed_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="no credentials were passed") as caught:
        reference("credential:evidence-key", tmp_path, None)
    assert "LoadCredentialEncrypted" in caught.value.hint
    with pytest.raises(KeyMissing, match="does not exist"):
        reference("credential:evidence-key", tmp_path, tmp_path)


@pytest.mark.parametrize("name", ["", "..", "../evidence-key", "a/b"])
def test_a_credential_has_a_name_and_no_path(tmp_path: Path, name: str) -> None:
    keys.generate(tmp_path / "evidence-key", "elm/front")
    (tmp_path / "a").mkdir()
    with pytest.raises(KeyMissing, match="not the name of a credential"):
        reference(f"credential:{name}", tmp_path, tmp_path / "a")


def test_the_mask_of_an_access_list_is_no_group(tmp_path: Path) -> None:
    """systemd grants a credential to the unit's user by a list; the file shows mode 0440."""
    key = keys.generate(tmp_path / "evidence-key", "elm/front")
    file = tmp_path / "evidence-key"
    file.chmod(0o440)
    if file.stat().st_uid != 0 or file.stat().st_gid != 0:
        rig("credential of root", "not root")
    assert reference("credential:evidence-key", tmp_path, tmp_path) == keys.public(key)
    for mode in (0o460, 0o444, 0o441, 0o640 | 0o020):
        file.chmod(mode)
        with pytest.raises(KeyMissing, match="used by others"):
            reference("credential:evidence-key", tmp_path, tmp_path)
    file.chmod(0o440)
    with pytest.raises(KeyMissing, match="used by others"):
        reference("evidence-key", tmp_path, None)


def program(directory: Path, script: str) -> SystemdCreds:
    """A stand-in for systemd-creds that behaves badly."""
    file = directory / "systemd-creds"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    if file.stat().st_uid != 0:
        rig("a program of root's", "not root")
    return SystemdCreds(directories=(str(directory),))


def test_a_program_that_never_ends_is_killed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("reconciler.targets.linux.credentials._TIMEOUT_S", 0.3)
    creds = program(tmp_path, "exec sleep 60")
    with pytest.raises(MachineError, match="did not end"):
        creds.unseal("evidence-key", b"sealed")


def test_a_program_that_writes_without_end_is_killed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("reconciler.targets.linux.credentials._TIMEOUT_S", 0.5)
    creds = program(tmp_path, "exec cat /dev/zero")
    with pytest.raises(MachineError, match="did not end"):
        creds.unseal("evidence-key", b"sealed")


def test_a_program_that_does_not_read_is_no_trouble(tmp_path: Path) -> None:
    creds = program(tmp_path, "echo opened; exit 0")
    assert creds.unseal("evidence-key", b"s" * MAX_SEALED) == b"opened\n"
    with pytest.raises(MachineError, match="exited with 3: no key here"):
        program(tmp_path, "echo no key here >&2; exit 3").unseal("evidence-key", b"sealed")


def test_the_secret_is_in_no_argument_and_no_environment(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    creds = program(tmp_path, f'echo "$@" > {seen}; env >> {seen}; cat')
    assert creds.seal("evidence-key", b"the secret", "host") == b"the secret"
    text = seen.read_text()
    assert text.startswith("encrypt --name=evidence-key --with-key=host - -\n")
    assert "the secret" not in text
    assert "PATH=/root" not in text


def test_a_program_that_others_could_change_is_not_started(tmp_path: Path) -> None:
    creds = program(tmp_path, "echo opened")
    (tmp_path / "systemd-creds").chmod(0o777)
    with pytest.raises(MachineError, match="can be changed by others"):
        creds.unseal("evidence-key", b"sealed")
    assert not creds.available()


def test_without_the_program_nothing_is_available(tmp_path: Path) -> None:
    creds = SystemdCreds(directories=(str(tmp_path),))
    assert not creds.available()
    with pytest.raises(MachineError, match="not installed"):
        creds.has_tpm()


def test_sizes_are_limited() -> None:
    with pytest.raises(MachineError, match="too large"):
        SystemdCreds().seal("evidence-key", b"x" * (MAX_SECRET + 1), "host")
    with pytest.raises(MachineError, match="too large"):
        SystemdCreds().unseal("evidence-key", b"x" * (MAX_SEALED + 1))

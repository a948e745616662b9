import subprocess
from pathlib import Path

import pytest

from reconciler.errors import InputError, KeyMissing, MachineError
from reconciler.evidence import sshsig
from reconciler.ledger import keys

pytestmark = pytest.mark.integration


def made(path: Path, *arguments: str) -> Path:
    command = ["ssh-keygen", "-q", "-C", "", "-f", str(path), *arguments]
    subprocess.run(command, check=True, timeout=30)
    return path


def test_a_generated_key_is_private_and_comes_back(tmp_path: Path) -> None:
    key = keys.generate(tmp_path / "key", "smile/desk")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert keys.public(keys.load(tmp_path / "key")) == keys.public(key)
    line = (tmp_path / "key.pub").read_text()
    assert line == sshsig.public_line(keys.public(key), "smile/desk") + "\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "key.pub"]


def test_openssh_reads_our_keys_and_we_read_openssh_keys(tmp_path: Path) -> None:
    key = keys.generate(tmp_path / "ours", "smile/desk")
    command = ["ssh-keygen", "-y", "-f", str(tmp_path / "ours")]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
    assert shown.split()[:2] == sshsig.public_text(keys.public(key)).split()
    theirs = made(tmp_path / "theirs", "-t", "ed25519", "-N", "")
    text = sshsig.public_text(keys.public(keys.load(theirs)))
    assert (tmp_path / "theirs.pub").read_text().split()[:2] == text.split()


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    keys.generate(tmp_path / "key", "a")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(InputError, match="never overwritten"):
        keys.generate(tmp_path / "key", "b")
    (tmp_path / "key.pub").unlink()
    with pytest.raises(InputError, match="never overwritten"):
        keys.generate(tmp_path / "key", "b")
    assert (tmp_path / "key").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="nowhere"):
        keys.generate(tmp_path / "nowhere" / "key", "a")


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="does not exist") as caught:
        keys.load(tmp_path / "key")
    assert "keys generate" in caught.value.hint


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o644, 0o777])
def test_a_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    keys.generate(tmp_path / "key", "a")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(KeyMissing, match=f"{mode:04o}") as caught:
        keys.load(tmp_path / "key")
    assert "chmod 600" in caught.value.hint


def test_links_and_other_things_are_refused(tmp_path: Path) -> None:
    keys.generate(tmp_path / "key", "a")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    with pytest.raises(KeyMissing, match="cannot be opened") as refused:
        keys.load(tmp_path / "link")
    assert "generate" not in refused.value.hint, "there is one"
    (tmp_path / "directory").mkdir(mode=0o700)
    with pytest.raises(KeyMissing, match="not a plain file"):
        keys.load(tmp_path / "directory")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-t", "rsa", "-b", "2048", "-N", ""), "not an Ed25519"),
        (("-t", "ecdsa", "-N", ""), "not an Ed25519"),
        (("-t", "ed25519", "-N", "secret"), "without a passphrase"),
        (("-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"), "not a plain OpenSSH"),
    ],
)
def test_other_types_of_key_are_refused(tmp_path: Path, arguments, says: str) -> None:
    with pytest.raises(KeyMissing, match=says):
        keys.load(made(tmp_path / "key", *arguments))


@pytest.mark.parametrize("data", [b"", b"garbage", b"x" * (keys.MAX_BYTES + 1)])
def test_what_is_no_key_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(data)
    with pytest.raises(KeyMissing, match=str(path)):
        keys.load(path)

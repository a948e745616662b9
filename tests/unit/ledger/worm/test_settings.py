"""What may be set, and how credentials are read."""

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import InputError
from reconciler.ledger.worm.settings import StoreSettings, read_secret

GOOD: dict[str, Any] = {
    "endpoint": "https://s3.eu-central-1.example.org",
    "bucket": "evidence",
    "region": "eu-central-1",
    "prefix": "msp/",
    "access_key_file": Path("id"),
    "secret_key_file": Path("secret"),
}


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "https://s3.example.org:9000"},
        {"endpoint": "https://[2001:db8::1]:9000"},
        {"endpoint": "http://127.0.0.1:9000"},
        {"endpoint": "http://[::1]:9000"},
        {"prefix": ""},
        {"prefix": "a/b-c/d_1.x/"},
        {"years": 10},
    ],
)
def test_these_can_be_meant(change: dict[str, Any]) -> None:
    assert StoreSettings(**{**GOOD, **change}).bucket == "evidence"


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "http://s3.example.org"},
        {"endpoint": "http://127.0.0.1.example.org"},
        {"endpoint": "https://user:word@s3.example.org"},
        {"endpoint": "https://s3.example.org/"},
        {"endpoint": "https://s3.example.org/path"},
        {"endpoint": "https://s3.example.org?x=1"},
        {"endpoint": "https://s3.example.org#x"},
        {"endpoint": "https://s3.example.org:port"},
        {"endpoint": "https://s3.example.org\n"},
        {"endpoint": "https://[::1"},
        {"endpoint": "ftp://s3.example.org"},
        {"endpoint": "https://"},
        {"endpoint": ""},
        {"bucket": "Evidence"},
        {"bucket": "e"},
        {"bucket": "a/b"},
        {"bucket": "evidence\n"},
        {"region": ""},
        {"region": "eu central"},
        {"prefix": "/"},
        {"prefix": "msp"},
        {"prefix": "../x/"},
        {"prefix": "a//"},
        {"years": 5},
        {"years": 600},
    ],
)
def test_these_cannot(change: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refused:
        StoreSettings(**{**GOOD, **change})
    assert refused.value.hint


def write(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_credential_is_one_line_with_or_without_its_end(tmp_path: Path) -> None:
    for number, data in enumerate((b"AKIAEXAMPLE", b"AKIAEXAMPLE\n")):
        assert read_secret(write(tmp_path / str(number), data)) == "AKIAEXAMPLE"
    assert read_secret(write(tmp_path / "group", b"abc", 0o440)) == "abc"


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"ab", b"a b c", b"one\ntwo\n", b"x" * 257, b"caf\xc3\xa9", b"abc\x00"]
)
def test_anything_else_is_refused_and_not_repeated(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match="does not hold one line") as refused:
        read_secret(write(tmp_path / "secret", data))
    assert data.decode("utf-8").strip() == "" or data.decode("utf-8") not in str(refused.value)


@pytest.mark.parametrize("mode", [0o604, 0o660, 0o642, 0o610])
def test_a_credential_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(InputError, match="can be used by others"):
        read_secret(write(tmp_path / "secret", b"abcdef", mode))


def test_what_is_not_a_plain_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_secret(tmp_path / "missing")
    with pytest.raises(InputError, match="not a plain file"):
        read_secret(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(InputError, match="not a plain file"):
        read_secret(tmp_path / "pipe")

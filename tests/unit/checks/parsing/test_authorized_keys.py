"""Keys and their fingerprints; the expected ones come from ``ssh-keygen -l``."""

import base64
import time

import pytest

from reconciler.checks.parsing.authorized_keys import PROBES, homes_elsewhere, read_keys
from reconciler.model.answer import Answer, Answers
from reconciler.model.probe import ReadFile, ReadGlob

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
FINGERPRINT = "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA"
PASSWD = "root:x:0:0:root:/root:/bin/bash\n"


def answers(text: str, passwd: str = PASSWD) -> Answers:
    given = {probe: Answer("ok", []) for probe in PROBES if isinstance(probe, ReadGlob)}
    place = ReadGlob("/root/.ssh/authorized_keys")
    file = {"path": "/root/.ssh/authorized_keys", "status": "ok", "text": text}
    return Answers(
        {**given, place: Answer("ok", [file]), ReadFile("/etc/passwd"): Answer("ok", passwd)}
    )


@pytest.mark.parametrize(
    "line",
    [
        f"ssh-ed25519 {BLOB}",
        f"  ssh-ed25519\t{BLOB} j.doe@clinic.example  ",
        f'from="192.0.2.7",command="say \\"hi there\\" # x" ssh-ed25519 {BLOB} x',
        f"cert-authority ssh-ed25519 {BLOB}",
    ],
)
def test_a_key_is_known_by_its_fingerprint_with_and_without_options(line: str) -> None:
    found = read_keys(answers(f"# note\n\n{line}\n"))
    assert [key.fingerprint for key in found.keys] == [FINGERPRINT]
    assert (found.files, found.not_understood) == (1, 0)


@pytest.mark.parametrize(
    "line",
    [
        "ssh-ed25519",
        "ssh-ed25519 not-base64",
        "ssh-ed25519 " + base64.b64encode(b"\x00\x00\x00\x07ssh-rsa").decode(),
        "ssh-ed25519 " + base64.b64encode(b"\x7f\xff\xff\xff").decode(),
        f"ssh-rsa {BLOB}",
        '"never closed ssh-ed25519 ' + BLOB,
        "\u00e9\udcff",
    ],
)
def test_a_line_that_is_no_key_here_is_counted(line: str) -> None:
    found = read_keys(answers(line))
    assert (found.keys, found.files, found.not_understood) == ((), 0, 1)


def test_nothing_that_names_a_person_leaves() -> None:
    found = read_keys(answers(f'environment="WHO=Jane Doe" ssh-ed25519 {BLOB} jane@clinic.example'))
    assert "ane" not in repr(found)


@pytest.mark.parametrize(
    ("line", "elsewhere"),
    [
        ("a:x:1:1::/home/a:/bin/sh", 0),
        ("a:x:1:1::/var/lib/postgresql:/bin/bash", 0),
        ("a:x:1:1::/usr/local/a:/bin/bash", 1),
        ("a:x:1:1::/home/a/b:/bin/bash", 1),
        ("a:x:1:1::/home/../etc:/bin/bash", 1),
        ("a:x:1:1::/nonexistent:/usr/sbin/nologin", 0),
        ("a:x:1:1::/elsewhere:", 1),
    ],
)
def test_accounts_with_a_shell_and_a_home_in_another_place_are_counted(
    line: str, elsewhere: int
) -> None:
    assert homes_elsewhere(PASSWD + line) == elsewhere


@pytest.mark.parametrize("line", ['"' + '\\"' * 30_000, '"' * 60_001, "a " * 30_000])
def test_a_long_line_costs_little(line: str) -> None:
    start = time.monotonic()
    assert read_keys(answers(line)).not_understood == 1
    assert time.monotonic() - start < 1

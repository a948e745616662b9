"""``reconciler witness`` as its users run it: once, and as a service."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli.witness import command
from reconciler.errors import Busy, InputError, LedgerMissing
from reconciler.evidence import note
from reconciler.ledger import keys
from tests.support.ledger_rig import Rig, filled
from tests.support.witness_rig import ORIGIN, checkpointed, clone_of

pytestmark = pytest.mark.integration


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = filled(tmp_path)
    checkpointed(rig, 2)
    keys.generate(tmp_path / "witness.key", "witness/hub")
    return rig


def arguments(rig: Rig, *more: str, repository: Path | None = None) -> list[str]:
    directory = rig.directory
    return [
        str(repository or rig.path),
        *("--ledger", str(directory / "witness.git")),
        *("--key", str(directory / "witness.key")),
        *("--name", "hub"),
        *("--signers", str(rig.signers_file)),
        *more,
    ]


def run(rig: Rig, *more: str, repository: Path | None = None) -> tuple[object, Result]:
    result = CliRunner().invoke(
        command, arguments(rig, *more, repository=repository), standalone_mode=False
    )
    return result.return_value, result


def test_it_begins_once_and_then_vouches_for_growth(rig: Rig) -> None:
    code, result = run(rig, "--begin")
    assert (code, result.output.split()[:2]) == (0, ["COSIGNED", ORIGIN])
    code, result = run(rig)
    assert (code, result.output.split()[0]) == (0, "UNCHANGED")
    _, result = run(rig, "--begin")
    assert isinstance(result.exception, InputError)


def test_json_names_the_key_that_others_need(rig: Rig) -> None:
    _, result = run(rig, "--begin", "--json")
    document = json.loads(result.output)
    witness = note.parse_verifier_key(document["witness"]["verifierKey"])
    vouched = document["logs"][0]["vouchedFor"]
    assert note.cosignatures(vouched["note"], {witness.name: witness.public}).keys() == {
        "witness/hub"
    }


def test_a_second_history_exits_6(rig: Rig) -> None:
    other = clone_of(rig, "other")
    checkpointed(rig, 1, found="this")
    checkpointed(other, 1, found="that")
    assert run(rig, "--begin")[0] == 0
    code, result = run(rig, repository=other.path)
    assert (code, result.output.split()[0]) == (6, "REFUSED")
    assert "equivocation" in result.output


def test_a_lost_memory_is_not_begun_anew(rig: Rig) -> None:
    _, result = run(rig)
    assert isinstance(result.exception, LedgerMissing)


def test_help_teaches(rig: Rig) -> None:
    text = CliRunner().invoke(command, ["--help"]).output
    for words in ("exit 6", "--begin", "COSIGNED", "equivocation", "witness/NAME", "unix:/PATH"):
        assert words in text, rig.directory


def asked(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        return connection.makefile("rb").read()


def test_a_service_answers_until_it_is_told_to_stop(rig: Rig) -> None:
    run(rig, "--begin")
    checkpointed(rig, 1)
    path = rig.directory / "socket"
    code = (
        "import sys; from reconciler.cli.witness import command; "
        "sys.exit(command.main(sys.argv[1:], standalone_mode=False))"
    )
    service = subprocess.Popen(
        [sys.executable, "-c", code, *arguments(rig, "--serve", f"unix:{path}")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert service.stdout is not None
        assert service.stdout.readline() == f"witness answers at {path}\n"
        assert asked(path).startswith(b"HTTP/1.1 404")
        assert service.stdout.readline().startswith("COSIGNED")
        _, result = run(rig)
        assert isinstance(result.exception, Busy)
        begin = time.monotonic()
        service.send_signal(signal.SIGTERM)
        assert service.wait(20) == 0
        assert time.monotonic() - begin < 10
    finally:
        service.kill()
        service.communicate()
    assert not path.exists()
    assert run(rig)[0] == 0

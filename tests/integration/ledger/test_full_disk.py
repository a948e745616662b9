"""A full or read-only disk: the path is named, nothing is lost, and it goes on afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ledger_rig import make_rig
from tests.support.rigs import rig

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a mount of its own"),
]

CHILD = """
import os
import sys
from pathlib import Path
from reconciler.errors import MachineError
from reconciler.ledger import keys
from tests.support.ledger_rig import Rig

import subprocess
mount = Path(sys.argv[1])

rig = Rig(mount, keys.load(mount / "key"))
ledger = rig.create()
rig.run(ledger)

def refused(word):
    try:
        rig.run(ledger)
    except MachineError as error:
        assert str(rig.path) in error.message and word in error.message, error.message
        assert error.hint
        return True
    return False

filler = mount / "filler"
descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
try:
    while True:
        os.write(descriptor, bytes(4096))
except OSError:
    os.close(descriptor)
assert refused("No space left"), "a full disk was not noticed"
seq = ledger.tip.seq
filler.unlink()
assert rig.run(ledger).seq == seq + 1

subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
assert refused("Read-only"), "a read-only disk was not noticed"
subprocess.run(["mount", "-o", "remount,rw", str(mount)], check=True)
assert rig.run(ledger).seq == seq + 2

result = rig.verify()
assert result.ok, result.faults
assert result.sweep.leftovers == [], result.sweep.leftovers
print("proven", ledger.tip.seq)
"""


def test_full_then_read_only_then_well(tmp_path: Path) -> None:
    made = make_rig(tmp_path)
    mount = tmp_path / "mount"
    mount.mkdir()
    script = 'mount -t tmpfs -o size=2m none "$1" && cp "$2" "$3" "$1/" && exec "$4" -c "$5" "$1"'
    parts = [mount, tmp_path / "key", made.signers_file, sys.executable, CHILD]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", script, "sh", *map(str, parts)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
        timeout=60,
    )
    if "unshare failed" in done.stderr or "permission denied" in done.stderr.lower():
        rig("private mount", done.stderr.strip())
    assert done.returncode == 0, done.stderr
    assert done.stdout == "proven 3\n"

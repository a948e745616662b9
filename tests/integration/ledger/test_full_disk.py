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
import subprocess
import sys
from pathlib import Path
from reconciler.errors import MachineError
from reconciler.ledger import keys
from reconciler.ledger.packing.repack import repack
from tests.support.crash_driver import REF, checkpoint, slim_run
from tests.support.ledger_rig import Rig

mount = Path(sys.argv[1])
rig = Rig(mount, keys.load(mount / "key"))
ledger = rig.create()
rig.run(ledger)

ACTS = {
    "run": lambda: rig.run(ledger),
    "slim": lambda: slim_run(rig, ledger),
    "checkpoint": lambda: checkpoint(rig, ledger),
    "repack": lambda: repack(rig.path, REF),
}

def refused(act, word):
    try:
        act()
    except MachineError as error:
        assert str(rig.path) in error.message and word in error.message, error.message
        assert error.hint
        return True
    return False

def fill(leave):
    with (mount / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            os.ftruncate(file.fileno(), os.fstat(file.fileno()).st_size - 4096 * leave)

def loose():
    return len(list((rig.path / "objects").glob("[0-9a-f][0-9a-f]/*")))

for name, act in ACTS.items():
    # From no room at all to one page too few: it stops at another write each time.
    tries = 0
    while True:
        fill(tries)
        seq, objects = ledger.tip.seq, loose()
        if not refused(act, "No space left"):
            break
        assert ledger.tip.seq == seq and loose() >= objects, name
        assert rig.verify().ok, name
        (mount / "filler").unlink()
        tries += 1
    (mount / "filler").unlink()
    assert tries, f"a full disk was not noticed: {name}"
    assert ledger.tip.seq == seq + (name != "repack"), name
    print(name, tries)

seq = ledger.tip.seq
subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
for name, act in ACTS.items():
    assert refused(act, "Read-only"), f"a read-only disk was not noticed: {name}"
subprocess.run(["mount", "-o", "remount,rw", str(mount)], check=True)
assert rig.run(ledger).seq == seq + 1

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
    *tries, proven = done.stdout.splitlines()
    assert [line.split()[0] for line in tries] == ["run", "slim", "checkpoint", "repack"]
    # A run with a file is written in more pieces than one without.
    assert int(tries[0].split()[1]) > int(tries[1].split()[1]) >= 1
    assert proven == "proven 5"

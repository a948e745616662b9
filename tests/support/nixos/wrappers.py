#!/usr/bin/python3 -I
"""Put the declared setuid programs into a new directory, and switch to it at once."""

import json
import os
import shutil
import tempfile
from pathlib import Path

WRAPPERS = Path("/run/wrappers")


def main() -> None:
    """Make the directory anew; what else was in the old one goes with it."""
    WRAPPERS.mkdir(mode=0o755, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="wrappers.", dir=WRAPPERS))
    fresh.chmod(0o755)
    for wanted in json.loads(Path("@out@/wrappers.json").read_text()):
        target = fresh / wanted["name"]
        shutil.copyfile(wanted["program"], target)
        shutil.chown(target, wanted["owner"], wanted["group"])
        target.chmod(int(wanted["mode"], 8))
    link = WRAPPERS / "bin.new"
    link.unlink(missing_ok=True)
    link.symlink_to(fresh)
    link.rename(WRAPPERS / "bin")
    for old in WRAPPERS.glob("wrappers.*"):
        if old != fresh:
            shutil.rmtree(old)


if __name__ == "__main__":
    os.umask(0o022)
    main()

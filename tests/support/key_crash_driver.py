"""Kills a change of keys at every step, and goes on; run as a process of its own, because it forks.

``python -m tests.support.key_crash_driver DIRECTORY rotate|seal|replace`` prints JSON lines.
"""

import json
import os
import shutil
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from reconciler.evidence import sshsig
from reconciler.ledger import key_changes, keys
from reconciler.ledger.key_site import Changed
from reconciler.ledger.sealed_keys import Protection
from tests.support import crash_driver
from tests.support.crash_driver import dies_at, in_child
from tests.support.key_site import KeyRig, key_rig

# Only what changes something: between two of these a death finds nothing new.
crash_driver.STEPS = ("fsync", "rename", "replace", "link", "unlink", "mkdir")


@dataclass(frozen=True)
class Wrapping:
    """Seals without a TPM, so that a hundred deaths do not wait for one."""

    def available(self) -> bool:
        return True

    def has_tpm(self) -> bool:
        return True

    def seal(self, name: str, secret: bytes, with_key: Literal["tpm2", "host"]) -> bytes:
        return b64encode(secret)

    def unseal(self, name: str, sealed: bytes) -> bytes:
        return b64decode(sealed)


def rotating(protection: Protection) -> Callable[[KeyRig], Changed]:
    return lambda desk: desk.rotate(protection)


def replacing(desk: KeyRig) -> Changed:
    """What a person at the new machine does, from the beginning, however often."""
    return key_changes.finish(desk.site) or desk.replace(desk.authorized())


WAYS: dict[str, Callable[[KeyRig], Changed]] = {
    "rotate": rotating(Protection.FILE),
    "seal": rotating(Protection.TPM),
    "replace": replacing,
}


def prepared(base: Path, how: str) -> KeyRig:
    desk = key_rig(base, Wrapping(), runs=0)
    if how == "replace":
        desk.lose()
    return desk


def copied(desk: KeyRig, directory: Path) -> KeyRig:
    """The same appliance elsewhere; keys and ledger are copies."""
    base = desk.rig.directory
    shutil.copytree(base, directory, ignore=shutil.ignore_patterns("kill*"))
    site = replace(
        desk.site,
        repository=directory / desk.site.repository.name,
        signers_file=directory / desk.site.signers_file.name,
        place=replace(desk.site.place, path=directory / "keys" / "appliance"),
    )
    return KeyRig(replace(desk.rig, directory=directory), site)


def killed(desk: KeyRig, change: Callable[[KeyRig], Changed], number: int) -> None:
    dies_at(number)
    change(desk)
    os._exit(0)


def state(desk: KeyRig, change: Callable[[KeyRig], Changed], how: str) -> dict[str, Any]:
    """What is there after a death, and after going on."""
    before = desk.verify()
    there, waiting = desk.site.place.exists(), desk.site.coming.public.exists()
    entries = before.branches[0].entries if how != "replace" else None
    changed = change(desk)
    desk.run()
    after = desk.verify()
    files = list(desk.site.place.path.parent.iterdir())
    return {
        "faults": [] if how == "replace" else [str(fault) for fault in before.faults],
        "entries": entries,
        "there": there,
        "done": not waiting and len(before.branches[0].keys) + before.branches[0].entries > 4,
        "seq": changed.seq,
        "signs": keys.public(desk.key) == changed.new,
        "public": sshsig.public_text(changed.new) in desk.site.place.public.read_text(),
        "faults_after": [str(fault) for fault in after.faults],
        "keys_after": len(after.branches[0].keys),
        "names": sorted(file.name for file in files),
        "waiting": [name.name for name in files if "next" in name.name],
    }


def main(base: Path, how: str) -> None:
    desk, change = prepared(base, how), WAYS[how]
    number, status = 0, -1
    while status != 0:
        number += 1
        copy = copied(desk, base / f"kill{number}")
        status = in_child(partial(killed, copy, change, number))
        found = state(copy, change, how) if status else {}
        print(json.dumps({"kill": number, "status": status, **found}))
        shutil.rmtree(copy.rig.directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

"""How the machines of `nix/vm` are enrolled, done here: none of them boots where the gate runs.

Every command is the script's own, with its places below a directory; what belongs to systemd, to
users and to the running system is left out or said by a stand-in.
"""

import re
import sys
from pathlib import Path

from tests.support.commands import host
from tests.support.image import PROJECT
from tests.support.nix_runtime import NixStore

SYSTEM = """derivation {
  name = "nixos-system-appliance-26.05"; system = "x86_64-linux"; builder = "/bin/sh";
  args = [ "-c" "echo > $out" ];
}"""
PLACES = re.compile(r"(?<![\w.])/(?:root|srv|var/lib/reconciler)\b")


class Machine:
    """What the driver of a machine's test gives, on this machine.

    Args:
        top: Stands for ``/``.
        store: Has the system.
        system: What runs, as the script will be told.
    """

    def __init__(self, top: Path, store: NixStore, system: str) -> None:
        self.top = top
        stand_ins = top / "stand-ins"
        for place in ("root", "srv", "var/lib", "stand-ins"):
            (top / place).mkdir(parents=True)
        for name, does in (
            ("chown", ":"),
            ("systemctl", ":"),
            ("readlink", f"echo {system}"),
        ):
            (stand_ins / name).write_text(f"#!/bin/sh\n{does}\n")
            (stand_ins / name).chmod(0o755)
        programs = (stand_ins, Path(sys.executable).parent, store.env["PATH"])
        self._env = store.env | {"PATH": ":".join(map(str, programs)), "LANG": "C.UTF-8"}

    def wait_for_unit(self, name: str) -> None:
        """Nothing starts here."""

    def succeed(self, *commands: str) -> str:
        """Run commands of the script; what they printed."""
        here = (PLACES.sub(lambda found: f"{self.top}{found[0]}", one) for one in commands)
        return "".join(host("bash", "-c", one, env=self._env) for one in here)


def test_the_machines_are_enrolled_and_a_release_names_what_runs(
    nix_store: NixStore, tmp_path: Path
) -> None:
    """Without a release nothing of what is declared is looked at, and no drift is found."""
    system = nix_store.build(SYSTEM)
    machine = Machine(tmp_path / "top", nix_store, system)

    script = nix_store.eval(f"import {PROJECT}/nix/vm/enrol.nix")
    exec(script, {"machine": machine})

    settings = "/var/lib/reconciler/reconciler.yaml"
    said = machine.succeed(
        # What this machine answers is of no interest, and some of it would take long.
        f"printf '\\nprobe_deadline_s: 1\\n' >> {settings}",
        f"reconciler run --once --dry-run --config {settings} || test $? -le 3",
    )
    assert f"system: {system} (release of " in said

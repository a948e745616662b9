"""A real, modern Nix for the tests, and stores of one test each.

Nothing of the machine is used or changed: the program comes from `ci/nix.sh` into the rig cache, a
store is a directory that the test throws away, and no configuration of a user is read. There is no
network: a build that wants one fails in Nix's own sandbox.
"""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.commands import CommandFailed, call, describe, host
from tests.support.image import PROJECT
from tests.support.rigs import rig

__all__ = ["BUSYBOX", "NixStore", "nix_runtime", "open_nix", "require_nix"]

BUSYBOX = "/bin/busybox"
"""The sandbox's ``/bin/sh``: static, so that a build sees nothing else of this machine."""

_TOOLS = ("apt-get", "dpkg-deb", "patchelf", BUSYBOX)
_BUILD_DEADLINE_S = 600
_SETTINGS = """\
experimental-features = nix-command flakes
sandbox = true
sandbox-fallback = false
sandbox-paths = /bin/sh={busybox}
build-users-group =
substituters =
flake-registry =
max-jobs = 2
accept-flake-config = false
warn-dirty = false
"""


def require_nix() -> str | None:
    """Why this machine cannot run the tests' Nix, or None if it can."""
    if os.geteuid() != 0:
        return "not root"
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (see ci/packages.txt)"
    return None


@cache
def nix_runtime() -> Path:
    """The directory with ``usr/bin/nix``, got on first use; safe in parallel processes.

    It is beside the image of the guest: ``var/rig/nix`` in the project, or below
    `RECONCILER_RIG_CACHE`. It runs at this path only, so a guest has it bound in at the same.

    Raises:
        CommandFailed: It could not be fetched, or what was fetched is too old.
    """
    place = Path(os.environ.get("RECONCILER_RIG_CACHE", PROJECT / "var/rig")).resolve()
    place.mkdir(parents=True, exist_ok=True)
    with _only_one(place / "nix.lock"):
        script, runtime = str(PROJECT / "ci/nix.sh"), place / "nix"
        host("bash", script, str(runtime), timeout=_BUILD_DEADLINE_S, env=os.environ)
    return runtime


def open_nix() -> Path:
    """`nix_runtime` for a fixture: without it the test is skipped, or fails in the gate."""
    rig("nix", require_nix())
    try:
        return nix_runtime()
    except CommandFailed as failure:
        rig("nix", f"it cannot be had: {failure}")
        raise


class NixStore:
    """A store, its settings and a home directory, all in one directory.

    Attributes:
        runtime: What `nix_runtime` gave.
        directory: Everything is below it.
        root: What Nix takes for ``/``: the store is ``root/nix/store``.
        env: The whole environment of `run`; a test may change it.
    """

    def __init__(self, runtime: Path, directory: Path, *, settings: str = "") -> None:
        """Make it, empty; Nix itself makes the store on first use.

        Args:
            runtime: What `nix_runtime` gave.
            directory: Of this store alone; made if it is not there.
            settings: More lines of ``nix.conf``; a later line wins.
        """
        self.runtime, self.directory, self.root = runtime, directory, directory / "root"
        for name in ("conf", "cache", "home", "tmp"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        self.configure(settings)
        self.env = {
            "PATH": f"{runtime / 'usr/bin'}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "NIX_REMOTE": str(self.root),
            "NIX_CONF_DIR": str(directory / "conf"),
            "XDG_CACHE_HOME": str(directory / "cache"),
            "HOME": str(directory / "home"),
            "TMPDIR": str(directory / "tmp"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def configure(self, settings: str) -> None:
        """Write ``nix.conf`` anew: the rig's own lines, then these."""
        lines = _SETTINGS.format(busybox=BUSYBOX) + settings
        (self.directory / "conf/nix.conf").write_text(lines)

    def attempt(
        self, *argv: str, input: bytes = b"", timeout: float = 60
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program of Nix, whatever it returns.

        Raises:
            CommandFailed: It could not start, or ran longer than `timeout` seconds.
        """
        program = str(self.runtime / "usr/bin" / argv[0])
        return call((program, *argv[1:]), input=input, timeout=timeout, env=self.env)

    def run(self, *argv: str, input: bytes = b"", timeout: float = 60) -> str:
        """Run a program of Nix, for example ``run("nix-store", "--query", "--hash", path)``.

        Returns:
            What it printed, without white space at the end.

        Raises:
            CommandFailed: It returned non-zero, or ran too long.
        """
        done = self.attempt(*argv, input=input, timeout=timeout)
        if done.returncode != 0:
            raise CommandFailed(describe(argv, done))
        return done.stdout.decode().rstrip()

    def eval(self, expression: str) -> Any:
        """The value of an expression, as Nix writes it in JSON.

        Raises:
            CommandFailed: It has none; the message holds what Nix said.
        """
        return json.loads(self.run("nix", "eval", "--impure", "--json", "--expr", expression))

    def build(self, expression: str) -> str:
        """Build the derivation that an expression gives.

        Returns:
            Its first output, as Nix names it: ``/nix/store/...``; `real` says where it lies.

        Raises:
            CommandFailed: It could not be evaluated or built.
        """
        flags = ("--impure", "--no-link", "--print-out-paths", "--expr")
        return self.run("nix", "build", *flags, expression).splitlines()[0]

    def real(self, path: str) -> Path:
        """Where a path of the store, or a profile, lies on this machine."""
        return self.root / path.lstrip("/")


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield

"""What a guest boots from: a Debian root that is built once and cached, and the Python it needs.

The cache is ``var/rig`` in the project, or `RECONCILER_RIG_CACHE`. A change to anything under
``ci/`` that the root is made of builds it anew (35-100 s); deleting the cache is always safe.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import host

PROJECT = Path(__file__).resolve().parents[2]
GUEST_PYTHON = "3.11"
"""Debian bookworm's."""

_BUILD_DEADLINE_S = 900
_GLIBC = 36
"""Debian bookworm's minor version; wheels for it or an older one run in the guest."""


@dataclass(frozen=True)
class Image:
    """File system layers and what is bound in beside them.

    Attributes:
        layers: Directories, the topmost first; all of them are only read.
        site_packages: The reconciler's dependencies, built for the guest's Python.
        admin_key: Private SSH key of the guest's user ``clinicadmin``.
    """

    layers: tuple[Path, ...]
    site_packages: Path
    admin_key: Path

    def with_layer(self, upper: Path) -> "Image":
        """The same image with one more layer on top."""
        return Image((upper, *self.layers), self.site_packages, self.admin_key)


def build_image() -> Image:
    """Build what is not in the cache yet; safe to call from several processes.

    Raises:
        CommandFailed: A package could not be fetched, or the build went wrong.
    """
    cache = Path(os.environ.get("RECONCILER_RIG_CACHE", PROJECT / "var/rig")).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    with _only_one(cache / "lock"):
        debian = cache / "debian"
        host(str(PROJECT / "ci/rootfs.sh"), str(debian), timeout=_BUILD_DEADLINE_S, env=os.environ)
        site_packages = _site_packages(cache / "site-packages")
    return Image((debian / "root",), site_packages, debian / "admin_ed25519")


def _site_packages(dest: Path) -> Path:
    """Install the locked runtime dependencies for the guest's Python."""
    locked = PROJECT / "requirements/runtime.txt"
    options = ["--require-hashes", "--no-deps", *_pip_target(), "--requirement", str(locked)]
    digest = hashlib.sha256("\n".join([*options, locked.read_text()]).encode()).hexdigest()
    stamp = dest / ".digest"
    if stamp.is_file() and stamp.read_text() == digest:
        return dest
    work = dest.with_name(f"{dest.name}.building")
    shutil.rmtree(work, ignore_errors=True)
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-input", *options)
    host(*pip, "--target", str(work), timeout=_BUILD_DEADLINE_S, env=os.environ)
    (work / ".digest").write_text(digest)
    shutil.rmtree(dest, ignore_errors=True)
    return work.rename(dest)


def _pip_target() -> list[str]:
    arch = platform.machine()
    tags = [f"manylinux_2_{minor}_{arch}" for minor in range(_GLIBC, 4, -1)]
    tags += [f"manylinux2014_{arch}"]
    options = ["--python-version", GUEST_PYTHON, "--implementation", "cp", "--only-binary=:all:"]
    return options + [f"--platform={tag}" for tag in tags]


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield

"""What a guest boots from: a Debian root that is built once and kept, and the Python it needs.

A change to anything that the root is made of builds it anew (35-100 s); deleting the directory is
always safe.
"""

import fcntl
import hashlib
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.engine.scaffold.files import templates
from reconciler.errors import MachineError
from reconciler.testing.rig.commands import host

PROJECT = Path(__file__).resolve().parents[3]
"""The checkout; of an installed package, the directory it is in."""

GUEST_PYTHON = "3.11"
"""Debian bookworm's."""

_BUILD_DEADLINE_S = 900
_GLIBC = 36
"""Debian bookworm's minor version; wheels for it or an older one run in the guest."""


@dataclass(frozen=True)
class Fittings:
    """What a guest of an image has beside its layers.

    Attributes:
        init: Program in the guest that runs as its PID 1 and hands over to systemd, as a boot
            loader does; empty where systemd itself is started.
        read_only: Directories of the host that the guest sees: where on the host, where in it.
        disks: Directories of the guest's own that are no overlay, so that a directory in them can
            be renamed: what is copied there at first, and where in the guest.
    """

    init: str = ""
    read_only: tuple[tuple[Path, str], ...] = ()
    disks: tuple[tuple[Path, str], ...] = ()


@dataclass(frozen=True)
class Image:
    """File system layers and what is bound in beside them.

    Attributes:
        layers: Directories, the topmost first; all of them are only read.
        site_packages: The reconciler's dependencies, built for the guest's Python.
        admin_key: Private SSH key of the guest's user ``clinicadmin``.
        fittings: What else a guest has.
    """

    layers: tuple[Path, ...]
    site_packages: Path
    admin_key: Path
    fittings: Fittings = Fittings()

    def with_layer(self, upper: Path) -> "Image":
        """The same image with one more layer on top."""
        return replace(self, layers=(upper, *self.layers))


def open_image(directory: Path) -> Image:
    """An image that `build_image` made.

    Raises:
        MachineError: It is not there, or not whole.
    """
    debian, site_packages = directory / "debian", directory / "site-packages"
    if not (debian / "digest").is_file() or not (site_packages / ".digest").is_file():
        raise MachineError(
            f"{directory}: there is no image of a guest",
            hint="Make one, as root: reconciler rehearse RUNBOOK --make-image --image DIRECTORY",
        )
    return Image((debian / "root",), site_packages, debian / "admin_ed25519")


def build_image(directory: Path, env: Mapping[str, str]) -> Image:
    """Build what is not there yet; safe to call from several processes.

    Args:
        directory: Where the image is, or will be.
        env: The environment of the programs that fetch packages: proxies and mirrors.

    Raises:
        CommandFailed: A package could not be fetched, or the build went wrong.
        MachineError: What the image is made of is not installed.
    """
    cache = directory.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    with _only_one(cache / "lock"):
        debian = cache / "debian"
        recipe = _recipe("ci/rootfs.sh")
        host("bash", str(recipe), str(debian), timeout=_BUILD_DEADLINE_S, env=env)
        site_packages = _site_packages(cache / "site-packages", env)
    return Image((debian / "root",), site_packages, debian / "admin_ed25519")


def _recipe(path: str) -> Path:
    """A file that images are made of: beside the package's templates, as they are installed."""
    found = templates() / path
    if not found.is_file():
        raise MachineError(
            f"{path} is not installed, so no image of a guest can be made",
            hint="Reinstall the package, or run from a checkout.",
        )
    return found


def _site_packages(dest: Path, env: Mapping[str, str]) -> Path:
    """Install the locked runtime dependencies for the guest's Python."""
    locked = _recipe("requirements/runtime.txt")
    options = ["--require-hashes", "--no-deps", *_pip_target(), "--requirement", str(locked)]
    digest = hashlib.sha256("\n".join([*options, locked.read_text()]).encode()).hexdigest()
    stamp = dest / ".digest"
    if stamp.is_file() and stamp.read_text() == digest:
        return dest
    work = dest.with_name(f"{dest.name}.building")
    shutil.rmtree(work, ignore_errors=True)
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-input", *options)
    host(*pip, "--target", str(work), timeout=_BUILD_DEADLINE_S, env=env)
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

"""Where an entry was written: the boot, and the versions of what wrote it."""

import platform
from functools import cache
from pathlib import Path

import cryptography

from reconciler.errors import MachineError
from reconciler.version import __version__

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """The kernel's id of this boot.

    Raises:
        MachineError: This kernel does not say.
    """
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        hint = "Evidence names the boot it was written in; mount /proc."
        raise MachineError(f"cannot read {_BOOT_ID}: {error}", hint=hint) from error


@cache
def tool_versions() -> dict[str, str]:
    """Versions by name; do not change the result."""
    return {
        "reconciler": __version__,
        "python": platform.python_version(),
        "cryptography": cryptography.__version__,
    }

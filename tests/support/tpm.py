"""A software TPM 2.0 (swtpm) behind a socket of its own, and systemd-creds that uses it."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reconciler.errors import MachineError
from reconciler.targets.linux.credentials import SystemdCreds
from tests.support.rigs import rig


def require_creds() -> None:
    """Go on if systemd-creds is here."""
    found = SystemdCreds().available()
    rig("systemd-creds", None if found else "systemd-creds is not installed (Debian: systemd)")


def require_tpm() -> None:
    """Go on if a software TPM can be made here."""
    require_creds()
    missing = [name for name in ("swtpm", "tpm2_pcrextend") if shutil.which(name) is None]
    tcti = list(Path("/usr/lib").glob("*/libtss2-tcti-swtpm.so.0"))
    if not tcti:
        missing.append("libtss2-tcti-swtpm0")
    rig("software TPM", f"not installed: {', '.join(missing)}" if missing else None)


@contextmanager
def software_tpm(state: Path) -> Iterator[str]:
    """A running TPM; its state stays in a directory.

    Args:
        state: Two with different directories are two machines.

    Yields:
        What ``systemd-creds --tpm2-device`` takes.
    """
    state.mkdir(exist_ok=True)
    socket = state / "tpm"
    process = subprocess.Popen(
        [
            *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}"),
            *("--server", f"type=unixio,path={socket}"),
            *("--ctrl", f"type=unixio,path={socket}.ctrl"),
            *("--flags", "not-need-init,startup-clear"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while not (socket.exists() and Path(f"{socket}.ctrl").exists()):
            assert process.poll() is None, "swtpm ended"
            assert time.monotonic() < deadline, "swtpm does not listen"
            time.sleep(0.01)
        yield f"swtpm:path={socket}"
        # A TPM counts every end without this as an attempt to guess, and locks itself after three.
        tpm2("shutdown", f"swtpm:path={socket}", "-c")
    finally:
        process.terminate()
        process.wait(10)
        socket.unlink(missing_ok=True)
        Path(f"{socket}.ctrl").unlink(missing_ok=True)


def extend(device: str, pcr: int) -> None:
    """Change the state of a register, as other firmware or another boot would."""
    tpm2("pcrextend", device, f"{pcr}:sha256={'ab' * 32}")


def tpm2(tool: str, device: str, *arguments: str) -> None:
    """Run one of tpm2-tools."""
    command = [f"tpm2_{tool}", "-T", device, *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=30)


@dataclass(frozen=True)
class FreshTpm:
    """A sealer whose TPM is started for each call: without the kernel's resource manager,
    ``systemd-creds`` leaves sessions behind and a TPM has room for three."""

    state: Path

    def available(self) -> bool:
        return True

    def has_tpm(self) -> bool:
        return True

    def seal(self, name: str, secret: bytes, with_key: Literal["tpm2", "host"]) -> bytes:
        with software_tpm(self.state) as device:
            return SystemdCreds(device).seal(name, secret, with_key)

    def unseal(self, name: str, sealed: bytes) -> bytes:
        with software_tpm(self.state) as device:
            return SystemdCreds(device).unseal(name, sealed)


@dataclass(frozen=True)
class NoSealer:
    """A machine without systemd: nothing can be sealed or opened."""

    def available(self) -> bool:
        return False

    def has_tpm(self) -> bool:
        return False

    def seal(self, name: str, secret: bytes, with_key: Literal["tpm2", "host"]) -> bytes:
        raise MachineError(f"cannot seal {name}", hint="none")

    def unseal(self, name: str, sealed: bytes) -> bytes:
        raise MachineError(f"cannot unseal {name}", hint="none")

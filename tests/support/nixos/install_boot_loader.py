#!/usr/bin/python3 -I
"""Write a boot entry for every generation of the system profile; the given system is the default.

As the installer of systemd-boot does: entries of generations that are gone are removed, and the
default is the generation whose system was given. A system of no generation becomes no default.
"""

import os
import re
import shutil
import sys
from pathlib import Path

BOOT = Path("/boot")
PROFILES = Path("/nix/var/nix/profiles")
LINK = re.compile(r"system-(\d+)-link")


def write(path: Path, text: str) -> None:
    """Replace a file whole, and make sure that it is on the disk."""
    new = path.with_name(f"{path.name}.tmp")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def generations() -> dict[int, Path]:
    """Number and system of every generation."""
    links = {LINK.fullmatch(path.name): path for path in PROFILES.iterdir()}
    return {int(m[1]): path.resolve() for m, path in links.items() if m and path.exists()}


def copied(system: Path, name: str) -> str:
    """Copy a kernel or initrd beside the entries, where a boot loader can read it."""
    source = (system / name).resolve()
    target = BOOT / "EFI/nixos" / f"{source.parent.name}-{source.name}.efi"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return f"/{target.relative_to(BOOT)}"


def entry(number: int, system: Path) -> str:
    """One boot entry."""
    version = (system / "nixos-version").read_text()
    params = (system / "kernel-params").read_text()
    return (
        f"title NixOS\nsort-key nixos\nversion Generation {number} NixOS {version}\n"
        f"linux {copied(system, 'kernel')}\ninitrd {copied(system, 'initrd')}\n"
        f"options init={system}/init {params}\n"
    )


def main(default: Path) -> None:
    """Install for all generations."""
    if (default / "fails").read_text() == "bootloader":
        sys.exit("the boot loader cannot be installed: no space left on /boot")
    entries = BOOT / "loader/entries"
    entries.mkdir(parents=True, exist_ok=True)
    known = generations()
    for number, system in known.items():
        write(entries / f"nixos-generation-{number}.conf", entry(number, system))
    for number in [number for number, system in known.items() if system == default][-1:]:
        conf = f"timeout 5\ndefault nixos-generation-{number}.conf\nconsole-mode keep\n"
        write(BOOT / "loader/loader.conf", conf)
    for path in entries.glob("nixos-generation-*.conf"):
        if int(path.stem.rpartition("-")[2]) not in known:
            path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

"""Small NixOS-like systems: what one declares, and how it becomes a real path of a real store.

A `System` is declared in Python and built by Nix from `tests/support/nixos/system.nix`. It is a
NixOS in all that activation and drift can see: `activate`, `init`, `bin/switch-to-configuration`,
an etc tree of links into the store, units, a kernel, boot entries, an expectations document. It
is none in its programs: those are the Debian guest's.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.support.nix_runtime import BUSYBOX, NixStore

__all__ = ["FAILURES", "Etc", "System", "build_system", "expression", "lay_recipe", "wants"]

RECIPE = Path(__file__).with_name("nixos")

FAILURES = (
    "",
    "build",
    "check",
    "bootloader",
    "boot",
    "activation:etc",
    "activation:users",
    "activation:dies",
    "activation:hangs",
)
"""Where a system can be made to fail; the empty one does not."""

SERVICE = """\
[Unit]
Description={description}

[Service]
{lines}
"""


@dataclass(frozen=True)
class Etc:
    """A file below /etc: a link into the store, or a copy with an octal mode."""

    text: str
    mode: str = "symlink"
    user: str = "root"
    group: str = "root"


@dataclass(frozen=True, kw_only=True)
class System:
    """What one system declares. `replace` fields to get a changed one.

    Attributes:
        label: Part of the store path's name, so that two systems that say the same differ.
        host: The declared host name.
        kernel: Version; another one is another kernel, initrd and set of modules.
        params: Of the kernel.
        units: Files below /etc/systemd/system, by name.
        wants: Units that start with another: ``{"multi-user.target.wants": ("x.service",)}``.
        etc: Other files below /etc.
        users: Accounts (``name``, ``uid``, ``gid``, ``gecos``, ``home``, ``shell``).
        groups: Groups (``name``, ``gid``, ``members``).
        mutable_users: Whether accounts that nobody declared may stay.
        wrappers: Setuid programs (``name``, ``program``, ``owner``, ``group``, ``mode``).
        packages: Programs in ``sw/bin``, name and version.
        documents: JSON documents below ``reconciler/``; ``@out@`` in them is the system's path.
        fails: One of `FAILURES`.
    """

    label: str = "26.05.1"
    host: str = "frontdesk"
    kernel: str = "6.12.10"
    params: tuple[str, ...] = ("loglevel=4",)
    units: Mapping[str, str] = field(default_factory=dict)
    wants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    etc: Mapping[str, Etc] = field(default_factory=dict)
    users: tuple[Mapping[str, Any], ...] = ()
    groups: tuple[Mapping[str, Any], ...] = ()
    mutable_users: bool = False
    wrappers: tuple[Mapping[str, str], ...] = ()
    packages: Mapping[str, str] = field(default_factory=lambda: {"hello": "2.12.1"})
    documents: Mapping[str, Any] = field(default_factory=dict)
    fails: str = ""

    def with_unit(self, name: str, text: str, *, wanted_by: str = "multi-user.target") -> "System":
        """One more unit, or another text for one that is there."""
        return replace(
            self,
            units={**self.units, name: text},
            wants=wants(self.wants, wanted_by, name) if wanted_by else self.wants,
        )

    def with_service(
        self, name: str, *lines: str, wanted_by: str = "multi-user.target"
    ) -> "System":
        """One more service, given by the lines of its [Service] section."""
        text = SERVICE.format(description=f"{name} of the clinic", lines="\n".join(lines))
        return self.with_unit(f"{name}.service", text, wanted_by=wanted_by)

    def with_etc(self, path: str, text: str, mode: str = "symlink") -> "System":
        """One more file below /etc, or another text for one that is there."""
        return replace(self, etc={**self.etc, path: Etc(text, mode)})

    def spec(self) -> Mapping[str, Any]:
        """What `system.nix` reads."""
        assert self.fails in FAILURES, self.fails
        return {
            "label": self.label,
            "host": self.host,
            "kernel": self.kernel,
            "params": list(self.params),
            "units": dict(self.units),
            "wants": {f"{name}": list(links) for name, links in self.wants.items()},
            "etc": {path: vars(file) for path, file in self.etc.items()},
            "users": {
                "mutable": self.mutable_users,
                "users": list(self.users),
                "groups": list(self.groups),
            },
            "wrappers": list(self.wrappers),
            "packages": dict(self.packages),
            "documents": dict(self.documents),
            "fails": self.fails,
        }


def wants(
    known: Mapping[str, tuple[str, ...]], target: str, unit: str
) -> Mapping[str, tuple[str, ...]]:
    """The links with one more."""
    name = f"{target}.wants"
    links = known.get(name, ())
    return {**known, name: links if unit in links else (*links, unit)}


def lay_recipe(directory: Path) -> Path:
    """Copy what systems are made of, for example into a repository with a flake.

    Returns:
        The file to import.
    """
    if not directory.exists():
        shutil.copytree(RECIPE, directory)
        (directory / "tools").mkdir()
        shutil.copy(BUSYBOX, directory / "tools/busybox")
    return directory / "system.nix"


def expression(system: System, recipe: str, tools: str) -> str:
    """The Nix expression of one system.

    Args:
        system: What it declares.
        recipe: Path of `lay_recipe`'s file, as Nix reads it: absolute, or ``./...`` in a flake.
        tools: Directory with the programs of Nix, on the machine that is to run it.
    """
    spec = json.dumps(json.dumps(system.spec())).replace("${", "\\${")
    return f'import {recipe} {{ spec = builtins.fromJSON {spec}; tools = "{tools}"; }}'


def build_system(store: NixStore, system: System) -> str:
    """Build it in a store of this machine.

    Returns:
        Its path, as Nix names it.

    Raises:
        CommandFailed: It cannot be built.
    """
    recipe = lay_recipe(store.directory / "recipe")
    # In a file: a system may say more than fits into one argument of a program.
    file = store.directory / "system-to-build.nix"
    file.write_text(expression(system, str(recipe), str(store.runtime / "usr/bin")))
    return store.build(f"import {file}")

"""The name of a path in the Nix store, and what of it is a package, a version and an output.

Rule 1: A store path is ``/nix/store/<32 digits>-<name>`` and nothing else: no trailing slash, no
        file below it, no other directory.
Rule 2: Name and version part as ``builtins.parseDrvName`` parts them: at the first dash that no
        letter follows. The name of an output (``-bin``, ``-dev``) belongs to neither: two outputs
        of a package have one version.
Rule 3: The derivation says which part of a name is that of an output. Where it is not known, what
        follows a version is, if outputs are called so.
"""

import re
from dataclasses import dataclass

from reconciler.model.system import STORE_PATH

STORE_DIR = "/nix/store"

_PATH = re.compile(STORE_PATH)
_DIGITS = 32
_VERSION = re.compile(r"-(?![A-Za-z])(?=.)", re.DOTALL)
_OUTPUTS = re.compile(
    r"bin|data|debug|dev|devdoc|devman|dist|dnsutils|doc|getent|host|info|lib(?:32|64|gcc)?|login"
    r"|man|modules|mount|out|pam|scripts|static|su|swap|terminfo|tools|vlock"
)
_OUTPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Package:
    """What the name of a store path says.

    Attributes:
        name: Of the package: ``openssl``.
        version: Of the package; empty when the name has none.
        output: Which part of the package it is: ``bin``; empty for the first.
    """

    name: str
    version: str
    output: str


def is_store_path(text: str) -> bool:
    """Whether a text is a store path as a whole."""
    return _PATH.fullmatch(text) is not None


def digest_part(path: str) -> str:
    """The 32 digits of a store path."""
    return path[len(STORE_DIR) + 1 :][:_DIGITS]


def name_part(path: str) -> str:
    """What follows the digits and their dash."""
    return path[len(STORE_DIR) + _DIGITS + 2 :]


def parse_name(name: str) -> tuple[str, str]:
    """A name and a version, as ``builtins.parseDrvName`` parts them."""
    found = _VERSION.search(name)
    return (name, "") if found is None else (name[: found.start()], name[found.end() :])


def package(path: str, deriver: str | None = None) -> Package:
    """Package, version and output of a store path.

    Args:
        path: The store path.
        deriver: Store path of the derivation that made it, if that is known.
    """
    whole = name_part(path)
    made, output = _made(whole, deriver) or (whole, None)
    name, version = parse_name(made)
    if not name:
        return Package(whole, "", "")
    if output is not None:
        return Package(name, version, output)
    before, dash, last = version.rpartition("-")
    if dash and _OUTPUTS.fullmatch(last):
        return Package(name, before, last)
    return Package(name, version, "")


def _made(name: str, deriver: str | None) -> tuple[str, str] | None:
    """Name of a derivation and of its output, if a path has its name from them."""
    made = name_part(deriver).removesuffix(".drv") if deriver else ""
    if name == made:
        return made, ""
    output = name.removeprefix(f"{made}-")
    # What is named by its content may come from a derivation of another name.
    return (made, output) if made and output != name and _OUTPUT.fullmatch(output) else None

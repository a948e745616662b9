"""The project as a package manager installs it: a copy with compiled modules.

A checkout may lack them, or be read-only, and would then be measured compiling itself.
"""

import compileall
import shutil
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TEMPLATES = ("hosts", "policies", "runbooks", "evidence-repo")


def install(destination: Path, *, compiled: bool = True) -> Path:
    """Copy package and templates.

    Args:
        destination: Directory, made here, that goes onto the module search path.
        compiled: Compile for the Python that runs this; leave it to whoever runs another one.
    """
    package = destination / "reconciler"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "reconciler", package, ignore=skip)
    for part in TEMPLATES:
        shutil.copytree(PROJECT / part, package / "templates" / part, ignore=skip)
    if compiled and not compileall.compile_dir(package, quiet=1):
        raise RuntimeError(f"{package} does not compile")
    return destination

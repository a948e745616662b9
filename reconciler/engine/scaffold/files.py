"""The files of a new fleet repository: desired state, and the workflows and scripts around it."""

from pathlib import Path

from reconciler.desired.directory import read_directory
from reconciler.errors import MachineError

TEMPLATE_CLIENT, TEMPLATE_HOST = "example-clinic", "workstation"

PARTS = ("hosts", "policies", "runbooks")
AROUND = "ci/fleet"
"""What a fleet repository has besides desired state."""


def templates() -> Path:
    """Where the templates are: inside an installed package, or at the root of a checkout.

    Raises:
        MachineError: They are in neither place.
    """
    package = Path(__file__).resolve().parents[2]
    for root in (package / "templates", package.parent):
        if all((root / part).is_dir() for part in (*PARTS, AROUND)):
            return root
    raise MachineError(
        "the templates of a fleet repository are not installed",
        hint="Reinstall the package, or run from a checkout.",
    )


def fleet_files(root: Path, client: str, host: str) -> dict[str, str]:
    """Every file of a new fleet repository by path; the example clinic has its new name.

    Args:
        root: Where the templates are.
        client: Id of the clinic.
        host: Id of its first machine.
    """
    return {**_around(root / AROUND), **_pages(root), **_desired(root, client, host)}


def _around(root: Path) -> dict[str, str]:
    files = sorted(file for file in root.rglob("*") if file.is_file())
    return {file.relative_to(root).as_posix(): file.read_text(encoding="utf-8") for file in files}


def _pages(root: Path) -> dict[str, str]:
    """What explains desired state beside it."""
    pages = sorted(page for part in PARTS for page in (root / part).rglob("README.md"))
    return {page.relative_to(root).as_posix(): page.read_text(encoding="utf-8") for page in pages}


def _desired(root: Path, client: str, host: str) -> dict[str, str]:
    """The templates, with the example clinic and its workstation under their new names."""
    files: dict[str, str] = {}
    for path, data in read_directory(root).items():
        text = data.decode()
        if path == f"hosts/{TEMPLATE_CLIENT}/client.yaml":
            text = text.replace(f"\nid: {TEMPLATE_CLIENT}\n", f"\nid: {client}\n", 1)
        if path == f"hosts/{TEMPLATE_CLIENT}/{TEMPLATE_HOST}.yaml":
            path = f"hosts/{TEMPLATE_CLIENT}/{host}.yaml"
            text = text.replace(f"\nid: {TEMPLATE_HOST}\n", f"\nid: {host}\n", 1)
        files[path.replace(f"/{TEMPLATE_CLIENT}/", f"/{client}/")] = text
    return files

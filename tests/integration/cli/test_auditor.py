"""An auditor installs two packages; everything else must not be needed to verify."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.appliances import Site, new_site

BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in {"pydantic", "pydantic_core", "pygit2", "yaml"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=top)
        return None

sys.meta_path.insert(0, Block())
from reconciler.cli import execute as run
sys.exit(run(sys.argv[1:]))
"""


def auditor(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED, *argv], capture_output=True, text=True, check=False
    )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new_site(tmp_path / "var")


def test_verify_needs_neither_git_library_nor_policy_parser(site: Site) -> None:
    result = auditor("verify", site.evidence, "--signers", site.signers)

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("VERIFIED: 1 entry")


def test_a_forgery_is_found_with_the_small_install_too(site: Site) -> None:
    blob = max(Path(site.evidence, "objects").rglob("??/*"), key=lambda file: file.stat().st_size)
    blob.chmod(0o600)
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)

    result = auditor("verify", site.evidence, "--signers", site.signers)

    assert result.returncode == 6
    assert "NOT VERIFIED" in result.stdout


def test_other_commands_say_what_to_install(site: Site) -> None:
    result = auditor("run", "--once", "--config", site.settings)

    assert result.returncode == 7
    assert "reconciler[appliance]" in result.stderr
    assert "Traceback" not in result.stderr

"""Every Nix file parses and keeps the plain rules of the format.

The format itself is checked where nixpkgs is, by `nix flake check` with the real nixfmt.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.image import PROJECT
from tests.support.nix_runtime import NixStore

FOLDERS = ("nix", "hosts", "tests")
VECTORS = PROJECT / "tests/vectors"
FILES = sorted(
    file
    for place in (PROJECT / "flake.nix", *(PROJECT / folder for folder in FOLDERS))
    for file in (place.rglob("*.nix") if place.is_dir() else (place,))
    if not file.is_relative_to(VECTORS)
)
LONGEST = 130
"""nixfmt breaks code at 100 columns; a text or a name cannot be broken."""


def relative(file: Path) -> str:
    return str(file.relative_to(PROJECT))


def test_every_file_parses(nix_store: NixStore) -> None:
    assert len(FILES) > 20

    nix_store.run("nix-instantiate", "--parse", *map(str, FILES), timeout=60)


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_a_file_is_of_one_subject_and_plainly_formatted(file: Path) -> None:
    text = file.read_text()
    lines = text.splitlines()

    assert text.endswith("\n") and not text.endswith("\n\n")
    assert "\t" not in text
    assert [line for line in lines if line != line.rstrip()] == []
    assert len(lines) <= 300, "longer than 300 lines: one subject each"
    indented = [line for line in lines if (len(line) - len(line.lstrip(" "))) % 2]
    assert indented == [], "two blanks a level"
    assert [line for line in lines if len(line) > LONGEST and '"' not in line] == []


def test_a_file_says_why_it_is_there() -> None:
    first = {relative(file): file.read_text().splitlines()[0] for file in FILES}

    assert [name for name, line in first.items() if not re.match(r"# \w", line)] == []


def test_no_file_reads_or_fetches_what_a_lock_does_not_name() -> None:
    """Two builds of one commit would differ by what the machine or a server says."""
    impure = re.compile(
        r"\b(?:builtins\.(?:currentTime|currentSystem|getEnv|fetchGit|fetchTarball|fetchurl|fetchTree"
        r"|nixPath|storePath)|__currentSystem|<nixpkgs)\b"
    )
    for file in FILES:
        if relative(file).startswith("tests/"):
            continue
        code = re.sub(r"#.*", "", file.read_text())
        assert impure.findall(code) == [], relative(file)


def test_the_sheet_of_the_installer_says_what_the_page_says() -> None:
    """Who installs reads one of the two; each would be believed."""

    def commands(text: str) -> list[str]:
        text = re.sub(r" {2,}# .*", "", text).replace("ADMINISTRATOR", "clinic-admin")
        block = text[text.index("parted ") : text.index("nixos-install ")]
        lines = re.split(r"\n|&&", block[: block.index("clinic-admin") + len("clinic-admin")])
        return [line.strip() for line in lines]

    page = commands((PROJECT / "docs/nixos.md").read_text())

    assert len(page) > 10
    assert commands((PROJECT / "nix/install-an-appliance.txt").read_text()) == page


def test_the_package_is_looked_at_when_it_is_built() -> None:
    """nixpkgs sets doInstallCheck of a Python package by doCheck, and drops what a package says."""
    text = (PROJECT / "nix/package.nix").read_text()

    assert "\n  checkPhase = " in text
    assert not re.search(r"\n  (?:doCheck|doInstallCheck|installCheckPhase) =", text)


def test_a_library_that_is_too_old_fails_the_build(tmp_path: Path) -> None:
    for name, asked in (("fits", "click>=8.1"), ("old", "click>=999; extra == 'more'")):
        place = tmp_path / f"{name}-1.0.dist-info"
        place.mkdir()
        lines = (
            "Metadata-Version: 2.1",
            f"Name: {name}",
            "Version: 1.0",
            f"Requires-Dist: {asked}",
        )
        (place / "METADATA").write_text("\n".join(lines) + "\n")
    program, env = PROJECT / "nix/check_versions.py", {"PYTHONPATH": str(tmp_path)}

    fits, old = (
        subprocess.run(
            [sys.executable, program, name], env=env, capture_output=True, text=True, check=False
        )
        for name in ("fits", "old")
    )

    assert (fits.returncode, fits.stderr) == (0, "")
    assert old.returncode == 1
    assert re.search(r"click [0-9.]+, wanted >=999", old.stderr)


def test_the_package_has_every_library_that_the_project_can_use() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        asked += extra
    wanted = {re.split(r"[\[<>=~ ]", one, maxsplit=1)[0].lower() for one in asked}

    text = (PROJECT / "nix/package.nix").read_text()
    listed = re.search(r"dependencies = with python3Packages; \[(.*?)\];", text, re.DOTALL)
    assert listed is not None
    assert set(re.sub(r"#.*", "", listed[1]).split()) == wanted

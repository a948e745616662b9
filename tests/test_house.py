"""The rules of the house, as tests: they hold for whatever is added next."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import reconciler
from reconciler.checks import catalogue as checks
from reconciler.cli import COMMANDS, EXIT_CODES
from reconciler.desired.refusal import Reason
from reconciler.errors import ExitCode
from reconciler.steps import catalogue as steps

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "reconciler").rglob("*.py"))
DOCUMENTS = [
    "README.md",
    "docs/ARCHITECTURE.md",
    "docs/operating.md",
    "docs/evidence-format.md",
    "docs/auditing.md",
    "docs/keys.md",
    "docs/retention.md",
    "docs/threat-model.md",
    "docs/expectations.md",
    "docs/baseline.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]


@pytest.mark.parametrize("file", SOURCES, ids=lambda f: str(f.relative_to(ROOT)))
def test_a_source_file_says_what_it_is_and_is_of_one_subject(file: Path) -> None:
    text = file.read_text()
    module = ast.parse(text)

    assert ast.get_docstring(module), "no module docstring"
    assert len(text.splitlines()) <= 300, "longer than 300 lines: one subject each"


def test_layers_and_homes_of_dependencies_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout[-3000:]


@pytest.mark.parametrize("check", checks.load().values(), ids=lambda c: c.id)
def test_a_check_has_its_vectors(check: object) -> None:
    folder = ROOT / "tests" / "vectors" / "checks" / check.id  # type: ignore[attr-defined]
    cases = [case for case in folder.iterdir() if (case / "raw.json").exists()]

    assert len(cases) >= 3, f"{folder} needs a good, a drifted and an unreadable answer"


def test_a_kind_of_step_says_how_to_go_back_or_that_it_cannot() -> None:
    for kind in steps.load().values():
        assert kind.doc.endswith("."), kind.id
        assert isinstance(kind.reversible, bool), kind.id


def test_public_names_exist_and_are_listed() -> None:
    for name in reconciler.__all__:
        assert getattr(reconciler, name) is not None
    with pytest.raises(AttributeError):
        reconciler.no_such_name  # noqa: B018


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_in_the_documents_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    paths = re.findall(
        r"`((?:reconciler|docs|tests|policies|runbooks|hosts|ci|benchmarks|evidence-repo)/[\w./-]*)`",
        text,
    ) + re.findall(r"\]\(([\w./-]+)\)", text)

    missing = [
        path
        for path in paths
        if not ((ROOT / path).exists() or (ROOT / document).parent.joinpath(path).exists())
    ]
    assert missing == []


def test_every_command_is_documented_and_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in COMMANDS:
        assert f"`reconciler {name}" in readme, name
        module = name.replace("-", "_")
        assert import_module(f"reconciler.cli.{module}").command is not None


def test_every_exit_code_is_documented_the_same_way() -> None:
    readme = (ROOT / "README.md").read_text()
    for code in ExitCode:
        assert re.search(rf"^\| {int(code)} \| ", readme, re.MULTILINE), code
        assert re.search(rf"^ *{int(code)}  ", EXIT_CODES, re.MULTILINE), code


def test_every_refusal_code_is_documented() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in text] == []


def test_every_package_has_its_paragraph() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    for package in sorted((ROOT / "reconciler").iterdir()):
        if package.is_dir() and (package / "__init__.py").exists():
            assert re.search(rf"^\*\*[\w, ]*\b{package.name}\b[\w, ]*\.\*\*", text, re.MULTILINE), (
                f"{package.name} has no paragraph"
            )


def test_the_documented_packages_exist() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    for names in re.findall(r"^\*\*([\w, ]+)\.\*\*", text, re.MULTILINE):
        for name in names.split(", "):
            place = ROOT / "reconciler" / name
            assert place.is_dir() or place.with_suffix(".py").exists(), name


def test_lock_files_name_no_registry_and_pin_everything() -> None:
    for file in (ROOT / "requirements").glob("*.txt"):
        text = file.read_text()
        assert "://" not in text
        assert "index-url" not in text
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert pins
        assert all("==" in line for line in pins)
        assert text.count("--hash=sha256:") >= len(pins)


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys; from reconciler.cli import execute as run; run(['--help']);"
        "print([m for m in ('pydantic', 'pygit2', 'yaml', 'cryptography')"
        " if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert result.stdout.rstrip().endswith("[]"), result.stdout[-200:]

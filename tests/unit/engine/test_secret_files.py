"""Secrets come from files that only their owner reads, and never into a message."""

from pathlib import Path

import pytest

from reconciler.engine.secret_files import MOST_BYTES, secret_line, secret_lines
from reconciler.engine.settings import Home
from reconciler.errors import InputError

SECRET = "s3cret-value"


def home(directory: Path, credentials: Path | None = None) -> Home:
    return Home(None, directory, directory / "reconciler.yaml", credentials)  # type: ignore[arg-type]


def write(directory: Path, text: str, mode: int = 0o600) -> Path:
    file = directory / "token"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_a_file_and_a_credential_are_read(tmp_path: Path) -> None:
    write(tmp_path, f"# of the desk\n\n{SECRET}\n", 0o440)

    assert secret_line(home(tmp_path), "token", "notify.desk.secret") == SECRET
    passed = home(tmp_path / "elsewhere", credentials=tmp_path)
    assert secret_line(passed, "credential:token", "notify.desk.secret") == SECRET


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (f"{SECRET}\n{SECRET}2\n", 0o600),
        (f"{SECRET} {SECRET}\n", 0o600),
        (f"{SECRET}\n", 0o644),
        ("# nothing\n", 0o600),
        (f"{SECRET}ß\n", 0o600),
        (f"{SECRET}\n" * MOST_BYTES, 0o600),
    ],
)
def test_what_is_no_secret_is_refused_without_its_content(
    tmp_path: Path, text: str, mode: int
) -> None:
    write(tmp_path, text, mode)

    with pytest.raises(InputError) as refused:
        secret_line(home(tmp_path), "token", "notify.desk.secret")

    assert "notify.desk.secret" in str(refused.value)
    assert SECRET not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize("reference", ["credential:../token", "credential:token", "missing", "."])
def test_what_is_not_there_is_refused(tmp_path: Path, reference: str) -> None:
    write(tmp_path, SECRET)

    with pytest.raises(InputError):
        secret_lines(home(tmp_path), reference, "notify.desk.secret")

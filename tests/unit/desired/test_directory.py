import os

import pytest

from reconciler.desired import directory
from reconciler.desired.directory import read_directory
from reconciler.desired.fleet import read_fleet
from reconciler.desired.strict_yaml import MAX_BYTES
from reconciler.errors import InputError, MachineError
from tests.support.policy import base_files


@pytest.fixture
def root(tmp_path):
    for path, data in base_files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


def test_policy_files_are_read_by_their_relative_path(root):
    assert read_directory(root) == base_files()


def test_what_is_not_policy_is_not_opened(root):
    (root / "policies" / "README.md").write_text("notes")
    (root / "policies" / "trust").mkdir()
    (root / "policies" / "trust" / "roles.yaml").write_text("x")
    (root / "secret.yaml").write_text("x")
    assert read_directory(root) == base_files()


def test_a_large_file_is_cut_and_then_reported(root):
    (root / "policies" / "rules" / "idle.yaml").write_bytes(b"#" * 50_000_000)
    files = read_directory(root)
    assert len(files["policies/rules/idle.yaml"]) == MAX_BYTES + 1
    assert [str(problem) for problem in read_fleet(files).problems] == [
        "policies/rules/idle.yaml: is larger than 256 KiB"
    ]


@pytest.mark.parametrize("name", ["policies/rules/x.yaml", "policies/notes", "hosts/clinic/link"])
def test_a_link_is_refused_and_not_followed(root, name):
    (root / name).symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="is not a regular file") as caught:
        read_directory(root)
    assert caught.value.where is not None
    assert caught.value.where.file == name


def test_a_linked_folder_is_refused(root):
    (root / "policies").rename(root / "elsewhere")
    (root / "policies").symlink_to("elsewhere")
    with pytest.raises(InputError, match="is not a regular file"):
        read_directory(root)


def test_a_pipe_is_refused_and_not_waited_for(root):
    os.mkfifo(root / "policies" / "rules" / "x.yaml")
    with pytest.raises(InputError, match="is not a regular file"):
        read_directory(root)


def test_deep_folders_are_refused(root):
    (root / "hosts/a/b/c/d/e/f/g/h/i").mkdir(parents=True)
    with pytest.raises(InputError, match="is not a regular file"):
        read_directory(root)


@pytest.mark.parametrize(("name", "limit"), [("MAX_FILES", 3), ("MAX_TOTAL_BYTES", 100)])
def test_the_size_is_limited_while_reading(root, monkeypatch, name, limit):
    monkeypatch.setattr(directory, name, limit)
    with pytest.raises(InputError, match="holds more than"):
        read_directory(root)


def test_a_place_that_is_no_fleet_is_named(tmp_path):
    with pytest.raises(InputError, match="is not a directory"):
        read_directory(tmp_path / "gone")
    with pytest.raises(InputError, match="holds no desired state"):
        read_directory(tmp_path)


def test_a_file_that_vanishes_is_the_machine_s_fault(root, monkeypatch):
    monkeypatch.setattr(directory, "_walk", lambda _root: iter([root / "hosts" / "gone.yaml"]))
    with pytest.raises(MachineError, match="cannot be read: No such file"):
        read_directory(root)

"""What a worker reads of the expectations document of a system: the lists that it needs."""

import json
from pathlib import Path

import pytest

from reconciler.model.expected import MAX_BYTES, PLACE
from reconciler.targets.linux.nixos.document import listed
from reconciler.targets.linux.no_answer import NoAnswer

UNITS = ["chrony.service", "ssh.service"]


def system(place: Path, text: str) -> str:
    file = place / PLACE
    file.parent.mkdir()
    file.write_text(text)
    return str(place)


def test_a_list_is_read_also_from_a_form_that_is_not_known_here(tmp_path: Path) -> None:
    document = {"format": "reconciler-expectations/9", "reapply": [], "units": {"run": UNITS}}
    at = system(tmp_path, json.dumps(document))
    assert listed(at, "units", "run") == set(UNITS)
    assert listed(at, "reapply") == set()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        "{}",
        '{"units": ["run"]}',
        '{"units": {"run": "ssh.service"}}',
        '{"units": {"run": ["ssh.service", 7]}}',
        '{"units": {"run": ["' + "x" * MAX_BYTES + '"]}}',
    ],
    ids=["empty", "no-object", "deep", "absent", "list", "text", "number", "large"],
)
def test_what_does_not_list_names_is_not_guessed(tmp_path: Path, text: str) -> None:
    with pytest.raises(NoAnswer, match=r"does not list its units\.run"):
        listed(system(tmp_path, text), "units", "run")


def test_a_system_without_a_document_lists_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="does not list its reapply"):
        listed(str(tmp_path), "reapply")

"""Bills of materials for tests: a machine with a system, and documents held against validators."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.nix_database import Row, make_database, store_path, system_rows

SYSTEM = "nixos-system-desk-26.05"


def make_machine(
    root: Path, rows: Sequence[Row] | None = None, licences: Mapping[str, Any] | None = None
) -> str:
    """A machine whose running system is the first of the rows; its store path.

    Args:
        root: What everything lies under.
        rows: Paths of its store; a system of 40 paths if nothing is said.
        licences: Licences by store path, which the system then carries.
    """
    rows = system_rows(40, name=SYSTEM) if rows is None else rows
    system = str(rows[0].path)
    make_database(root, rows)
    folder = Path(f"{root}{system}/reconciler")
    folder.mkdir(parents=True)
    (root / "run").mkdir()
    (root / "run/current-system").symlink_to(system)
    if licences is not None:
        said = {"format": "reconciler-licences/1", "licences": licences}
        (folder / "licences.json").write_text(json.dumps(said))
    return system


def spdx_complaints(file: Path) -> list[str]:
    """What the reference library of SPDX says against a document."""
    from spdx_tools.spdx.parser.error import SPDXParsingError
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    try:
        parsed = parse_file(str(file))
    except SPDXParsingError as error:
        return error.get_messages()
    return [said.validation_message for said in validate_full_spdx_document(parsed)]


def cyclonedx_complaint(text: str) -> str | None:
    """What the schema of CycloneDX, with all its formats, says against a document."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    said = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return None if said is None else str(said)[:500]


__all__ = ["SYSTEM", "cyclonedx_complaint", "make_machine", "spdx_complaints", "store_path"]

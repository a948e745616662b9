"""Entries of kind ``system`` and differences of closures, for people."""

from typing import Any

import pytest

from reconciler.errors import EvidenceError
from reconciler.report.entry_text import body_lines
from reconciler.report.mentions import mentions
from reconciler.report.system import diff_lines, system_lines
from tests.support.entries import record

OLD, NEW = (f"/nix/store/{'0' * 32}-nixos-system-desk-{number}" for number in (1, 2))
NASTY = "x\x1b[2J\r\n<b>"


def body(**other: Any) -> dict[str, Any]:
    changes = [
        {"name": "etc", "before": [""], "after": [""]},
        {"name": "htop", "before": [], "after": ["3.3"]},
        {"name": "nano", "before": ["8.2"], "after": []},
        {"name": "openssl", "before": ["1.1", "3.0.14"], "after": ["1.1", "3.0.15"]},
    ]
    said = {
        "run": "a" * 32,
        "from": OLD,
        "to": NEW,
        "booted": OLD,
        "profile": NEW,
        "generation": 7,
        "release": "c" * 40,
        "source": "release",
        "closure": {"paths": 1500, "nar_bytes": 5 * 2**20, "sha256": "d" * 64},
        "sbom": {"format": "SPDX-2.3", "sha256": "e" * 64},
        "diff": {"from": OLD, "changes": changes, "left_out": 3},
        "reason": "",
    }
    return said | other


def test_an_entry_tells_which_system_runs_and_what_changed() -> None:
    assert body_lines(record(4, "system", body()), None) == [
        f"system {NEW} runs",
        f"  before     {OLD}",
        f"  booted     {OLD}",
        f"  profile    {NEW}, generation 7",
        f"  release    {'c' * 40} (release)",
        f"  closure    1500 paths, 5 MiB, sha256 {'d' * 64}",
        f"  sbom       SPDX-2.3, sha256 {'e' * 64}",
        f"  changed since {OLD}:",
        "    etc without version: built anew",
        "    htop 3.3: new",
        "    nano 8.2: gone",
        "    openssl 1.1, 3.0.14 -> 1.1, 3.0.15",
        "    … and 3 more",
    ]


def test_what_is_not_known_is_said_to_be() -> None:
    nothing = dict.fromkeys(
        ("from", "booted", "profile", "generation", "release", "closure", "sbom", "diff")
    )
    assert system_lines(body(**nothing, source="unknown", reason="the database is damaged")) == [
        f"system {NEW} runs",
        "  before     nothing was recorded",
        "  booted     not known",
        "  profile    not known",
        "  release    none that is in force names it (unknown)",
        "  left out   the database is damaged",
    ]


def test_a_difference_may_be_none() -> None:
    assert diff_lines(None) == []
    assert diff_lines({"from": None, "changes": [], "left_out": 0}) == ["  no package changed"]


def test_it_can_be_looked_up_in_one_line() -> None:
    (found,) = mentions(record(4, "system", body()))
    assert (found.about, found.rule, found.status) == ("system", None, "changed")
    assert found.detail == f"{NEW} runs, before it {OLD}, 7 packages changed"
    one = {"from": OLD, "changes": [], "left_out": 1}
    (found,) = mentions(record(4, "system", body(diff=one)))
    assert found.detail.endswith(", 1 package changed")
    (found,) = mentions(record(4, "system", body(**{"from": None}, diff=None)))
    assert found.detail == f"{NEW} runs, before it nothing"


def test_no_machine_drives_the_terminal_of_a_reader() -> None:
    bad = {"name": NASTY, "before": [NASTY], "after": [NASTY, NASTY]}
    said = body(to=NASTY, booted=NASTY, reason=NASTY, diff={"from": NASTY, "changes": [bad]})
    said["diff"]["left_out"] = 0
    for line in system_lines(said):
        assert line.isprintable()


def test_a_body_of_another_shape_is_shown_as_it_is_and_not_looked_up() -> None:
    other = record(4, "system", {"to": NEW, "closure": 7})
    assert body_lines(other, None) == [f"  to = {NEW}", "  closure = 7"]
    with pytest.raises(EvidenceError, match="does not read as system"):
        mentions(other)

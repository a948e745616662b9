from datetime import UTC, datetime

import pytest

from reconciler.evidence import signers
from reconciler.evidence.key_use import Usage
from reconciler.report.keys import as_document, render, rows_of
from tests.support.key_records import (
    FIRST,
    PERSON,
    RECOVERY,
    SECOND,
    WITNESS,
    Branch,
    line,
    public,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ENTRY = Branch().records[0].entry


def use(key, *, current: bool = False, signed: bool = True) -> Usage:
    entry = ENTRY if signed else None
    return Usage(public(key), "genesis", None, int(signed), entry, entry, current)


def state(text: str, *uses: Usage) -> str:
    rows = rows_of(signers.parse(text.encode(), "f"), {"elm/front": uses}, NOW)
    return rows[0].state


@pytest.mark.parametrize(
    ("comment", "uses", "expected"),
    [
        ("", (), "open"),
        ("ledger:5-", (), "open"),
        ("ledger:0-4", (), "closed"),
        ("", (use(FIRST, current=True),), "in use"),
        ("", (use(FIRST, current=True, signed=False),), "announced"),
        ("ledger:0-4", (use(FIRST, current=True),), "closed, still in use"),
        ("ledger:0-4", (use(FIRST),), "retired"),
        ("", (use(FIRST),), "retired"),
    ],
)
def test_how_a_key_stands(comment: str, uses: tuple[Usage, ...], expected: str) -> None:
    assert state(line("elm/front", FIRST, "", comment), *uses) == expected


def test_a_window_that_ended() -> None:
    assert state(line("elm/front", FIRST, 'valid-before="20260301Z"')) == "expired"
    assert state(line("elm/front", FIRST, 'valid-before="20260303Z"')) == "open"


def test_roles_come_from_principal_and_namespace() -> None:
    text = "".join(
        (
            line("elm/front", FIRST),
            line("witness/hub", WITNESS),
            line("recovery@msp.example", PERSON, RECOVERY),
            line("alice@msp.example", SECOND, 'namespaces="git"'),
        )
    )
    rows = rows_of(signers.parse(text.encode(), "f"), {}, NOW)
    assert [row.role for row in rows] == ["appliance", "witness", "recovery", "person"]


def test_several_lines_of_a_key_are_one_row() -> None:
    text = line("elm/front", FIRST, "", "ledger:0-4") + line("elm/front", FIRST, "", "ledger:9-")
    (row,) = rows_of(signers.parse(text.encode(), "f"), {}, NOW)
    assert [signer.positions for signer in row.lines] == [(0, 4), (9, None)]
    assert "entries 0-4; entries 9-" in render([row])


def test_a_key_that_was_used_and_is_not_listed() -> None:
    rows = rows_of(signers.parse(b"", "f"), {"elm/front": (use(FIRST, current=True),)}, NOW)
    assert [(row.principal, row.state) for row in rows] == [("elm/front", "not listed")]
    assert "may sign nothing" in render(rows)


def test_what_is_shown_and_what_machines_get() -> None:
    options = 'namespaces="git",valid-after="20260101Z",valid-before="20270101Z"'
    text = line("elm/front", FIRST, options, "ledger:0- the desk")
    rows = rows_of(signers.parse(text.encode(), "f"), {"elm/front": (use(FIRST),)}, NOW)
    shown = render(rows)
    assert "entries 0- from 2026-01-01T00:00:00Z until 2027-01-01T00:00:00Z (the desk)" in shown
    assert "by genesis; signed entries 0 (2026-03-01T12:00:00.000Z) to 0" in shown
    (document,) = as_document(rows)
    assert document["lines"] == [
        {
            "line": 1,
            "namespaces": ["git"],
            "positions": [0, None],
            "validAfter": "2026-01-01T00:00:00Z",
            "validBefore": "2027-01-01T00:00:00Z",
            "comment": "the desk",
        }
    ]
    assert document["use"]["first"] == {"seq": 0, "at": "2026-03-01T12:00:00.000Z"}
    assert document["public"].startswith("ssh-ed25519 AAAA")

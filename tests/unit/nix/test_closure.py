"""The digest of a closure, and what differs between two."""

import hashlib
from pathlib import Path

import pytest

from reconciler.errors import MachineError
from reconciler.nix import base32
from reconciler.nix.closure import MAX_CHANGES, Change, Diff, diff, digest, summary
from reconciler.nix.database import open_database
from tests.support.nix_database import make_database, store_path, system_rows


def test_the_digest_is_over_lines_that_stock_nix_prints(tmp_path: Path) -> None:
    rows = system_rows(40)
    make_database(tmp_path, rows)
    lines = []
    for row in rows:
        hashed = hashlib.sha256(str(row.path).encode()).digest()
        lines.append(f"{row.path} sha256:{base32.encode(hashed)}\n")
    expected = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()

    with open_database(str(tmp_path)) as opened:
        assert digest(opened.closure(str(rows[0].path))) == expected
        found = summary(opened.closure(str(rows[0].path)))

    assert found.to_json() == {
        "paths": 40,
        "nar_bytes": sum(int(str(row.size)) for row in rows),
        "sha256": expected,
    }


def test_paths_out_of_order_have_no_digest(tmp_path: Path) -> None:
    rows = system_rows(5)
    make_database(tmp_path, rows)
    with open_database(str(tmp_path)) as opened:
        infos = list(opened.closure(str(rows[0].path)))
    for wrong in ([*reversed(infos)], [infos[0], infos[0]]):
        with pytest.raises(MachineError, match="not in order"):
            digest(wrong)


def test_a_difference_is_by_package_and_version() -> None:
    kept = [store_path("glibc-2.40"), store_path("openssl-1.1.1w")]
    before = [*kept, store_path("openssl-3.0.14"), store_path("nano-8.2"), store_path("etc", "1")]
    after = [
        *kept,
        store_path("openssl-3.0.15"),
        store_path("openssl-3.0.15-bin"),
        store_path("htop-3.3"),
        store_path("etc", "2"),
    ]
    found = diff(before, after)
    assert found == Diff(
        (
            Change("etc", ("",), ("",)),
            Change("htop", (), ("3.3",)),
            Change("nano", ("8.2",), ()),
            Change("openssl", ("1.1.1w", "3.0.14"), ("1.1.1w", "3.0.15")),
        ),
        0,
    )
    assert found.to_json()["changes"][1] == {"name": "htop", "before": [], "after": ["3.3"]}
    assert diff(before, before) == Diff((), 0)


def test_what_was_only_built_anew_is_left_out_first() -> None:
    before = [store_path(f"lib{at:03}-1.0", "old") for at in range(MAX_CHANGES + 10)]
    after = [store_path(f"lib{at:03}-1.0", "new") for at in range(MAX_CHANGES + 10)]
    found = diff([*before, store_path("zlib-1.2")], [*after, store_path("zlib-1.3")])
    assert found.left_out == 11
    assert len(found.changes) == MAX_CHANGES
    assert found.changes[-1] == Change("zlib", ("1.2",), ("1.3",))
    assert list(found.changes) == sorted(found.changes)
